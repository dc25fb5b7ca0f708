// The public grid of one column: cells that cover every value that the schema allows, chosen from the schema alone.
//
// Histogram queries count units per cell; what is inside a cell is never looked at again, so that every value that a
// generator puts out is drawn inside a cell and satisfies the schema.
//
// Rules. A categorical or binary column has one cell a value. Numbers that have a smallest step (whole numbers,
// seconds, and continuous columns that state their decimals) are counted in steps: a column of at most kFineValues
// steps has a cell a step; a wider one has cells between breakpoints, its bounds being cells of their own. Numbers
// without a step are cut at breakpoints alone. Breakpoints are spaced as the schema's `scale` says: evenly, evenly in
// the logarithm, or, where it says nothing, both at once, so that symmetric measurements and skewed counts are both
// covered. Special values of the schema are cells of their own. If missing is allowed it is the last cell.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "common/data/schema.h"
#include "common/data/table.h"

namespace synod::tabular {

class PublicGrid {
 public:
  static constexpr std::size_t kFineValues = 128;  // columns of so many steps: a cell a step
  static constexpr std::size_t kScaleCells = 48;   // cells of a wide column, evenly spaced on its scale
  static constexpr std::size_t kLogCells = 32;     // further ones, logarithmic, on either side of the origin

  explicit PublicGrid(const Column& column);

  std::size_t cells() const { return has_missing_ ? value_cells() + 1 : value_cells(); }
  std::size_t value_cells() const { return numeric_ ? cells_.size() : categories_; }
  bool numeric() const { return numeric_; }
  bool has_missing() const { return has_missing_; }
  std::size_t missing_cell() const { return value_cells(); }  // only meaningful with has_missing()
  // A cell that holds exactly one value.
  bool single(std::size_t cell) const;
  // The cell of a special value of the schema.
  bool special(std::size_t cell) const;

  // How much of the column a numeric cell that is not special covers, on an even and on a logarithmic scale; above 0.
  double Width(std::size_t cell) const;
  double LogWidth(std::size_t cell) const;
  // The same for any cell, 1 where it holds one value: what a density within the cell is measured by.
  double Extent(std::size_t cell) const;

  // The cell of a number inside the bounds, or of NaN (missing). A number between two steps belongs to the nearer one.
  // Precondition: the schema allows it.
  std::size_t CellOfNumber(double number) const;
  std::size_t CellOfCode(std::uint16_t code) const { return code; }

  // A value inside a numeric cell; `uniform` in [0, 1). Whole numbers come out whole, decimals with the schema's number
  // of digits, special values as they are stated; always within the bounds.
  double NumberInCell(std::size_t cell, double uniform) const;

 private:
  // With steps: the first and the last step in the cell. Without: its ends, the upper one open.
  struct Cell {
    double low = 0.0;
    double high = 0.0;
    double special = std::numeric_limits<double>::quiet_NaN();  // the special value whose cell it is
  };
  void ChooseSteps(const Column& column);
  std::vector<double> Breakpoints(ColumnScale scale) const;
  void CutSteps(ColumnScale scale);
  void CutContinuous(ColumnScale scale);
  void SplitAt(double special);
  double LogPosition(double x) const;

  bool numeric_ = false;
  bool stepped_ = false;
  bool has_missing_ = false;
  std::size_t categories_ = 0;
  double minimum_ = 0.0;
  double maximum_ = 0.0;
  int decimals_ = -1;
  double steps_per_unit_ = 1.0;
  // The column in steps, or as it is where it has none.
  double low_ = 0.0;
  double high_ = 0.0;
  double origin_ = 0.0;    // where the logarithmic scale starts
  double log_unit_ = 1.0;  // distance from the origin below which it is even
  std::vector<Cell> cells_;
  std::map<double, std::size_t> special_cells_;
};

// The cells of every modelled column of `schema`, and of each row of `table` in them: [column][row].
std::vector<PublicGrid> GridsOf(const Schema& schema);
std::vector<std::size_t> ModelledColumns(const Schema& schema);
std::vector<std::vector<std::uint16_t>> CellsOf(const Table& table, const std::vector<PublicGrid>& grids);

}  // namespace synod::tabular
