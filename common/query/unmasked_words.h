// A noised sum as words modulo 2^bits, on its short way to the masking of its own site: from the worker that computed
// it over the local pair, or within one process. Its one share of the noise does not protect it, so it has no encoder
// to the wire, cannot be copied or printed, and is wiped; what may be sent is made of it by secure_agg::MaskedVector.
#pragma once

#include <cstdint>
#include <ostream>

#include "common/core/bytes.h"
#include "common/core/result.h"
#include "common/crypto/secret_bytes.h"
#include "common/query/sums.h"

namespace synod::secure_agg {
class MaskedVector;
}  // namespace synod::secure_agg

namespace synod {

class UnmaskedWords {
 public:
  UnmaskedWords(NoisedSum&& sum, WordBits bits);

  // The bytes for the local pair between a worker and its own daemon, and for nothing else.
  static Bytes EncodeForLocalPair(NoisedSum&& sum, WordBits bits);
  // From those bytes, which are taken. BadInput on a wrong length.
  static Result<UnmaskedWords> FromLocalPair(Bytes&& words, WordBits bits, std::uint64_t dimension);

  UnmaskedWords(UnmaskedWords&&) noexcept = default;
  UnmaskedWords& operator=(UnmaskedWords&&) noexcept = default;

  WordBits bits() const { return bits_; }
  std::uint64_t dimension() const { return words_.size() / (static_cast<std::size_t>(bits_) / 8); }

  friend std::ostream& operator<<(std::ostream&, const UnmaskedWords&) = delete;

 private:
  friend class secure_agg::MaskedVector;
  UnmaskedWords(SecretBytes words, WordBits bits) : words_(std::move(words)), bits_(bits) {}

  SecretBytes words_;
  WordBits bits_;
};

}  // namespace synod
