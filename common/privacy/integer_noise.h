// Masses of symmetric noise on the integers, with a bound of every error. Pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "common/core/result.h"

namespace synod {

struct IntegerNoise {
  std::vector<double> log_mass;  // of 0, 1, 2, ...; the mass of -x is that of x
  double error = 0.0;            // of each logarithm, absolute
  // P(X > x), from above; x from 0 to the last index.
  double Tail(std::size_t x) const;
};

// Masses up to at least the x with P(X > x) <= tail, and `beyond` further ones. Fail where that is more than
// kMaxNoiseMasses or leaves the range of double precision.
inline constexpr std::size_t kMaxNoiseMasses = std::size_t{1} << 20;

Result<IntegerNoise> DiscreteGaussianNoise(double variance, std::uint64_t beyond, double tail);

// The sum of `shares` of them, by convolution; `variance` below 10.
Result<IntegerNoise> ConvolvedDiscreteGaussianNoise(double variance, std::uint64_t shares, std::uint64_t beyond,
                                                    double tail);

// e^-variance I_x(variance), by the ratios of neighbouring Bessel functions (their downward recurrence is stable).
Result<IntegerNoise> SkellamNoise(double variance, std::uint64_t beyond, double tail);

}  // namespace synod
