#include "common/query/grid.h"

#include <cmath>

#include "common/core/check.h"

namespace synod {
namespace {

constexpr double kLargestGamma = 0x1p40;
constexpr double kSmallestGamma = 0x1p-40;
constexpr double kLargestInteger = 0x1p62;

bool IsPowerOfTwo(double value) {
  int exponent = 0;
  return std::frexp(value, &exponent) == 0.5;
}

// Delta in grid units, before it is rounded up to an integer square.
double Delta(double gamma, double clip, std::uint64_t dimension) {
  return gamma * clip * (1.0 + kFloatErrorFraction) + std::sqrt(static_cast<double>(dimension));
}

}  // namespace

Result<Grid> Grid::Make(double gamma, double clip, std::uint64_t dimension) {
  if (!(clip > 0.0) || !std::isfinite(clip)) return BadInput("the clipping norm must be a positive number");
  if (dimension == 0 || dimension > (std::uint64_t{1} << 40))
    return BadInput("the dimension of a query is out of range");
  if (!(gamma >= kSmallestGamma && gamma <= kLargestGamma) || !IsPowerOfTwo(gamma)) {
    return BadInput("the grid scale must be a power of two from 2^-40 to 2^40");
  }
  // Six roundings of relative size 2^-53 are far below this factor, so that the integer is an upper bound.
  const double delta = Delta(gamma, clip, dimension) * (1.0 + 0x1p-48);
  const double square = std::ceil(delta * delta * (1.0 + 0x1p-48));
  if (!(square < kLargestInteger)) return BadInput("the grid is too fine for this clipping norm");
  return Grid(gamma, clip, dimension, static_cast<std::uint64_t>(square));
}

Result<Grid> Grid::Choose(const Needs& needs) {
  if (!(needs.clip > 0.0) || !std::isfinite(needs.clip)) return BadInput("the clipping norm must be a positive number");
  if (!(needs.noise_multiplier > 0.0) || !std::isfinite(needs.noise_multiplier)) {
    return BadInput("the noise multiplier must be a positive number");
  }
  if (needs.honest_shares == 0) return BadInput("at least one honest share of noise is needed");
  const double root_dimension = std::sqrt(static_cast<double>(needs.dimension));
  const double shares = std::sqrt(static_cast<double>(needs.honest_shares));
  double gamma = kSmallestGamma;
  for (; gamma <= kLargestGamma; gamma *= 2.0) {
    const bool fine_enough = root_dimension < kMostRoundingFraction * gamma * needs.clip;
    const double site_sigma = needs.noise_multiplier * Delta(gamma, needs.clip, needs.dimension) / shares;
    if (fine_enough && site_sigma >= kLeastSiteSigma) break;
  }
  return Make(gamma, needs.clip, needs.dimension);
}

GridSum Grid::Encode(ClippedSum&& sum) const {
  SYNOD_CHECK(sum.values_.size() == dimension_ && sum.clip_ == clip_, "a sum of another query than its grid");
  std::vector<std::int64_t> integers(sum.values_.size());
  for (std::size_t i = 0; i < integers.size(); ++i) {
    const double scaled = sum.values_[i] * gamma_;  // exact: gamma is a power of two
    SYNOD_CHECK(std::isfinite(scaled) && std::fabs(scaled) < kLargestInteger, "a sum beyond the integers");
    integers[i] = static_cast<std::int64_t>(std::nearbyint(scaled));
  }
  sum.values_.clear();
  return {std::move(integers), delta_squared_};
}

}  // namespace synod
