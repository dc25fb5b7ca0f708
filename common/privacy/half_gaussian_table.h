// Draws k = 0, 1, 2, ... with probability proportional to exp(-k^2 numerator / denominator), by inversion of the
// distribution function with 256-bit thresholds.
//
// A 64-bit word decides in all but about 2^-55 of the draws; when it equals the first word of a threshold, three more
// words are drawn and compared. The distribution is within 2^-245 of the ideal one in total variation.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "common/crypto/secret_random.h"
#include "common/privacy/exact_exponential.h"

namespace synod {

class HalfGaussianTable {
 public:
  // The ratio in [2^-12, 8]: standard deviation sqrt(denominator / (2 numerator)).
  HalfGaussianTable(std::uint64_t numerator, std::uint64_t denominator);

  // `word` is uniform; `random` is used only to extend it.
  std::uint32_t Draw(std::uint64_t word, SecretRandom& random) const {
    std::uint32_t k = guide_[word >> kGuideShift];
    k += static_cast<std::uint32_t>(word > first_words_[k]);
    while (word > first_words_[k]) ++k;
    return word == first_words_[k] ? DrawExtended(word, random) : k;
  }

  // The value that the 256-bit uniform fraction stands for: the least k with fraction < F(k).
  std::uint32_t Invert(const Fraction256& fraction) const;

  const std::vector<Fraction256>& thresholds() const { return thresholds_; }

 private:
  static constexpr unsigned kGuideShift = 53;  // 2048 entries

  std::uint32_t DrawExtended(std::uint64_t word, SecretRandom& random) const;

  std::vector<Fraction256> thresholds_;      // F(0), F(1), ... but the last, which is 1
  std::vector<std::uint64_t> first_words_;   // of the thresholds; the end is marked by the largest word
  std::array<std::uint16_t, 2048> guide_{};  // the least k that a word with these leading bits may have
};

}  // namespace synod
