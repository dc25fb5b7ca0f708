// SHA-256 of payloads that go to several peers: computed once for each. Threads: one.
#pragma once

#include <memory>
#include <vector>

#include "common/core/bytes.h"

namespace synod {

class PayloadDigests {
 public:
  Digest Of(const std::shared_ptr<const Bytes>& payload);

 private:
  static constexpr std::size_t kMaxEntries = 16;
  struct Entry {
    std::weak_ptr<const Bytes> payload;  // does not keep it alive
    Digest digest;
  };
  std::vector<Entry> entries_;  // oldest first
};

}  // namespace synod
