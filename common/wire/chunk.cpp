#include "common/wire/chunk.h"

#include <wire_generated/bulk_generated.h>

#include <algorithm>
#include <cstring>

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

ChunkWriter::Around ChunkWriter::WriteAround(const ChunkView& chunk) {
  SYNOD_CHECK(!chunk.data.empty() && chunk.data.size() <= limits::kChunkBytes, "a chunk has a size within its limit");
  flatbuffers::FlatBufferBuilder& builder = state_->builder;
  builder.Clear();
  // What is made first lies last, so that only padding comes behind the data. Its place is left as it is.
  builder.ForceVectorAlignment(chunk.data.size(), sizeof(std::uint8_t), limits::kBulkAlignment);
  std::uint8_t* place = nullptr;
  const auto data = builder.CreateUninitializedVector<std::uint8_t>(chunk.data.size(), &place);
  flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> sha256;
  if (chunk.sha256) sha256 = builder.CreateVector(chunk.sha256->data(), chunk.sha256->size());
  builder.Finish(bulk::CreateChunk(builder, chunk.transfer, chunk.offset, chunk.total, data, sha256),
                 bulk::ChunkIdentifier());
  SYNOD_CHECK(builder.GetSize() <= limits::kMaxBulkBytes && builder.GetSize() % limits::kBulkAlignment == 0,
              "the form of a chunk fits a frame");
  const ByteView form(builder.GetBufferPointer(), builder.GetSize());
  const auto data_at = static_cast<std::size_t>(bulk::GetChunk(form.data())->data()->data() - form.data());
  return {form.first(data_at), form.subspan(data_at + chunk.data.size())};
}

ByteView ChunkWriter::Write(const ChunkView& chunk) {
  const Around around = WriteAround(chunk);
  std::memcpy(state_->builder.GetBufferPointer() + around.head.size(), chunk.data.data(), chunk.data.size());
  return {state_->builder.GetBufferPointer(), state_->builder.GetSize()};
}

Result<ChunkView> ReadChunk(ByteView bulk) {
  if (bulk.size() > limits::kMaxBulkBytes) return BadInput("a chunk that is too large");
  SYNOD_CHECK(reinterpret_cast<std::uintptr_t>(bulk.data()) % limits::kBulkAlignment == 0,
              "bulk begins at an aligned address");
  flatbuffers::Verifier verifier(bulk.data(), bulk.size(), kMaxDepth, kMaxTables);
  if (!bulk::VerifyChunkBuffer(verifier)) return BadInput("a chunk whose form is broken");
  const bulk::Chunk& form = *bulk::GetChunk(bulk.data());
  if (form.data() == nullptr || form.data()->size() == 0) return BadInput("a chunk without data");
  ChunkView chunk{form.transfer(), form.offset(), form.total(), {form.data()->data(), form.data()->size()}};
  if (chunk.data.size() > limits::kChunkBytes) return BadInput("a chunk with too much data");
  if (chunk.offset > chunk.total || chunk.data.size() > chunk.total - chunk.offset) {
    return BadInput("a chunk beyond the end of its payload");
  }
  if (form.sha256() != nullptr) {
    if (form.sha256()->size() != Digest{}.size()) return BadInput("a chunk with a digest of another length");
    std::copy(form.sha256()->begin(), form.sha256()->end(), chunk.sha256.emplace().begin());
  }
  return chunk;
}

}  // namespace synod
