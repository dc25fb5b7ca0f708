#include "common/net/outbox.h"

#include <algorithm>
#include <cmath>

#include "common/wire/frame.h"

namespace synod {
namespace {

Bytes Encoded(const Control& control) {
  Result<Bytes> bytes = EncodeControl(control);
  SYNOD_CHECK(bytes.ok(), "a message was checked before it was queued");
  return std::move(*bytes);
}

bool FitsOneChunk(const std::shared_ptr<const Bytes>& payload) {
  return !payload || payload->size() <= limits::kChunkBytes;
}

}  // namespace

void Outbox::PushOwn(Message message) {
  own_.push_back(std::move(message));
}

Status Outbox::Push(Envelope envelope, std::shared_ptr<PayloadDigest> payload_digest) {
  SYNOD_RETURN_IF_ERROR([&]() -> Status {
    const Result<Bytes> bytes = EncodeControl(envelope.message);
    if (!bytes.ok()) return bytes.error();
    return {};
  }());
  const std::uint64_t payload_bytes = envelope.payload ? envelope.payload->size() : 0;
  if (waiting_.size() >= limits::kMaxQueuedEnvelopes) return Refused("too many messages wait for this peer");
  if (waiting_bytes_ > 0 && payload_bytes > 0 && waiting_bytes_ + payload_bytes > limits::kMaxQueuedPayloadBytes) {
    return Refused("too many bytes of payload wait for this peer");
  }
  waiting_bytes_ += payload_bytes;
  waiting_.push_back({std::move(envelope.message), std::move(envelope.payload), std::move(payload_digest)});
  return {};
}

Status Outbox::Acknowledge(std::uint64_t received_bytes, double now) {
  if (received_bytes > sent_bytes_) return BadInput("credit for bytes that were never sent");
  if (received_bytes <= acknowledged_bytes_) return BadInput("credit that does not count up");
  acknowledged_bytes_ = received_bytes;
  progress_at_ = now;
  return {};
}

Status Outbox::GoOnBehind(const Resume& resume) {
  if (resume.transfer >= next_transfer_) return BadInput("a resume of a payload that was never sent");
  if (resume.bytes == 0 || resume.bytes % limits::kChunkBytes != 0)
    return BadInput("a resume that is not whole chunks");
  if (resume.bytes > limits::kMaxKeptBytes) return BadInput("a resume of more than may be kept");
  const auto found = std::find_if(transfers_.begin(), transfers_.end(),
                                  [&](const Transfer& transfer) { return transfer.number == resume.transfer; });
  if (found == transfers_.end()) return {};  // all of it was sent in the meantime
  Transfer& transfer = *found;
  const ByteView payload(*transfer.payload);
  if (resume.bytes >= payload.size()) return BadInput("a resume of more than its payload");
  if (transfer.resumed) return BadInput("a second resume of the same payload");
  transfer.resumed = true;
  if (resume.bytes <= transfer.sent_bytes) return {};
  // The same message may come with another payload: that one goes on from its begin.
  if (transfer.digest->PrefixDigestOf(payload, resume.bytes) != resume.chunks) return {};
  waiting_bytes_ -= resume.bytes - transfer.sent_bytes;
  transfer.sent_bytes = resume.bytes;
  return {};
}

void Outbox::Drop() {
  resumes_.clear();
  credit_.reset();
  waiting_.clear();
  transfers_.clear();
  waiting_bytes_ = 0;
}

double Outbox::waiting_for_credit_since() const {
  return sent_bytes_ - acknowledged_bytes_ >= limits::kCreditBytes ? progress_at_ : INFINITY;
}

void Outbox::WriteFrame(std::uint16_t type, ByteView control, const NextChunk& chunk, double now, Frame& frame) {
  frame.head.clear();
  const std::size_t bulk_bytes = chunk.around.head.size() + chunk.data.size() + chunk.around.tail.size();
  AppendFrameHead(type, next_sequence_++, control, bulk_bytes, frame.head);
  frame.head.insert(frame.head.end(), chunk.around.head.begin(), chunk.around.head.end());
  frame.data = chunk.data;
  frame.tail = chunk.around.tail;
  frame.payload = chunk.payload;
  if (sent_bytes_ - acknowledged_bytes_ < limits::kCreditBytes) progress_at_ = now;
  sent_bytes_ += frame.bytes();
}

// The first message that may go: one with a large payload waits until a transfer has ended.
std::deque<Outbox::Waiting>::iterator Outbox::NextWaiting() {
  if (transfers_.size() < limits::kMaxIncomingPayloads) return waiting_.begin();
  return std::find_if(waiting_.begin(), waiting_.end(),
                      [](const Waiting& waiting) { return FitsOneChunk(waiting.payload); });
}

Outbox::NextChunk Outbox::TakeChunk(Transfer& transfer) {
  const ByteView payload(*transfer.payload);
  const std::uint64_t offset = transfer.sent_bytes;
  const std::uint64_t size = std::min<std::uint64_t>(limits::kChunkBytes, payload.size() - offset);
  transfer.sent_bytes += size;
  waiting_bytes_ -= size;
  const ByteView data = payload.subspan(offset, size);
  const std::optional<Digest> digest = transfer.digest->HashUpTo(payload, transfer.sent_bytes);
  return {chunk_writer_.WriteAround({transfer.number, offset, payload.size(), data, digest}), data, transfer.payload};
}

void Outbox::SendMessage(std::deque<Waiting>::iterator waiting, double now, Frame& frame) {
  Waiting message = std::move(*waiting);
  waiting_.erase(waiting);
  Control control{std::move(message.message), std::nullopt};
  NextChunk chunk;
  if (message.payload) {
    control.payload = PayloadHeader{next_transfer_++, message.payload->size()};
    Transfer transfer{control.payload->transfer, std::move(message.payload), std::move(message.digest)};
    if (!transfer.payload->empty()) chunk = TakeChunk(transfer);
    if (transfer.sent_bytes < transfer.payload->size()) transfers_.push_back(std::move(transfer));
  }
  WriteFrame(FrameType(control.message), Encoded(control), chunk, now, frame);
}

void Outbox::SendChunk(double now, Frame& frame) {
  turn_ %= transfers_.size();
  Transfer& transfer = transfers_[turn_];
  WriteFrame(kChunkFrame, {}, TakeChunk(transfer), now, frame);
  if (transfer.sent_bytes < transfer.payload->size()) {
    ++turn_;
  } else {
    transfers_.erase(transfers_.begin() + static_cast<std::ptrdiff_t>(turn_));
  }
}

bool Outbox::NextFrame(double now, Frame& frame) {
  if (!own_.empty()) {
    const Message message = std::move(own_.front());
    own_.pop_front();
    WriteFrame(FrameType(message), Encoded({message, std::nullopt}), {}, now, frame);
    return true;
  }
  if (!resumes_.empty()) {
    const Resume resume = resumes_.front();
    resumes_.pop_front();
    WriteFrame(kResumeFrame, EncodeResume(resume), {}, now, frame);
    return true;
  }
  if (credit_) {
    WriteFrame(kCreditFrame, EncodeCredit({*credit_}), {}, now, frame);
    credit_.reset();
    return true;
  }
  if (sent_bytes_ - acknowledged_bytes_ >= kWindowBytes) return false;
  const auto waiting = NextWaiting();
  if (!transfers_.empty() && (chunk_is_next_ || waiting == waiting_.end())) {
    SendChunk(now, frame);
    chunk_is_next_ = false;
    return true;
  }
  if (waiting == waiting_.end()) return false;
  SendMessage(waiting, now, frame);
  chunk_is_next_ = true;
  return true;
}

}  // namespace synod
