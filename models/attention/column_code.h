// The alphabet in which one column is read and written: its components, the same in both directions.
//
// A component is a distribution over the cells of the column's public grid. A category, an atom (a cell that is a token
// of its own in the noisy counts) and the missing cell are components that hold one cell. The other cells of a numeric
// column share a mixture: on the quantile u of those cells under the noisy counts, L components with triangular
// densities around L knots 0, 1/(L-1), ..., 1, which add up to the uniform density; the exact mass of a component in a
// cell is the area over the cell's interval of u.
//
//   decoding   P(cell) = sum over m of pi_m B_m(cell), pi a softmax: an exact likelihood of every cell
//   encoding   a cell is read as its shares r_m = pi0_m B_m / sum of the same, pi0 the noisy weights
//
// With pi = pi0 the column has its noisy one-way shares. Everything here is post-processing of noisy counts; the number
// of components never exceeds tabular::TokenCapacity.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/tabular/public_grid.h"
#include "models/tabular/token_transform.h"

namespace synod::attention {

class ColumnCode {
 public:
  ColumnCode(const tabular::PublicGrid& grid, const tabular::TokenColumn& column);

  struct Part {
    std::uint16_t component = 0;
    float mass = 0.0F;   // B_m(cell): the share of the component that is in the cell; above 0
    float share = 0.0F;  // r_m: of the cell, in the component; adds up to 1
  };

  std::size_t components() const { return base_.size(); }
  std::size_t cells() const { return first_part_.size() - 1; }
  // pi0; every one above 0, they add up to 1.
  const std::vector<double>& base() const { return base_; }
  const std::vector<float>& log_base() const { return log_base_; }
  // The components that hold the cell; never empty.
  std::span<const Part> parts(std::size_t cell) const {
    return std::span(parts_).subspan(first_part_[cell], first_part_[cell + 1] - first_part_[cell]);
  }

  // A cell of the component; `uniform` in [0, 1).
  std::size_t DrawCell(std::size_t component, double uniform) const;

 private:
  struct CellMass {
    std::uint16_t cell = 0;
    double cumulative = 0.0;
  };

  std::vector<double> base_;
  std::vector<float> log_base_;
  std::vector<std::size_t> first_part_;  // cells + 1 entries
  std::vector<Part> parts_;
  std::vector<std::vector<CellMass>> cells_of_;  // [component]
};

// The codes of all columns. `grids` as many as the transform has columns.
std::vector<ColumnCode> CodesOf(const std::vector<tabular::PublicGrid>& grids,
                                const tabular::TokenTransform& transform);

}  // namespace synod::attention
