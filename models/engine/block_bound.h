// How many units one float32 block sum may hold for its rounding error to stay within the fraction of the clip that the
// integer grid allows for it (kFloatErrorShare of noise_arithmetic.h, less what float64 addition of blocks takes).
//
// A block sum of n units adds K = n m products a coordinate, m the products of one unit: its uses times the positions
// of a row times the calls of the layer (ParameterRule::ProductsPerUnit). Its L2 error is at most K 2^-24 times the sum
// over rows of weight |g||a|, which is at most n r C, with r the bound on a unit's summed magnitude relative to C
// (ClipPlan::magnitude_ratio; 1 where a unit has one product). Neighbouring batches see the error twice:
// 2 n^2 m r 2^-24 <= 0.0078.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace synod::engine {

inline constexpr double kMaxMagnitudeRatio = 4.0;

inline std::uint32_t UnitsPerBlock(std::int64_t products_per_unit) {
  constexpr double kShare = 0.0078;
  constexpr double kUnitRoundoff = 1.0 / 16777216.0;
  const double ratio = products_per_unit == 1 ? 1.0 : kMaxMagnitudeRatio;
  const double units = std::sqrt(kShare / (2.0 * kUnitRoundoff * ratio * static_cast<double>(products_per_unit)));
  return static_cast<std::uint32_t>(std::clamp(std::floor(units), 1.0, 256.0));
}

}  // namespace synod::engine
