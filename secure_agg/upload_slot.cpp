#include "secure_agg/upload_slot.h"

#include <algorithm>

#include "common/core/check.h"
#include "common/crypto/secret_bytes.h"

namespace synod::secure_agg {

UploadSlot::UploadSlot(std::uint64_t vector_bytes, SiteIndex site) : vector_bytes_(vector_bytes), site_(site) {}

UploadSlot::Taken UploadSlot::Take(std::uint32_t index, ByteView words) {
  if (index < next_chunk_) return Taken::kRepeated;
  const std::uint64_t due = std::min<std::uint64_t>(kChunkBytes, vector_bytes_ - filled_);
  if (due == 0) return Taken::kWrongLength;  // beyond the end
  if (index > next_chunk_) return Taken::kAhead;
  if (words.size() != due) return Taken::kWrongLength;
  words_.resize(vector_bytes_);
  std::copy(words.begin(), words.end(), words_.begin() + static_cast<std::ptrdiff_t>(filled_));
  filled_ += due;
  ++next_chunk_;
  return Taken::kYes;
}

bool UploadSlot::Matches(const Poly1305::Key& key, const Poly1305::Tag& tag) const {
  SYNOD_CHECK(complete(), "the tag of half a vector");
  Poly1305 mac(key);
  mac.Update(words_);
  return EqualInConstantTime(mac.Finish(), tag);
}

void UploadSlot::Reset(SiteIndex site) {
  site_ = site;
  filled_ = 0;
  next_chunk_ = 0;
}

}  // namespace synod::secure_agg
