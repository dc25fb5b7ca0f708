#include "common/net/payload_digests.h"

#include "common/crypto/sha256.h"

namespace synod {

Digest PayloadDigests::Of(const std::shared_ptr<const Bytes>& payload) {
  std::erase_if(entries_, [](const Entry& entry) { return entry.payload.expired(); });
  for (const Entry& entry : entries_) {
    if (entry.payload.lock() == payload) return entry.digest;
  }
  if (entries_.size() == kMaxEntries) entries_.erase(entries_.begin());
  entries_.push_back({payload, Sha256(*payload)});
  return entries_.back().digest;
}

}  // namespace synod
