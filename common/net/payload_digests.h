// SHA-256 of payloads that go to several peers: computed once for each, chunk by chunk as the first of them needs it,
// so that nothing waits for the digest of a large payload. Threads: one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "common/core/bytes.h"
#include "common/crypto/sha256.h"

namespace synod {

// SHA-256 over the SHA-256 of each chunk of `bytes`, which are whole chunks. Other than the digest of the bytes
// themselves, those of all prefixes of a payload come of one pass over it.
Digest PrefixDigest(ByteView bytes);

class PayloadDigest {
 public:
  // `payload` is the same one in every call; its bytes up to `end` are needed now. Gives the digest with the last byte.
  std::optional<Digest> HashUpTo(ByteView payload, std::uint64_t end);
  // PrefixDigest of the first `bytes` of `payload`: whichever peer asks, each chunk is hashed once.
  Digest PrefixDigestOf(ByteView payload, std::uint64_t bytes);

 private:
  Sha256Hasher hasher_;
  std::uint64_t hashed_bytes_ = 0;
  std::optional<Digest> digest_;
  std::vector<Digest> chunks_;
};

class PayloadDigests {
 public:
  std::shared_ptr<PayloadDigest> Of(const std::shared_ptr<const Bytes>& payload);

 private:
  static constexpr std::size_t kMaxEntries = 16;
  struct Entry {
    std::weak_ptr<const Bytes> payload;  // does not keep it alive
    std::shared_ptr<PayloadDigest> digest;
  };
  std::vector<Entry> entries_;  // oldest first
};

}  // namespace synod
