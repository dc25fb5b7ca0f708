#include "models/table_diffusion/masked_shape.h"

#include <cmath>
#include <numbers>

#include "models/tabular/token_transform.h"

namespace synod::table_diffusion {

MaskedShape::MaskedShape(const std::vector<tabular::PublicGrid>& grids, const Options& options) {
  first_slot.push_back(0);
  for (const tabular::PublicGrid& grid : grids) {
    first_slot.push_back(first_slot.back() + tabular::TokenCapacity(grid, {options.tokens}));
  }
  const auto width = static_cast<std::int64_t>(slots());
  input = builder.Linear("input", width, options.hidden);
  time = builder.Linear("time", options.time_embedding, options.hidden, /*has_bias=*/false);
  output = builder.Linear("output", options.hidden, width);
}

std::vector<float> TimeEmbedding(double t, std::uint32_t size) {
  std::vector<float> embedding(size);
  for (std::uint32_t i = 0; i < size / 2; ++i) {
    const double angle = (static_cast<double>(i) + 0.5) * t * std::numbers::pi;
    embedding[i] = static_cast<float>(std::cos(angle));
    embedding[size / 2 + i] = static_cast<float>(std::sin(angle));
  }
  return embedding;
}

}  // namespace synod::table_diffusion
