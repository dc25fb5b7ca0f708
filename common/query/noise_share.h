// One site's share of the noise of a plan entry: an exact discrete Gaussian of the plan's integer variance V, in grid
// units, added to each coordinate. What h such shares may be accounted as: common/privacy/noise_arithmetic.h.
#pragma once

#include <cstdint>
#include <memory>

#include "common/core/result.h"
#include "common/crypto/secret_random.h"
#include "common/query/grid.h"
#include "common/query/sums.h"

namespace synod {

class DiscreteGaussian;

class NoiseShare {
 public:
  // `variance` V and the h honest shares that meet the target, as the plan has them. BadInput unless V lies between
  // 64 (a standard deviation of 8 grid units) and 2^62, and h >= 1.
  static Result<NoiseShare> Make(const Grid& grid, std::uint64_t variance, std::uint32_t honest_shares);

  NoiseShare(NoiseShare&&) noexcept;
  NoiseShare& operator=(NoiseShare&&) noexcept;
  ~NoiseShare();

  std::uint64_t variance() const { return variance_; }
  std::uint32_t honest_shares() const { return honest_shares_; }
  // sqrt(h V - r^2) / Delta, rounded down: the noise multiplier of the PrivacyEvent of one answer.
  double accounted_multiplier() const { return accounted_multiplier_; }

  // Adds fresh noise from `random`. `threads` changes the time taken and nothing else. The sum must be of this share's
  // grid (our own duty).
  NoisedSum Add(GridSum&& sum, SecretRandom& random, unsigned threads = 1) const;

 private:
  NoiseShare(const Grid& grid, std::uint64_t variance, std::uint32_t honest_shares);

  std::unique_ptr<const DiscreteGaussian> noise_;
  std::uint64_t variance_;
  double sensitivity_;
  std::uint64_t dimension_;
  std::uint32_t honest_shares_;
  double accounted_multiplier_;
};

}  // namespace synod
