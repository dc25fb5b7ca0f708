// The total of masked answers after secure aggregation took the masks off: exactly the sum, modulo 2^bits, of what the
// sites of the survivor set put in. Only the protocol makes one; SumAccumulator::Open turns it into the NoisySum.
#pragma once

#include <cstdint>
#include <utility>

#include "common/core/bytes.h"
#include "common/query/sums.h"

namespace synod::secure_agg {
class ServerUnmask;
}  // namespace synod::secure_agg

namespace synod {

class OpenedSum {
 public:
  OpenedSum(OpenedSum&&) noexcept = default;
  OpenedSum& operator=(OpenedSum&&) noexcept = default;

  WordBits bits() const { return bits_; }
  std::uint64_t dimension() const { return words_.size() / (static_cast<std::size_t>(bits_) / 8); }
  std::uint32_t answers() const { return answers_; }
  const Bytes& words() const& { return words_; }  // little-endian
  Bytes words() && { return std::move(words_); }

 private:
  friend class secure_agg::ServerUnmask;
  OpenedSum(Bytes words, WordBits bits, std::uint32_t answers)
      : words_(std::move(words)), bits_(bits), answers_(answers) {}

  Bytes words_;
  WordBits bits_;
  std::uint32_t answers_;
};

}  // namespace synod
