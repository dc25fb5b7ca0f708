#include "common/privacy/half_gaussian_table.h"

#include <algorithm>
#include <limits>

namespace synod {

HalfGaussianTable::HalfGaussianTable(std::uint64_t numerator, std::uint64_t denominator)
    : thresholds_(HalfGaussianDistribution(numerator, denominator)) {
  first_words_.reserve(thresholds_.size() + 1);
  for (const Fraction256& threshold : thresholds_) first_words_.push_back(threshold[0]);
  first_words_.push_back(std::numeric_limits<std::uint64_t>::max());
  for (std::size_t i = 0; i < guide_.size(); ++i) {
    const std::uint64_t least_word = static_cast<std::uint64_t>(i) << kGuideShift;
    const auto found = std::lower_bound(first_words_.begin(), first_words_.end(), least_word);
    guide_[i] = static_cast<std::uint16_t>(found - first_words_.begin());
  }
}

std::uint32_t HalfGaussianTable::Invert(const Fraction256& fraction) const {
  return static_cast<std::uint32_t>(std::upper_bound(thresholds_.begin(), thresholds_.end(), fraction) -
                                    thresholds_.begin());
}

std::uint32_t HalfGaussianTable::DrawExtended(std::uint64_t word, SecretRandom& random) const {
  Fraction256 fraction{word, 0, 0, 0};
  for (std::size_t i = 1; i < fraction.size(); ++i) fraction[i] = random.NextWord64();
  return Invert(fraction);
}

}  // namespace synod
