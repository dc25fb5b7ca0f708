#include "secure_agg/masked_vector.h"

#include <algorithm>

#include "common/core/check.h"
#include "secure_agg/messages.h"

namespace synod::secure_agg {

MaskedVector::MaskedVector(UnmaskedWords&& words, const std::vector<Mask>& masks, const Poly1305::Key& tag_key)
    : words_(std::move(words.words_)), masks_(masks, words.bits_), tag_key_(tag_key), running_(tag_key) {
  SYNOD_CHECK(words_.size() > 0 && masks.size() > 1, "an identity mask is not a mask");
}

std::uint32_t MaskedVector::chunks() const {
  return static_cast<std::uint32_t>((words_.size() + kChunkBytes - 1) / kChunkBytes);
}

ByteView MaskedVector::Chunk(std::uint32_t index) {
  SYNOD_CHECK(index < chunks(), "a chunk beyond the vector");
  const std::uint64_t begin = std::uint64_t{index} * kChunkBytes;
  const std::uint64_t end = std::min<std::uint64_t>(begin + kChunkBytes, words_.size());
  while (masked_ < end) {
    const std::uint64_t size = std::min<std::uint64_t>(kChunkBytes, words_.size() - masked_);
    const std::span<std::uint8_t> piece = words_.bytes().subspan(masked_, size);
    masks_.AddTo(piece);
    running_.Update(piece);
    masked_ += size;
  }
  return words_.view().subspan(begin, end - begin);
}

Poly1305::Tag MaskedVector::Tag() {
  static_cast<void>(Chunk(chunks() - 1));
  if (!tag_) tag_ = running_.Finish();
  return *tag_;
}

}  // namespace synod::secure_agg
