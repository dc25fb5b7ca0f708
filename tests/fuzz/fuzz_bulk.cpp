// A chunk: every byte that a view shows is read.
#include <numeric>

#include "common/wire/chunk.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const synod::Bytes aligned(data, data + size);
  const synod::Result<synod::ChunkView> chunk = synod::ReadChunk(aligned);
  if (!chunk.ok()) return 0;
  SYNOD_CHECK(chunk->offset <= chunk->total && chunk->data.size() <= chunk->total - chunk->offset,
              "a chunk lies within its payload");
  const unsigned sum = std::accumulate(chunk->data.begin(), chunk->data.end(), 0u);
  return sum == 0xffffffff ? 1 : 0;
}
