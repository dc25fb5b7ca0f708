// The ladder of sums. Each step has exactly one maker, and only the last steps have bytes:
//
//   ClippedSum     real, no noise       made by ClippedSummer
//   GridSum        integers, no noise   made by Grid::Encode
//   NoisedSum      integers + noise     made by NoiseShare::Add
//   StandaloneSum  a NoisedSum whose own noise meets the whole target; has an encoder
//   UnmaskedWords  a NoisedSum on its way to the masking of its own site (unmasked_words.h)
//   MaskedVector   the same under masks; may leave the site (secure_agg/masked_vector.h)
//   OpenedSum      the total of masked vectors, made by the protocol alone (opened_sum.h)
//   NoisySum       the coordinator's total, made by SumAccumulator
//
// The first three cannot be copied, printed, read or encoded by anyone but the maker of the next step.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "common/core/bytes.h"

namespace synod {

enum class WordBits : std::uint8_t { k32 = 32, k64 = 64 };  // answers travel modulo 2^32 or 2^64

// Sum of clipped vectors over the drawn units of one site. Secret.
class ClippedSum {
 public:
  ClippedSum(ClippedSum&&) noexcept = default;
  ClippedSum& operator=(ClippedSum&&) noexcept = default;
  std::size_t dimension() const { return values_.size(); }

 private:
  friend class ClippedSummer;
  friend class Grid;
  ClippedSum(std::vector<double> values, double clip) : values_(std::move(values)), clip_(clip) {}

  std::vector<double> values_;
  double clip_;
};

// The same on the integer grid. Secret.
class GridSum {
 public:
  GridSum(GridSum&&) noexcept = default;
  GridSum& operator=(GridSum&&) noexcept = default;
  std::size_t dimension() const { return values_.size(); }

 private:
  friend class Grid;
  friend class NoiseShare;
  GridSum(std::vector<std::int64_t> values, double sensitivity)
      : values_(std::move(values)), sensitivity_(sensitivity) {}

  std::vector<std::int64_t> values_;
  double sensitivity_;
};

// With this site's share of the noise: safe to combine with the shares of `honest_shares` - 1 others, not alone.
class NoisedSum {
 public:
  NoisedSum(NoisedSum&&) noexcept = default;
  NoisedSum& operator=(NoisedSum&&) noexcept = default;
  std::size_t dimension() const { return values_.size(); }
  std::uint32_t honest_shares() const { return honest_shares_; }

 private:
  friend class NoiseShare;
  friend class StandaloneSum;
  friend class SumAccumulator;
  friend class UnmaskedWords;
  NoisedSum(std::vector<std::int64_t> values, std::uint32_t honest_shares)
      : values_(std::move(values)), honest_shares_(honest_shares) {}

  std::vector<std::int64_t> values_;
  std::uint32_t honest_shares_;
};

// An answer that is private on its own: its one share is the whole noise (a single site, or aggregation none). A
// simulation's trusted curator adds up the shares of all sites instead.
class StandaloneSum {
 public:
  // `sum.honest_shares()` must be 1 (our own duty).
  explicit StandaloneSum(NoisedSum&& sum);
  StandaloneSum(StandaloneSum&&) noexcept = default;
  StandaloneSum& operator=(StandaloneSum&&) noexcept = default;
  std::size_t dimension() const { return values_.size(); }

  // Little-endian words, each coordinate modulo 2^bits.
  Bytes Encode(WordBits bits) const;

 private:
  friend class SumAccumulator;
  std::vector<std::int64_t> values_;
};

// What the coordinator may look at.
class NoisySum {
 public:
  NoisySum(NoisySum&&) noexcept = default;
  NoisySum& operator=(NoisySum&&) noexcept = default;
  std::span<const double> values() const& { return values_; }  // in units of the vector, centred
  std::span<const double> values() const&& = delete;           // it would outlive the sum
  std::uint32_t answers() const { return answers_; }
  // The total as words, which a SumAccumulator reads back: what a coordinator stores before it goes on.
  const Bytes& words() const& { return words_; }
  Bytes words() && { return std::move(words_); }

 private:
  friend class SumAccumulator;
  NoisySum(std::vector<double> values, Bytes words, std::uint32_t answers)
      : values_(std::move(values)), words_(std::move(words)), answers_(answers) {}

  std::vector<double> values_;
  Bytes words_;
  std::uint32_t answers_;
};

}  // namespace synod
