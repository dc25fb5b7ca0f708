#include "models/spline_flow/column_base.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"

namespace synod::spline_flow {

ColumnBase::ColumnBase(const tabular::PublicGrid& grid, const tabular::TokenColumn& column)
    : token_of_cell(column.token_of_cell),
      begin(grid.cells()),
      end(grid.cells()),
      wide(column.tokens(), 0),
      first_cell(column.tokens(), grid.cells()),
      last_cell(column.tokens(), 0) {
  SYNOD_CHECK(column.token_of_cell.size() == grid.cells(), "a token for each cell");
  std::vector<double> mass(column.tokens(), 0.0);
  for (std::size_t cell = 0; cell < grid.cells(); ++cell) {
    const std::uint16_t token = token_of_cell[cell];
    begin[cell] = mass[token];
    mass[token] += (1.0 - kEvenShare) * column.cell_probability[cell] + kEvenShare / static_cast<double>(grid.cells());
    end[cell] = mass[token];
    first_cell[token] = std::min(first_cell[token], cell);
    last_cell[token] = cell;
  }
  double total = 0.0;
  for (const double own : mass) total += own;
  for (std::size_t token = 0; token < mass.size(); ++token) {
    SYNOD_CHECK(mass[token] > 0.0, "a token has cells");
    wide[token] = last_cell[token] > first_cell[token] ? 1 : 0;
    share.push_back(static_cast<float>(mass[token] / total));
    log_share.push_back(static_cast<float>(std::log(mass[token] / total)));
  }
  for (std::size_t cell = 0; cell < grid.cells(); ++cell) {
    const std::size_t token = token_of_cell[cell];
    begin[cell] /= mass[token];
    end[cell] = cell == last_cell[token] ? 1.0 : end[cell] / mass[token];
  }
}

std::size_t ColumnBase::CellAt(std::size_t token, double x) const {
  const auto first = end.begin() + static_cast<std::ptrdiff_t>(first_cell[token]);
  const auto last = end.begin() + static_cast<std::ptrdiff_t>(last_cell[token]);
  return static_cast<std::size_t>(std::upper_bound(first, last, x) - end.begin());
}

}  // namespace synod::spline_flow
