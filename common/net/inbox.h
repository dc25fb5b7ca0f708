// Puts messages and their payloads together from the frames of one peer. Nothing is taken on trust: how large a payload
// may be is asked before its first byte is kept, chunks must come in order and whole, digests must be right.
//
// Where the begin of a payload is still here from an earlier link, it is offered to the sender (TakeResume). Chunks go
// on in order until one comes whose place is the end of what was offered, once. Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/result.h"
#include "common/crypto/sha256.h"
#include "common/net/partial_payloads.h"
#include "common/wire/chunk.h"
#include "common/wire/codec.h"
#include "common/wire/frame.h"

namespace synod {

class Inbox {
 public:
  using PayloadLimit = std::function<std::uint64_t(const Message&)>;
  // What is still here of a payload of so many bytes with this message.
  using Kept = std::function<std::optional<KeptPayload>(const Message&, std::uint64_t total_bytes)>;
  Inbox(PayloadLimit limit, Kept kept) : limit_(std::move(limit)), kept_(std::move(kept)) {}

  // A decoded message and the bulk of its frame. The message, if its payload is whole (or it has none); nothing, if
  // chunks must follow. BadInput: the peer does not follow the rules.
  Result<std::optional<Envelope>> TakeMessage(Control control, ByteView bulk);
  // A frame of type kChunkFrame.
  Result<std::optional<Envelope>> TakeChunk(const FrameView& frame);

  // What has to be said to the sender of the payload that began last.
  std::optional<Resume> TakeResume() { return std::exchange(resume_, std::nullopt); }

  // What has come of payloads that are not whole, or was offered and is longer; the inbox is empty afterwards.
  struct Piece {
    Message message;
    std::uint64_t total_bytes = 0;
    KeptPayload payload;
  };
  std::vector<Piece> TakePieces();

 private:
  struct Incoming {
    Message message;
    PayloadHeader header;
    std::shared_ptr<Bytes> payload;
    Sha256Hasher hasher;
    std::optional<KeptPayload> offered;  // longer than what has come
  };
  void Offer(Incoming& incoming);
  // The message, if this chunk completes it.
  static Result<std::optional<Envelope>> Append(Incoming& incoming, ByteView bulk);

  PayloadLimit limit_;
  Kept kept_;
  std::optional<Resume> resume_;
  std::map<std::uint64_t, Incoming> incoming_;  // by number of transfer
  std::uint64_t next_transfer_ = 0;
};

}  // namespace synod
