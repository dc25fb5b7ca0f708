// Key streams that are added to vectors of words. A seed of 32 bytes gives AES-256-CTR from counter 0, whose bytes are
// little-endian words: uniform modulo 2^32 and 2^64, and computable from any position. One seed masks one vector.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/crypto/aes_ctr.h"
#include "common/crypto/secret_bytes.h"
#include "common/query/sums.h"

namespace synod::secure_agg {

enum class MaskSign : std::uint8_t { kAdd, kSubtract };

struct Mask {
  SecretBytes seed;
  MaskSign sign = MaskSign::kAdd;
};

// Adds masks to consecutive pieces of one vector. Move-only; the seeds are not kept, only the key schedules.
class MaskStreams {
 public:
  // `first_byte`: where in the vector the first piece begins.
  MaskStreams(const std::vector<Mask>& masks, WordBits bits, std::uint64_t first_byte = 0);

  // The next bytes of the vector, a multiple of the word's size.
  void AddTo(std::span<std::uint8_t> words);

 private:
  struct Stream {
    AesCtrStream stream;
    MaskSign sign;
  };
  std::vector<Stream> streams_;
  SecretBytes block_;  // the key stream that is being added
  WordBits bits_;
};

// target += source modulo 2^bits, word by word; equal lengths.
void AddWordsInPlace(std::span<std::uint8_t> target, ByteView source, WordBits bits);

}  // namespace synod::secure_agg
