// What a column is before any training: its noisy one-way distribution, cut into the bins of its spline.
//
// A bin is a token of the column (models/tabular/token_transform.h): one value, or, in a wide numeric column, a run of
// neighbouring cells of about equal mass; a heavy cell, an atom, is a bin of its own. The knots of the spline are the
// noisy distribution function at the ends of the bins. Every cell that the schema allows keeps a little of the mass, so
// that no row is impossible. Post-processing of noisy counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/tabular/public_grid.h"
#include "models/tabular/token_transform.h"

namespace synod::spline_flow {

// Of the mass, spread evenly over the cells.
inline constexpr double kEvenShare = 1e-4;

struct ColumnBase {
  ColumnBase(const tabular::PublicGrid& grid, const tabular::TokenColumn& column);

  std::size_t tokens() const { return log_share.size(); }
  // The cell of a token at position x in [0, 1] of its bin.
  std::size_t CellAt(std::size_t token, double x) const;

  std::vector<std::uint16_t> token_of_cell;
  std::vector<float> share;      // [token], sums to 1
  std::vector<float> log_share;  // [token]
  // Where the cell lies in its bin: [begin, end] of [0, 1], by its share.
  std::vector<double> begin;
  std::vector<double> end;
  std::vector<std::uint8_t> wide;       // [token]: more than one cell
  std::vector<std::size_t> first_cell;  // [token]; cells of a token are neighbours
  std::vector<std::size_t> last_cell;   // [token]
};

}  // namespace synod::spline_flow
