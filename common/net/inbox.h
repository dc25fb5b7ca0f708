// Puts messages and their payloads together from the frames of one peer. Nothing is taken on trust: how large a payload
// may be is asked before its first byte is kept, chunks must come in order and whole, digests must be right.
// Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "common/core/bytes.h"
#include "common/core/result.h"
#include "common/crypto/sha256.h"
#include "common/wire/chunk.h"
#include "common/wire/codec.h"
#include "common/wire/frame.h"

namespace synod {

class Inbox {
 public:
  using PayloadLimit = std::function<std::uint64_t(const Message&)>;
  explicit Inbox(PayloadLimit limit) : limit_(std::move(limit)) {}

  // A decoded message and the bulk of its frame. The message, if its payload is whole (or it has none); nothing, if
  // chunks must follow. BadInput: the peer does not follow the rules.
  Result<std::optional<Envelope>> TakeMessage(Control control, ByteView bulk);
  // A frame of type kChunkFrame.
  Result<std::optional<Envelope>> TakeChunk(const FrameView& frame);

 private:
  struct Incoming {
    Message message;
    PayloadHeader header;
    std::shared_ptr<Bytes> payload;
    Sha256Hasher hasher;
  };
  // The message, if this chunk completes it.
  static Result<std::optional<Envelope>> Append(Incoming& incoming, ByteView bulk);

  PayloadLimit limit_;
  std::map<std::uint64_t, Incoming> incoming_;  // by number of transfer
  std::uint64_t next_transfer_ = 0;
};

}  // namespace synod
