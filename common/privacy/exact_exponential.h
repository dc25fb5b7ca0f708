// Exponentials of rationals as 256-bit fractions, by integer arithmetic with stated error: what the thresholds of the
// exact sampler are made of. No floating point.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace synod {

// A number in [0, 1): the four words, most significant first, divided by 2^256.
using Fraction256 = std::array<std::uint64_t, 4>;

// exp(-numerator / denominator) rounded down to 256 bits, from a value within 2^-400; the ratio in (0, 9).
Fraction256 ExpMinus(std::uint64_t numerator, std::uint64_t denominator);

// The distribution function F(0), F(1), ... of  P(k) = exp(-k^2 numerator / denominator) / Z  on k = 0, 1, 2, ..., each
// within 2^-255, strictly increasing, as far as 256 bits tell 1 - F(k) from zero. The ratio in [2^-12, 8] (table of at
// most 900 entries).
std::vector<Fraction256> HalfGaussianDistribution(std::uint64_t numerator, std::uint64_t denominator);

}  // namespace synod
