#include "common/wire/frame.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "common/wire/limits.h"

namespace synod {
namespace {

constexpr std::uint32_t kMagic = 0x314E5953;  // "SYN1"

template <typename Integer>
void AppendLittleEndian(Integer value, Bytes& out) {
  for (std::size_t i = 0; i < sizeof value; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

template <typename Integer>
Integer LittleEndianAt(ByteView bytes, std::size_t at) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i) {
    value = static_cast<Integer>(value | (static_cast<Integer>(bytes[at + i]) << (8 * i)));
  }
  return value;
}

std::size_t PaddingAfter(std::size_t bytes) {
  return (limits::kBulkAlignment - bytes % limits::kBulkAlignment) % limits::kBulkAlignment;
}

struct Header {
  std::uint32_t magic;
  std::uint16_t type;
  std::uint16_t flags;
  std::uint32_t control_bytes;
  std::uint32_t bulk_bytes;
  std::uint64_t sequence;

  explicit Header(ByteView bytes)
      : magic(LittleEndianAt<std::uint32_t>(bytes, 0)),
        type(LittleEndianAt<std::uint16_t>(bytes, 4)),
        flags(LittleEndianAt<std::uint16_t>(bytes, 6)),
        control_bytes(LittleEndianAt<std::uint32_t>(bytes, 8)),
        bulk_bytes(LittleEndianAt<std::uint32_t>(bytes, 12)),
        sequence(LittleEndianAt<std::uint64_t>(bytes, 16)) {}
};

}  // namespace

void AppendFrameHead(std::uint16_t type, std::uint64_t sequence, ByteView control, std::size_t bulk_bytes, Bytes& out) {
  SYNOD_CHECK(control.size() <= limits::kMaxControlBytes && bulk_bytes <= limits::kMaxBulkBytes,
              "a frame is within its limits");
  SYNOD_CHECK(bulk_bytes % limits::kBulkAlignment == 0, "bulk is a multiple of its alignment");
  AppendLittleEndian(kMagic, out);
  AppendLittleEndian(type, out);
  AppendLittleEndian(std::uint16_t{0}, out);
  AppendLittleEndian(static_cast<std::uint32_t>(control.size()), out);
  AppendLittleEndian(static_cast<std::uint32_t>(bulk_bytes), out);
  AppendLittleEndian(sequence, out);
  out.insert(out.end(), control.begin(), control.end());
  out.insert(out.end(), PaddingAfter(limits::kFrameHeaderBytes + control.size()), 0);
}

void AppendFrame(std::uint16_t type, std::uint64_t sequence, ByteView control, ByteView bulk, Bytes& out) {
  AppendFrameHead(type, sequence, control, bulk.size(), out);
  out.insert(out.end(), bulk.begin(), bulk.end());
}

Bytes& FrameReader::Intake() {
  if (failed_) buffer_.clear();
  if (begin_ > 0) {
    // What is left is less than a frame; a whole frame is moved at most once, all others never.
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  return buffer_;
}

void FrameReader::Feed(ByteView bytes) {
  if (failed_) return;
  Bytes& buffer = Intake();
  buffer.insert(buffer.end(), bytes.begin(), bytes.end());
}

std::size_t FrameReader::buffered_bytes() const {
  return failed_ ? 0 : buffer_.size() - begin_;
}

Result<std::optional<FrameView>> FrameReader::Fail(std::string_view rule) {
  failed_ = true;
  buffer_ = {};
  begin_ = 0;
  return BadInput("frame: " + std::string(rule));
}

Result<std::optional<FrameView>> FrameReader::Next() {
  if (failed_) return BadInput("frame: the stream is out of step");
  const ByteView rest = ByteView(buffer_).subspan(begin_);
  if (rest.size() < limits::kFrameHeaderBytes) return std::optional<FrameView>();
  const Header header(rest);
  if (header.magic != kMagic) return Fail("wrong magic");
  if (header.flags != 0) return Fail("unknown flags");
  if (header.control_bytes > limits::kMaxControlBytes) return Fail("control is over its limit");
  if (header.bulk_bytes > limits::kMaxBulkBytes) return Fail("bulk is over its limit");
  if (header.bulk_bytes % limits::kBulkAlignment != 0) return Fail("bulk is not a multiple of 16 bytes");
  if (header.sequence != next_sequence_) return Fail("wrong sequence number");
  const std::size_t padding_at = limits::kFrameHeaderBytes + header.control_bytes;
  const std::size_t bulk_at = padding_at + PaddingAfter(padding_at);
  const std::size_t frame_bytes = bulk_at + header.bulk_bytes;
  if (rest.size() < frame_bytes) {
    buffer_.reserve(begin_ + frame_bytes);
    return std::optional<FrameView>();
  }
  const ByteView padding = rest.subspan(padding_at, bulk_at - padding_at);
  if (std::any_of(padding.begin(), padding.end(), [](std::uint8_t byte) { return byte != 0; })) {
    return Fail("padding is not zero");
  }
  begin_ += frame_bytes;
  ++next_sequence_;
  return std::optional<FrameView>(FrameView{header.type, header.sequence,
                                            rest.subspan(limits::kFrameHeaderBytes, header.control_bytes),
                                            rest.subspan(bulk_at, header.bulk_bytes)});
}

}  // namespace synod
