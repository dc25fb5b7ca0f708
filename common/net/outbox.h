// What waits for one peer, and which frame goes next.
//
// Messages go in order, except that a message whose payload needs several chunks may be overtaken by later ones: chunks
// of different payloads and waiting messages take turns, so that nothing waits behind a large payload. No program frame
// starts while kChunksInFlight chunks' worth of bytes are not yet acknowledged; frames of the link itself (Hello,
// Heartbeat, Goodbye, credit, resume) are never held back. Threads: one.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/result.h"
#include "common/net/payload_digests.h"
#include "common/wire/chunk.h"
#include "common/wire/codec.h"
#include "common/wire/limits.h"

namespace synod {

class Outbox {
 public:
  static constexpr std::uint64_t kWindowBytes = std::uint64_t{limits::kChunksInFlight} * limits::kChunkBytes;

  // Of the link itself: before everything else.
  void PushOwn(Message message);
  // Acknowledges; the newest count is enough.
  void PushCredit(std::uint64_t received_bytes) { credit_ = received_bytes; }
  // Offers what is still here of a payload that the other side has begun to send.
  void PushResume(const Resume& resume) { resumes_.push_back(resume); }
  // BadInput: a message that cannot be encoded. Refused: too much waits already.
  Status Push(Envelope envelope, std::shared_ptr<PayloadDigest> payload_digest);
  // The other side has taken this many bytes of frames in all. BadInput if it cannot have.
  Status Acknowledge(std::uint64_t received_bytes, double now);
  // The other side still has the begin of one of our payloads: goes on behind it, if it is the same and not sent yet.
  // BadInput if it cannot have it.
  Status GoOnBehind(const Resume& resume);
  // Drops all that waits, except what was pushed with PushOwn.
  void Drop();

  // In three pieces, so that the bytes of a payload are sent from where they lie.
  struct Frame {
    Bytes head;
    ByteView data;
    ByteView tail;                         // valid until the next call of NextFrame
    std::shared_ptr<const Bytes> payload;  // holds `data`
    std::uint64_t bytes() const { return head.size() + data.size() + tail.size(); }
  };
  // False if nothing may go now.
  bool NextFrame(double now, Frame& frame);

  bool has_own() const { return !own_.empty(); }
  bool empty() const { return own_.empty() && resumes_.empty() && !credit_ && waiting_.empty() && transfers_.empty(); }
  std::uint64_t waiting_bytes() const { return waiting_bytes_; }  // of payloads that have not been sent
  // Since when the other side could have acknowledged something and has not; infinity if there is nothing.
  double waiting_for_credit_since() const;

 private:
  struct Waiting {
    Message message;
    std::shared_ptr<const Bytes> payload;
    std::shared_ptr<PayloadDigest> digest;
  };
  struct Transfer {
    std::uint64_t number = 0;
    std::shared_ptr<const Bytes> payload;
    std::shared_ptr<PayloadDigest> digest;
    std::uint64_t sent_bytes = 0;
    bool resumed = false;  // the other side has said what it has of it
  };
  // The next chunk of a payload, around bytes that stay where they are.
  struct NextChunk {
    ChunkWriter::Around around;
    ByteView data;
    std::shared_ptr<const Bytes> payload;
  };
  std::deque<Waiting>::iterator NextWaiting();
  void WriteFrame(std::uint16_t type, ByteView control, const NextChunk& chunk, double now, Frame& frame);
  void SendMessage(std::deque<Waiting>::iterator waiting, double now, Frame& frame);
  void SendChunk(double now, Frame& frame);
  NextChunk TakeChunk(Transfer& transfer);

  std::deque<Message> own_;
  std::deque<Resume> resumes_;
  std::optional<std::uint64_t> credit_;
  std::deque<Waiting> waiting_;
  std::vector<Transfer> transfers_;
  std::size_t turn_ = 0;  // of transfers_
  bool chunk_is_next_ = false;
  ChunkWriter chunk_writer_;
  std::uint64_t waiting_bytes_ = 0;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t next_transfer_ = 0;
  std::uint64_t sent_bytes_ = 0;
  std::uint64_t acknowledged_bytes_ = 0;
  double progress_at_ = 0.0;
};

}  // namespace synod
