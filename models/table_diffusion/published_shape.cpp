#include "models/table_diffusion/published_shape.h"

#include <cmath>
#include <numbers>

namespace synod::table_diffusion {

PublishedShape::PublishedShape(const std::vector<tabular::PublicGrid>& grids, const Options& options) {
  first_coordinate.push_back(0);
  for (const tabular::PublicGrid& grid : grids) {
    const std::size_t width = grid.numeric() ? (grid.has_missing() ? 2 : 1) : grid.cells();
    first_coordinate.push_back(first_coordinate.back() + width);
  }
  const auto width = static_cast<std::int64_t>(coordinates());
  const auto hidden = static_cast<std::int64_t>(options.hidden);
  first = builder.Linear("block0.linear", width, hidden);
  first_norm = builder.Norm("block0.norm", hidden);
  second = builder.Linear("block1.linear", width + hidden, hidden);
  second_norm = builder.Norm("block1.norm", hidden);
  last = builder.Linear("last", width + 2 * hidden, width);
}

double NoiseVariance(std::uint32_t level, std::uint32_t levels) {
  return (1.0 - std::cos(std::numbers::pi * static_cast<double>(level) / static_cast<double>(levels))) / 2.0 + 0.1;
}

}  // namespace synod::table_diffusion
