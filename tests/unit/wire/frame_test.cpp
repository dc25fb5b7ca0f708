#include "common/wire/frame.h"

#include <gtest/gtest.h>

#include <random>

#include "common/core/hex.h"
#include "common/wire/chunk.h"
#include "common/wire/limits.h"

namespace synod {
namespace {

Bytes Filled(std::size_t size, std::uint8_t value) {
  return Bytes(size, value);
}

TEST(Frame, BytesAreFixedForEver) {
  Bytes out;
  AppendFrame(0x0121, 2, Bytes{1, 2, 3}, Filled(16, 0xbb), out);
  EXPECT_EQ(ToHex(out),
            "53594e31"
            "2101"
            "0000"
            "03000000"
            "10000000"
            "0200000000000000"
            "010203"
            "0000000000"
            "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
}

TEST(Frame, ComesBackHoweverTheStreamIsCut) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    Bytes stream;
    std::vector<std::pair<std::size_t, std::size_t>> sizes;
    for (std::uint64_t i = 0; i < 8; ++i) {
      sizes.emplace_back(random() % 100, 16 * (random() % 300));
      AppendFrame(static_cast<std::uint16_t>(i), i, Filled(sizes[i].first, 0xc0), Filled(sizes[i].second, 0xb0),
                  stream);
    }
    FrameReader reader;
    std::size_t frames = 0;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 500, stream.size() - at);
      reader.Feed(ByteView(stream).subspan(at, size));
      at += size;
      for (;;) {
        const auto frame = reader.Next();
        ASSERT_TRUE(frame.ok());
        if (!frame->has_value()) break;
        EXPECT_EQ((*frame)->type, frames);
        EXPECT_EQ((*frame)->control.size(), sizes[frames].first);
        EXPECT_EQ((*frame)->bulk.size(), sizes[frames].second);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>((*frame)->bulk.data()) % limits::kBulkAlignment, 0u);
        ++frames;
      }
    }
    EXPECT_EQ(frames, 8u);
    EXPECT_EQ(reader.buffered_bytes(), 0u);
  }
}

TEST(Frame, AfterAnErrorNothingIsTakenAnyMore) {
  Bytes good;
  AppendFrame(1, 0, Bytes{1}, {}, good);
  FrameReader reader;
  reader.Feed(Filled(24, 0));
  EXPECT_FALSE(reader.Next().ok());
  reader.Feed(good);
  EXPECT_FALSE(reader.Next().ok());
  EXPECT_EQ(reader.buffered_bytes(), 0u);
}

TEST(Frame, EveryBitOfAHeaderAndThePaddingMatters) {
  Bytes good;
  AppendFrame(33, 0, Filled(5, 0xc0), Filled(32, 0xb0), good);
  const std::size_t padding_end = 32;
  for (std::size_t at = 0; at < padding_end; ++at) {
    if (at >= 4 && at < 6) continue;    // the type is compared with the control message
    if (at >= 24 && at < 29) continue;  // the control message itself
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes altered = good;
      altered[at] = static_cast<std::uint8_t>(altered[at] ^ (1u << bit));
      FrameReader reader;
      reader.Feed(altered);
      const auto frame = reader.Next();
      // An altered length makes another frame, or one that is not complete.
      const bool same =
          frame.ok() && frame->has_value() && (*frame)->control.size() == 5 && (*frame)->bulk.size() == 32;
      EXPECT_FALSE(same) << at << " " << bit;
    }
  }
}

TEST(Frame, SizesAreCheckedBeforeAnythingIsWaitedFor) {
  for (const std::size_t at : {std::size_t{11}, std::size_t{15}}) {
    Bytes frame;
    AppendFrame(1, 0, {}, {}, frame);
    frame[at] = 0xff;
    FrameReader reader;
    reader.Feed(ByteView(frame).first(limits::kFrameHeaderBytes));
    EXPECT_FALSE(reader.Next().ok());
  }
}

TEST(Chunk, ComesBackAsItWas) {
  ChunkWriter writer;
  for (const std::size_t size : {std::size_t{1}, std::size_t{17}, std::size_t{4096}, limits::kChunkBytes}) {
    const Bytes data = Filled(size, 0xd0);
    const ByteView written = writer.Write({7, 5, 5 + size, data});
    EXPECT_LE(written.size(), limits::kMaxBulkBytes);
    const Result<ChunkView> read = ReadChunk(written);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->transfer, 7u);
    EXPECT_EQ(read->offset, 5u);
    EXPECT_EQ(read->total, 5 + size);
    EXPECT_TRUE(std::equal(read->data.begin(), read->data.end(), data.begin(), data.end()));
  }
}

TEST(Chunk, HeadAndTailAroundTheDataAreTheWholeForm) {
  ChunkWriter writer;
  for (const std::size_t size : {std::size_t{1}, std::size_t{16}, std::size_t{4099}, limits::kChunkBytes}) {
    const Bytes data = Filled(size, 0xd0);
    for (const std::optional<Digest>& digest : {std::optional<Digest>(), std::optional<Digest>(Digest{1, 2, 3})}) {
      const ChunkView chunk{7, 5, 5 + size, data, digest};
      const ByteView written = writer.Write(chunk);
      const Bytes whole(written.begin(), written.end());
      const ChunkWriter::Around around = writer.WriteAround(chunk);
      Bytes pieces(around.head.begin(), around.head.end());
      EXPECT_EQ(pieces.size() % limits::kBulkAlignment, 0u);
      pieces.insert(pieces.end(), data.begin(), data.end());
      pieces.insert(pieces.end(), around.tail.begin(), around.tail.end());
      EXPECT_EQ(pieces, whole);
      const Result<ChunkView> read = ReadChunk(written);
      ASSERT_TRUE(read.ok());
      EXPECT_EQ(read->sha256, digest);
    }
  }
}

TEST(Chunk, DataBeyondTheEndOfItsPayloadIsRefused) {
  ChunkWriter writer;
  EXPECT_FALSE(ReadChunk(writer.Write({1, 5, 9, Filled(5, 1)})).ok());
  EXPECT_FALSE(ReadChunk(writer.Write({1, ~std::uint64_t{0}, ~std::uint64_t{0}, Filled(1, 1)})).ok());
  EXPECT_FALSE(ReadChunk(writer.Write({1, 10, 9, Filled(1, 1)})).ok());
}

TEST(Chunk, NoAlterationReadsOutsideTheBuffer) {
  ChunkWriter writer;
  const ByteView written = writer.Write({3, 64, 1000, Filled(100, 0xd0)});
  for (std::size_t at = 0; at < written.size(); ++at) {
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      Bytes altered(written.begin(), written.end());
      altered[at] = static_cast<std::uint8_t>(value);
      const Result<ChunkView> read = ReadChunk(altered);
      if (!read.ok() || read->data.empty()) continue;
      EXPECT_GE(read->data.data(), altered.data());
      EXPECT_LE(read->data.data() + read->data.size(), altered.data() + altered.size());
    }
  }
  for (std::size_t size = 0; size < written.size(); ++size) {
    static_cast<void>(ReadChunk(Bytes(written.begin(), written.begin() + static_cast<std::ptrdiff_t>(size))));
  }
}

}  // namespace
}  // namespace synod
