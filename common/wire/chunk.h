// Pieces of payloads in their FlatBuffers form.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "common/core/bytes.h"
#include "common/core/result.h"

namespace synod {

// Views: valid as long as the bytes they were read from or will be written from.
struct ChunkView {
  std::uint64_t transfer = 0;
  std::uint64_t offset = 0;
  std::uint64_t total = 0;
  ByteView data;                                // 1 to limits::kChunkBytes; offset + size is at most `total`
  std::optional<Digest> sha256 = std::nullopt;  // of the whole payload
};

// Writes chunks; its memory is used again for the next one. Threads: one.
class ChunkWriter {
 public:
  ChunkWriter();
  ~ChunkWriter();
  ChunkWriter(ChunkWriter&&) noexcept;
  ChunkWriter& operator=(ChunkWriter&&) noexcept;

  // Valid until the next call. A multiple of limits::kBulkAlignment long.
  ByteView Write(const ChunkView& chunk);

  // What comes before and behind the data, which stays where it is.
  struct Around {
    ByteView head;
    ByteView tail;
  };
  // head | chunk.data | tail is what Write gives. Valid until the next call.
  Around WriteAround(const ChunkView& chunk);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Verifies depth, number of tables and every offset before a field is read. `bulk` begins at a multiple of
// limits::kBulkAlignment in memory.
Result<ChunkView> ReadChunk(ByteView bulk);

}  // namespace synod
