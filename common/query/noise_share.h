// One site's share of the noise of a plan entry, and the noise multiplier that may be accounted for it.
//
// A site adds an exact discrete Gaussian of integer variance V, in grid units, to each coordinate. h honest shares add
// up to variance h V. The sum of h discrete Gaussians of standard deviation >= 8 is, up to factors 1 +- 1e-50, a
// discrete Gaussian of variance h V; that one is a randomised rounding (of parameter r) of the continuous Gaussian of
// variance h V - r^2 (Peikert 2010, "An efficient and parallel Gaussian sampler for lattices", Gaussian convolution).
// With r = 2.5 the per-coordinate factors are 1 +- 1e-53. So the continuous Gaussian mechanism with noise multiplier
//     sqrt(h V - r^2) / Delta
// bounds the privacy loss in every dimension; kDiscreteDelta is added to delta for the factors.
#pragma once

#include <cstdint>
#include <memory>

#include "common/core/result.h"
#include "common/crypto/secret_random.h"
#include "common/query/grid.h"
#include "common/query/sums.h"

namespace synod {

class DiscreteGaussian;

inline constexpr double kSmoothing = 2.5;            // r, grid units
inline constexpr double kDiscreteDelta = 1e-30;      // added to delta once per plan
inline constexpr std::uint64_t kLeastVariance = 64;  // site sigma >= 8 grid units
inline constexpr std::uint64_t kMostVariance = std::uint64_t{1} << 62;

// ceil((z Delta)^2 / h), which the plan carries. BadInput when it leaves [kLeastVariance, kMostVariance].
Result<std::uint64_t> SiteVariance(double noise_multiplier, std::uint64_t delta_squared, std::uint32_t honest_shares);

// sqrt(h V - r^2) / Delta rounded down: the multiplier of PrivacyEvent for an entry of the plan. The numbers come from
// a plan, hence BadInput when they are out of range.
Result<double> AccountedMultiplier(std::uint64_t variance, std::uint64_t delta_squared, std::uint32_t honest_shares);

class NoiseShare {
 public:
  // `variance` V per site as the plan has it.
  static Result<NoiseShare> Make(const Grid& grid, std::uint64_t variance, std::uint32_t honest_shares);

  NoiseShare(NoiseShare&&) noexcept;
  NoiseShare& operator=(NoiseShare&&) noexcept;
  ~NoiseShare();

  std::uint64_t variance() const { return variance_; }
  std::uint32_t honest_shares() const { return honest_shares_; }
  double accounted_multiplier() const { return accounted_multiplier_; }

  // Adds fresh noise from `random`. `threads` changes the time taken and nothing else. The sum must be of this share's
  // grid (our own duty).
  NoisedSum Add(GridSum&& sum, SecretRandom& random, unsigned threads = 1) const;

 private:
  NoiseShare(std::unique_ptr<const DiscreteGaussian> noise, const Grid& grid, std::uint32_t honest_shares,
             double accounted_multiplier);

  std::unique_ptr<const DiscreteGaussian> noise_;
  std::uint64_t variance_;
  std::uint64_t delta_squared_;
  std::uint64_t dimension_;
  std::uint32_t honest_shares_;
  double accounted_multiplier_;
};

}  // namespace synod
