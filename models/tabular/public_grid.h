// The public grid of one column: cells that cover every value that the schema allows, chosen from the schema alone.
//
// Histogram queries count units per cell; what is inside a cell is never looked at again, so that every value that a
// generator puts out is drawn inside a cell and satisfies the schema.
//
// Rules: a categorical or binary column has one cell a value. An integer column with at most kFineValues values has one
// cell a value; a wider one has cells between breakpoints that are both evenly and logarithmically spaced (skewed
// counts and symmetric measurements are both covered), its bounds being cells of their own. A continuous column is cut
// the same way. Atoms (public single values of the schema) are cells of their own. If missing is allowed it is the last
// cell.
#pragma once

#include <cstdint>
#include <vector>

#include "common/data/schema.h"
#include "common/data/table.h"

namespace synod::tabular {

class PublicGrid {
 public:
  static constexpr std::size_t kFineValues = 128;  // integer columns up to here: a cell a value
  static constexpr std::size_t kEvenCells = 64;    // evenly spaced cells of a wide column
  static constexpr std::size_t kLogCells = 64;     // logarithmically spaced cells of a wide column

  explicit PublicGrid(const Column& column);

  std::size_t cells() const { return has_missing_ ? value_cells() + 1 : value_cells(); }
  std::size_t value_cells() const { return numeric_ ? cells_.size() : categories_; }
  bool numeric() const { return numeric_; }
  bool has_missing() const { return has_missing_; }
  std::size_t missing_cell() const { return value_cells(); }  // only meaningful with has_missing()
  // A cell that holds exactly one value.
  bool single(std::size_t cell) const;

  // How much of its column a cell covers: the number of its values, or, of an interval of a continuous column, its
  // length.
  double Extent(std::size_t cell) const;

  // The cell of a number inside the bounds, or of NaN (missing). Precondition: the schema allows it.
  std::size_t CellOfNumber(double number) const;
  std::size_t CellOfCode(std::uint16_t code) const { return code; }

  // A value inside a numeric cell; `uniform` in [0, 1). Integers come out whole, continuous values rounded to the
  // schema's decimals, always within the bounds.
  double NumberInCell(std::size_t cell, double uniform) const;

 private:
  struct Cell {
    double low = 0.0;
    double high = 0.0;  // integer: the last value in the cell; continuous: the open end; atom: equal to low
  };
  void CutInteger(const Column& column);
  void CutContinuous(const Column& column);
  void SplitAt(double atom);

  bool numeric_ = false;
  bool integer_ = false;
  bool has_missing_ = false;
  std::size_t categories_ = 0;
  double minimum_ = 0.0;
  double maximum_ = 0.0;
  int decimals_ = -1;
  std::vector<Cell> cells_;
};

// The cells of every modelled column of `schema`, and of each row of `table` in them: [column][row].
std::vector<PublicGrid> GridsOf(const Schema& schema);
std::vector<std::size_t> ModelledColumns(const Schema& schema);
std::vector<std::vector<std::uint16_t>> CellsOf(const Table& table, const std::vector<PublicGrid>& grids);

}  // namespace synod::tabular
