// Control messages to bytes and back. One value has one encoding: bytes that any other writer would spell differently
// (unknown fields, fields in another order, explicit defaults) are refused, and so is a value outside its range, a text
// that is not UTF-8, or more of anything than limits.h allows. What is refused in reading cannot be written either.
// Threads: free functions without state.
#pragma once

#include <cstdint>
#include <optional>

#include "common/core/bytes.h"
#include "common/core/result.h"
#include "common/wire/messages.h"

namespace synod {

// What follows a message with a payload. Its first bytes ride with the message's own frame, all others in frames of
// type kChunkFrame; the last ones come with the payload's digest.
struct PayloadHeader {
  std::uint64_t transfer = 0;  // counts up from 0 in each direction of a link
  std::uint64_t total_bytes = 0;
  bool operator==(const PayloadHeader&) const = default;
};

struct Control {
  Message message;
  std::optional<PayloadHeader> payload;
  bool operator==(const Control&) const = default;
};

// How many bytes of frames the sender of this has taken since the link opened: what it allows the other side to have
// under way. Links answer it themselves.
struct Credit {
  std::uint64_t received_bytes = 0;
  bool operator==(const Credit&) const = default;
};

// What the receiver of a payload still holds of it from a link that was cut: its sender may go on behind these bytes if
// its own are the same.
struct Resume {
  std::uint64_t transfer = 0;  // as its PayloadHeader counts it
  std::uint64_t bytes = 0;     // whole chunks, less than all
  Digest chunks{};             // of these bytes: SHA-256 over the SHA-256 of each chunk
  bool operator==(const Resume&) const = default;
};

// Types of frames without a message.
inline constexpr std::uint16_t kCreditFrame = 4;
inline constexpr std::uint16_t kChunkFrame = 5;
inline constexpr std::uint16_t kResumeFrame = 6;

// The type of the frame that carries `message`. The numbers never change.
std::uint16_t FrameType(const Message& message);

Result<Bytes> EncodeControl(const Control& control);
inline Result<Bytes> EncodeControl(const Message& message) {
  return EncodeControl(Control{message, std::nullopt});
}
// BadInput names the message and the field, never a value.
Result<Control> DecodeControl(std::uint16_t type, ByteView bytes);

Bytes EncodeCredit(const Credit& credit);
Result<Credit> DecodeCredit(ByteView bytes);
Bytes EncodeResume(const Resume& resume);
Result<Resume> DecodeResume(ByteView bytes);

}  // namespace synod
