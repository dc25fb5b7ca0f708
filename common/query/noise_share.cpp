#include "common/query/noise_share.h"

#include <cmath>
#include <limits>
#include <utility>

#include "common/privacy/discrete_gaussian.h"

namespace synod {
namespace {

constexpr double kUp = 1.0 + 0x1p-50;  // more than the few roundings of 2^-53 in the formulas below
constexpr double kDown = 1.0 - 0x1p-50;

}  // namespace

Result<std::uint64_t> SiteVariance(double noise_multiplier, std::uint64_t delta_squared, std::uint32_t honest_shares) {
  if (!(noise_multiplier > 0.0) || !std::isfinite(noise_multiplier)) {
    return BadInput("the noise multiplier must be a positive number");
  }
  if (honest_shares == 0) return BadInput("at least one honest share of noise is needed");
  const double variance = std::ceil(noise_multiplier * noise_multiplier * static_cast<double>(delta_squared) /
                                    static_cast<double>(honest_shares) * kUp);
  if (!(variance >= static_cast<double>(kLeastVariance))) {
    return BadInput("the noise of a site is below 8 grid units", "choose a finer grid");
  }
  if (!(variance <= static_cast<double>(kMostVariance))) {
    return BadInput("the noise of a site is above 2^31 grid units", "choose a coarser grid");
  }
  return static_cast<std::uint64_t>(variance);
}

Result<double> AccountedMultiplier(std::uint64_t variance, std::uint64_t delta_squared, std::uint32_t honest_shares) {
  if (variance < kLeastVariance || variance > kMostVariance) return BadInput("the noise variance is out of range");
  if (delta_squared == 0 || honest_shares == 0) return BadInput("the sensitivity or the honest shares are zero");
  const double total = static_cast<double>(variance) * kDown * honest_shares - kSmoothing * kSmoothing;
  return std::sqrt(total / static_cast<double>(delta_squared) * kDown) * kDown;
}

NoiseShare::NoiseShare(std::unique_ptr<const DiscreteGaussian> noise, const Grid& grid, std::uint32_t honest_shares,
                       double accounted_multiplier)
    : noise_(std::move(noise)),
      variance_(noise_->variance()),
      delta_squared_(grid.delta_squared()),
      dimension_(grid.dimension()),
      honest_shares_(honest_shares),
      accounted_multiplier_(accounted_multiplier) {}
NoiseShare::NoiseShare(NoiseShare&&) noexcept = default;
NoiseShare& NoiseShare::operator=(NoiseShare&&) noexcept = default;
NoiseShare::~NoiseShare() = default;

Result<NoiseShare> NoiseShare::Make(const Grid& grid, std::uint64_t variance, std::uint32_t honest_shares) {
  SYNOD_ASSIGN_OR_RETURN(const double multiplier, AccountedMultiplier(variance, grid.delta_squared(), honest_shares));
  return NoiseShare(std::make_unique<const DiscreteGaussian>(variance), grid, honest_shares, multiplier);
}

NoisedSum NoiseShare::Add(GridSum&& sum, SecretRandom& random, unsigned threads) const {
  SYNOD_CHECK(sum.delta_squared_ == delta_squared_ && sum.values_.size() == dimension_,
              "noise of another plan entry than the sum");
  noise_->AddTo(random, sum.values_, threads);
  return {std::move(sum.values_), honest_shares_};
}

}  // namespace synod
