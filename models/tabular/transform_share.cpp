#include "models/tabular/transform_share.h"

#include <algorithm>
#include <cmath>

#include "common/privacy/epsilon.h"

namespace synod::tabular {
namespace {

constexpr double kTokens = 16.0;
constexpr double kPerRoot = 0.75;

}  // namespace

double TransformShare(std::size_t columns, std::uint64_t units, double epsilon, double delta) {
  const double noise = std::sqrt(static_cast<double>(columns)) / GaussianMu(epsilon, delta);
  const double relative = noise * kTokens / static_cast<double>(units);
  const double share = std::clamp(kPerRoot * std::sqrt(relative), kLeastShare, kMostShare);
  // Two digits: machines whose mathematical libraries differ in a last bit come to the same plan.
  return std::round(100.0 * share) / 100.0;
}

}  // namespace synod::tabular
