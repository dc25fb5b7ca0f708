// The outer form of everything on a link (inside TLS), little-endian:
//
//   magic "SYN1" | type u16 | flags u16 | control_bytes u32 | bulk_bytes u32 | sequence u64       24 bytes
//   control (Protobuf) | zero padding to 16 | bulk (FlatBuffers)
//
// `type` is the number of the control message (codec.h); flags are 0. Header, control and padding together are a
// multiple of 16, and so is the bulk: everything in a stream of frames is aligned. Sequence numbers count up from 0 in
// each direction; any other number is an error. Sizes are checked before anything is allocated.
#pragma once

#include <cstdint>
#include <optional>

#include "common/core/bytes.h"
#include "common/core/result.h"

namespace synod {

struct FrameView {
  std::uint16_t type = 0;
  std::uint64_t sequence = 0;
  ByteView control;
  ByteView bulk;
};

// Appends a frame to `out`.
void AppendFrame(std::uint16_t type, std::uint64_t sequence, ByteView control, ByteView bulk, Bytes& out);
// The same up to the bulk, which the caller sends behind it from where it lies.
void AppendFrameHead(std::uint16_t type, std::uint64_t sequence, ByteView control, std::size_t bulk_bytes, Bytes& out);

// Cuts a stream of bytes into frames. After an error every further call fails: a stream that is out of step cannot be
// trusted again. Holds at most one frame and what was fed since the last call of Next.
class FrameReader {
 public:
  // Takes bytes as they come.
  void Feed(ByteView bytes);
  // The same without a copy: the caller appends to this, and does nothing else with it, before the next call.
  Bytes& Intake();
  // The next whole frame, nothing if more bytes are needed; views are valid until the next call of Feed,
  // Intake or Next. The
  // bulk begins at a multiple of 16 in memory.
  Result<std::optional<FrameView>> Next();
  std::size_t buffered_bytes() const;

 private:
  Result<std::optional<FrameView>> Fail(std::string_view rule);

  Bytes buffer_;
  std::size_t begin_ = 0;
  std::uint64_t next_sequence_ = 0;
  bool failed_ = false;
};

}  // namespace synod
