// Where one site's masked vector is collected. Only a complete vector whose tag is right may be added to the
// accumulator: half of one could not be taken out again. The buffer has the size of the vector and is handed from site
// to site; how many there are bounds the coordinator's memory, whatever N is. Threads: one at a time.
#pragma once

#include <cstdint>

#include "common/core/bytes.h"
#include "secure_agg/messages.h"

namespace synod::secure_agg {

class UploadSlot {
 public:
  UploadSlot(std::uint64_t vector_bytes, SiteIndex site);

  enum class Taken { kYes, kRepeated, kAhead, kWrongLength };

  SiteIndex site() const { return site_; }
  // Chunks come in order; one that was there before is dropped, so is one ahead of its turn.
  Taken Take(std::uint32_t index, ByteView words);
  std::uint32_t next_chunk() const { return next_chunk_; }
  bool complete() const { return filled_ == vector_bytes_; }
  // Whether the words, which are complete, have this tag; in constant time.
  bool Matches(const Poly1305::Key& key, const Poly1305::Tag& tag) const;
  ByteView words() const { return words_; }
  // Empties the slot for another site.
  void Reset(SiteIndex site);

 private:
  std::uint64_t vector_bytes_;
  Bytes words_;  // empty until the first chunk
  std::uint64_t filled_ = 0;
  SiteIndex site_;
  std::uint32_t next_chunk_ = 0;
};

}  // namespace synod::secure_agg
