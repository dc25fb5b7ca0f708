#include "common/wire/chunk.h"

#include <wire_generated/bulk_generated.h>

#include "common/wire/limits.h"

namespace synod {
namespace {

constexpr flatbuffers::uoffset_t kMaxDepth = 1;
constexpr flatbuffers::uoffset_t kMaxTables = 1;
constexpr std::size_t kAroundData = 256;

}  // namespace

struct ChunkWriter::State {
  flatbuffers::FlatBufferBuilder builder{limits::kChunkBytes + kAroundData};
};

ChunkWriter::ChunkWriter() : state_(std::make_unique<State>()) {}
ChunkWriter::~ChunkWriter() = default;
ChunkWriter::ChunkWriter(ChunkWriter&&) noexcept = default;
ChunkWriter& ChunkWriter::operator=(ChunkWriter&&) noexcept = default;

ByteView ChunkWriter::Write(const ChunkView& chunk) {
  SYNOD_CHECK(!chunk.data.empty() && chunk.data.size() <= limits::kChunkBytes, "a chunk has a size within its limit");
  flatbuffers::FlatBufferBuilder& builder = state_->builder;
  builder.Clear();
  builder.ForceVectorAlignment(chunk.data.size(), sizeof(std::uint8_t), limits::kBulkAlignment);
  const auto data = builder.CreateVector(chunk.data.data(), chunk.data.size());
  builder.Finish(bulk::CreateChunk(builder, chunk.transfer, chunk.offset, chunk.total, data), bulk::ChunkIdentifier());
  SYNOD_CHECK(builder.GetSize() <= limits::kMaxBulkBytes && builder.GetSize() % limits::kBulkAlignment == 0,
              "the form of a chunk fits a frame");
  return {builder.GetBufferPointer(), builder.GetSize()};
}

Result<ChunkView> ReadChunk(ByteView bulk) {
  if (bulk.size() > limits::kMaxBulkBytes) return BadInput("a chunk that is too large");
  SYNOD_CHECK(reinterpret_cast<std::uintptr_t>(bulk.data()) % limits::kBulkAlignment == 0,
              "bulk begins at an aligned address");
  flatbuffers::Verifier verifier(bulk.data(), bulk.size(), kMaxDepth, kMaxTables);
  if (!bulk::VerifyChunkBuffer(verifier)) return BadInput("a chunk whose form is broken");
  const bulk::Chunk& form = *bulk::GetChunk(bulk.data());
  if (form.data() == nullptr || form.data()->size() == 0) return BadInput("a chunk without data");
  const ChunkView chunk{form.transfer(), form.offset(), form.total(), {form.data()->data(), form.data()->size()}};
  if (chunk.data.size() > limits::kChunkBytes) return BadInput("a chunk with too much data");
  if (chunk.offset > chunk.total || chunk.data.size() > chunk.total - chunk.offset) {
    return BadInput("a chunk beyond the end of its payload");
  }
  return chunk;
}

}  // namespace synod
