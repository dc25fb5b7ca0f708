// The only form in which a site's noised sum leaves it: with its self mask and one mask for each peer, every word
// uniform to whoever lacks one of the seeds (Bonawitz et al. 2017, section 4).
//
//   y = x + PRG(self) + sum over peers v above this site of PRG(pair) - sum over peers v below of PRG(pair)  mod 2^bits
//
// The words are masked chunk by chunk when they are first asked for, in the buffer that held the noised sum; a masked
// chunk never changes again, so that an upload that is repeated repeats the same bytes. Threads: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/crypto/poly1305.h"
#include "common/query/unmasked_words.h"
#include "secure_agg/mask_stream.h"

namespace synod::secure_agg {

class MaskedVector {
 public:
  // `tag_key` is fresh for this vector.
  MaskedVector(UnmaskedWords&& words, const std::vector<Mask>& masks, const Poly1305::Key& tag_key);
  MaskedVector(MaskedVector&&) noexcept = default;
  MaskedVector& operator=(MaskedVector&&) noexcept = default;

  std::uint64_t bytes() const { return words_.size(); }
  std::uint32_t chunks() const;
  // Masks up to and including this chunk where that is not done yet. Valid as long as the vector. index < chunks().
  ByteView Chunk(std::uint32_t index);
  // Of all words; masks what is not yet masked.
  Poly1305::Tag Tag();
  const Poly1305::Key& tag_key() const { return tag_key_; }

 private:
  SecretBytes words_;  // the first masked_ bytes are masked
  MaskStreams masks_;
  Poly1305::Key tag_key_;
  Poly1305 running_;
  std::optional<Poly1305::Tag> tag_;
  std::uint64_t masked_ = 0;
};

}  // namespace synod::secure_agg
