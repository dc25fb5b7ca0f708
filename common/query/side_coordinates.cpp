#include "common/query/side_coordinates.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"

namespace synod {

Result<SideCoordinates> SideCoordinates::Make(double clip, const Weights& weights) {
  if (!(clip > 0.0) || !std::isfinite(clip)) return BadInput("the clipping norm must be a positive number");
  double squares = 0.0;
  for (const float weight : {weights.loss, weights.clipped, weights.count}) {
    if (!(weight >= 0.0F) || !std::isfinite(weight)) return BadInput("a side weight must be a number not below zero");
    squares += static_cast<double>(weight) * weight;
  }
  if (!(weights.loss_bound > 0.0F) || !std::isfinite(weights.loss_bound)) {
    return BadInput("the bound of the loss must be a positive number");
  }
  if (!(squares < clip * clip)) return BadInput("the side weights leave nothing for the gradient");
  // Rounded down by more than the roundings of this line, so that the sum of squares stays below C^2.
  const double rest = clip * clip * (1.0 - 0x1p-50) - squares * (1.0 + 0x1p-50);
  if (!(rest > 0.0)) return BadInput("the side weights leave nothing for the gradient");
  const double gradient_clip = std::sqrt(rest) * (1.0 - 0x1p-50);
  SYNOD_CHECK(gradient_clip * gradient_clip + squares <= clip * clip, "side coordinates beyond the clipping norm");
  return SideCoordinates(clip, gradient_clip, weights);
}

std::array<float, SideCoordinates::kCount> SideCoordinates::Encode(float loss, bool clipped) const {
  const float known = std::isnan(loss) ? 0.0F : loss;
  const float fraction = std::clamp(known, 0.0F, weights_.loss_bound) / weights_.loss_bound;  // in [0, 1]
  return {fraction * weights_.loss, clipped ? weights_.clipped : -weights_.clipped, weights_.count};
}

SideCoordinates::Totals SideCoordinates::Decode(std::span<const double, kCount> sums, double expected_count) const {
  const auto divided = [](double sum, float weight) { return weight > 0.0F ? sum / weight : 0.0; };
  Totals totals;
  totals.loss = divided(sums[0], weights_.loss) * weights_.loss_bound;
  totals.count = divided(sums[2], weights_.count);
  const double count = weights_.count > 0.0F ? totals.count : expected_count;
  if (weights_.clipped > 0.0F) totals.clipped = 0.5 * (divided(sums[1], weights_.clipped) + count);
  return totals;
}

}  // namespace synod
