#include "models/attention/shape.h"

#include <fmt/format.h>

#include <cmath>

#include "models/tabular/token_transform.h"

namespace synod::attention {

Shape::Shape(const std::vector<tabular::PublicGrid>& grids, const Options& options)
    : width(options.width), heads(options.heads), hidden_size(options.hidden), latent_size(options.latent) {
  first_slot.push_back(0);
  for (const tabular::PublicGrid& grid : grids) {
    first_slot.push_back(first_slot.back() + tabular::TokenCapacity(grid, {options.tokens}));
  }
  const auto own = [&](std::size_t j) { return static_cast<std::int64_t>(slots_of(j)); };
  const auto places_size = static_cast<std::int64_t>(places_count());
  for (std::size_t j = 0; j < columns(); ++j) {
    column.push_back(builder.Linear(fmt::format("column.{}", j), own(j), width));
  }
  if (has_latent()) latent = builder.Linear("latent", latent_size, width);
  key = builder.Linear("key", width, width, /*has_bias=*/false);
  places = builder.Broadcast("places", {places_size, width});
  queries = builder.Broadcast("queries", {places_size, width});
  hidden = builder.Linear("hidden", width, hidden_size);
  if (has_latent()) posterior = builder.Linear("posterior", hidden_size, 2 * latent_size);
  for (std::size_t j = 0; j < columns(); ++j) {
    head.push_back(builder.Linear(fmt::format("head.{}", j), hidden_size, own(j)));
  }
}

double SinkScore(const Shape& shape) {
  return std::log(static_cast<double>(shape.columns()));
}

double MixScale(const Shape& shape) {
  return static_cast<double>(shape.columns());
}

}  // namespace synod::attention
