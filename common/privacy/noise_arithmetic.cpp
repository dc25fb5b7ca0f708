#include "common/privacy/noise_arithmetic.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"
#include "common/privacy/epsilon.h"

namespace synod {
namespace {

// More than the rounding error of the few operations below.
constexpr double kUp = 1.0 + 0x1p-48;
constexpr double kDown = 1.0 - 0x1p-48;

constexpr double kRoundingShare = 0.01;     // sqrt(d) against gamma C
constexpr double kComfortableSigma = 64.0;  // grid units of one share at the smallest multiplier

}  // namespace

double SensitivityOnGrid(double gamma, double clip, std::uint64_t dimension, double float_error_share) {
  SYNOD_CHECK(gamma > 0 && clip > 0 && float_error_share >= 0, "a grid needs a positive scale and clip");
  return (gamma * clip * (1.0 + float_error_share) + std::sqrt(static_cast<double>(dimension))) * kUp;
}

Result<std::uint64_t> SiteVariance(double noise_multiplier, double sensitivity, std::uint32_t shares) {
  SYNOD_CHECK(noise_multiplier > 0 && sensitivity > 0 && shares > 0, "noise needs a positive scale and a share");
  const double sigma = noise_multiplier * sensitivity;
  const double total = (sigma * sigma + kSmoothingRadius * kSmoothingRadius) * kUp;
  const double share = std::max(std::ceil(total / shares * kUp), kMinSiteSigma * kMinSiteSigma);
  if (!(share < static_cast<double>(kMaxSiteVariance))) {
    return BadInput("the noise of one site is too large for the integer grid", "use fewer steps or a larger epsilon");
  }
  return static_cast<std::uint64_t>(share);
}

double AccountedMultiplier(std::uint64_t site_variance, std::uint32_t shares, double sensitivity) {
  SYNOD_CHECK(sensitivity > 0, "a multiplier needs a positive sensitivity");
  const double total = static_cast<double>(site_variance) * shares * kDown - kSmoothingRadius * kSmoothingRadius;
  return total > 0 ? std::sqrt(total) / sensitivity * kDown : 0.0;
}

double ChooseGamma(double clip, std::uint64_t dimension, std::uint32_t shares) {
  SYNOD_CHECK(clip > 0 && std::isfinite(clip), "a grid needs a positive clip");
  const double for_rounding = std::sqrt(static_cast<double>(dimension)) / kRoundingShare;
  const double for_noise = kComfortableSigma / kMinNoiseMultiplier * std::sqrt(static_cast<double>(shares));
  const double least = std::max(for_rounding, for_noise) / clip;
  double gamma = std::exp2(std::ceil(std::log2(least)));
  if (!(gamma > least)) gamma *= 2;  // "under" 1 %, also when `least` is itself a power of two
  return gamma;
}

double BatchWithMargin(double units, double sampling_rate) {
  return 2.0 * units * sampling_rate + 64.0;
}

bool WordBitsSuffice(std::uint32_t word_bits, const WordDemand& demand) {
  if (word_bits != 32 && word_bits != 64) return false;
  const double sigma = std::sqrt(static_cast<double>(demand.site_variance) * demand.sites);
  const double largest = (demand.batch * demand.gamma * demand.clip * (1.0 + kFloatErrorShare) + 12.0 * sigma) * kUp;
  return largest < (word_bits == 32 ? 0x1p31 : 0x1p62);
}

Result<std::uint32_t> ChooseWordBits(const WordDemand& demand) {
  if (WordBitsSuffice(32, demand)) return std::uint32_t{32};
  if (WordBitsSuffice(64, demand)) return std::uint32_t{64};
  return BadInput("a sum of this size does not fit a 64-bit word", "use a smaller number of units or less noise");
}

}  // namespace synod
