#include "common/net/payload_digests.h"

#include "common/core/check.h"
#include "common/wire/limits.h"

namespace synod {

Digest PrefixDigest(ByteView bytes) {
  return PayloadDigest().PrefixDigestOf(bytes, bytes.size());
}

Digest PayloadDigest::PrefixDigestOf(ByteView payload, std::uint64_t bytes) {
  SYNOD_CHECK(bytes % limits::kChunkBytes == 0 && bytes <= payload.size(), "a prefix is whole chunks of its payload");
  const std::size_t count = bytes / limits::kChunkBytes;
  while (chunks_.size() < count) {
    chunks_.push_back(Sha256(payload.subspan(chunks_.size() * limits::kChunkBytes, limits::kChunkBytes)));
  }
  Sha256Hasher hasher;
  for (std::size_t i = 0; i < count; ++i) hasher.Update(chunks_[i]);
  return hasher.Finish();
}

std::optional<Digest> PayloadDigest::HashUpTo(ByteView payload, std::uint64_t end) {
  if (end > hashed_bytes_) {
    hasher_.Update(payload.subspan(hashed_bytes_, end - hashed_bytes_));
    hashed_bytes_ = end;
  }
  if (end < payload.size()) return std::nullopt;
  if (!digest_) digest_ = hasher_.Finish();
  return digest_;
}

std::shared_ptr<PayloadDigest> PayloadDigests::Of(const std::shared_ptr<const Bytes>& payload) {
  std::erase_if(entries_, [](const Entry& entry) { return entry.payload.expired(); });
  for (const Entry& entry : entries_) {
    if (entry.payload.lock() == payload) return entry.digest;
  }
  if (entries_.size() == kMaxEntries) entries_.erase(entries_.begin());
  entries_.push_back({payload, std::make_shared<PayloadDigest>()});
  return entries_.back().digest;
}

}  // namespace synod
