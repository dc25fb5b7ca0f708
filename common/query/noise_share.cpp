#include "common/query/noise_share.h"

#include <utility>

#include "common/privacy/discrete_gaussian.h"
#include "common/privacy/noise_arithmetic.h"

namespace synod {

static_assert(kMaxSiteVariance <= DiscreteGaussian::kMostVariance, "a plan may ask for noise that cannot be drawn");

NoiseShare::NoiseShare(const Grid& grid, std::uint64_t variance, std::uint32_t honest_shares)
    : noise_(std::make_unique<const DiscreteGaussian>(variance)),
      variance_(variance),
      sensitivity_(grid.sensitivity()),
      dimension_(grid.dimension()),
      honest_shares_(honest_shares),
      accounted_multiplier_(AccountedMultiplier(variance, honest_shares, grid.sensitivity())) {}
NoiseShare::NoiseShare(NoiseShare&&) noexcept = default;
NoiseShare& NoiseShare::operator=(NoiseShare&&) noexcept = default;
NoiseShare::~NoiseShare() = default;

Result<NoiseShare> NoiseShare::Make(const Grid& grid, std::uint64_t variance, std::uint32_t honest_shares) {
  constexpr auto kLeastVariance = static_cast<std::uint64_t>(kMinSiteSigma * kMinSiteSigma);
  if (variance < kLeastVariance || variance > kMaxSiteVariance) {
    return BadInput("the noise variance of a site is not between 64 and 2^62");
  }
  if (honest_shares == 0) return BadInput("at least one honest share of noise is needed");
  return NoiseShare(grid, variance, honest_shares);
}

NoisedSum NoiseShare::Add(GridSum&& sum, SecretRandom& random, unsigned threads) const {
  SYNOD_CHECK(sum.sensitivity_ == sensitivity_ && sum.values_.size() == dimension_,
              "noise of another plan entry than the sum");
  noise_->AddTo(random, sum.values_, threads);
  return {std::move(sum.values_), honest_shares_};
}

}  // namespace synod
