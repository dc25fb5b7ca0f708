// The arithmetic that ties a clipped real vector, its integer grid and the integer noise together. Pure functions.
//
// A unit's vector has L2 norm at most C. A site's sum is scaled by gamma and rounded once to the nearest integers; the
// float32 block sums under it carry an error of at most E. Adding or removing one unit therefore moves the integers by
// at most  Delta = gamma C + sqrt(d) + gamma E  in L2 (each of the d roundings moves by less than 1).
//
// Each site adds an exact discrete Gaussian of integer variance V. The sum of h such shares is, up to a factor of
// 1 +- 1e-30, a post-processing of the continuous Gaussian of variance h V - r^2 (smoothing lemma: Peikert 2010, "An
// efficient and parallel Gaussian sampler for lattices"; Genise, Micciancio, Peikert, Walter 2020), so the continuous
// mechanism with multiplier sqrt(h V - r^2) / Delta bounds its privacy loss in every dimension.
//
// All results err on the side of privacy: sensitivities and variances are rounded up, multipliers down.
#pragma once

#include <cstdint>

#include "common/core/result.h"

namespace synod {

inline constexpr double kSmoothingRadius = 2.5;        // r, in grid units
inline constexpr double kFloatErrorShare = 0.008;      // E / C, proven for blocks of at most 256 rows
inline constexpr double kMinSiteSigma = 8.0;           // standard deviation of one share, in grid units
inline constexpr double kNoiseSlackPerAnswer = 1e-30;  // what the smoothing argument adds to delta for one answer
inline constexpr double kMinGridScale = 0x1p-40;       // gamma
inline constexpr double kMaxGridScale = 0x1p40;
inline constexpr double kMaxGridValue = 0x1p62;  // gamma C, and any integer of a sum, stay below
inline constexpr std::uint64_t kMaxSiteVariance = std::uint64_t{1} << 62;

// Delta, in grid units; at least the exact value.
double SensitivityOnGrid(double gamma, double clip, std::uint64_t dimension,
                         double float_error_share = kFloatErrorShare);

// The smallest integer variance V of one share so that `shares` of them give at least the multiplier
// `noise_multiplier`: V = ceil(((z Delta)^2 + r^2) / h), never below kMinSiteSigma^2. Fails above kMaxSiteVariance.
Result<std::uint64_t> SiteVariance(double noise_multiplier, double sensitivity, std::uint32_t shares);

// sqrt(h V - r^2) / Delta, rounded down; 0 where h V does not exceed r^2.
double AccountedMultiplier(std::uint64_t site_variance, std::uint32_t shares, double sensitivity);

// The smallest power of two whose rounding error sqrt(d) is under 1 % of gamma C and whose share has a standard
// deviation of at least 64 grid units at the smallest noise multiplier (so that rounding V up costs nothing).
double ChooseGamma(double clip, std::uint64_t dimension, std::uint32_t shares = 1);

// The number of units in one batch that a sum must hold without wrapping: twice the expected number, and 64.
double BatchWithMargin(double units, double sampling_rate);

// What the size of a word must hold.
struct WordDemand {
  double gamma = 1.0;
  double clip = 1.0;
  double batch = 0.0;               // BatchWithMargin
  std::uint64_t site_variance = 0;  // V
  std::uint32_t sites = 1;          // all N may add a share
};

// batch gamma C + 12 standard deviations of the noise of all sites < 2^(word_bits - 1), and below 2^62.
bool WordBitsSuffice(std::uint32_t word_bits, const WordDemand& demand);

// 32 where that suffices, else 64; fails where neither does.
Result<std::uint32_t> ChooseWordBits(const WordDemand& demand);

}  // namespace synod
