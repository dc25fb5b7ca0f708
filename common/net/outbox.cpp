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

Status Outbox::Push(Envelope envelope, const Digest& payload_digest) {
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
  waiting_.push_back({std::move(envelope.message), std::move(envelope.payload), payload_digest});
  return {};
}

Status Outbox::Acknowledge(std::uint64_t received_bytes, double now) {
  if (received_bytes > sent_bytes_) return BadInput("credit for bytes that were never sent");
  if (received_bytes <= acknowledged_bytes_) return BadInput("credit that does not count up");
  acknowledged_bytes_ = received_bytes;
  progress_at_ = now;
  return {};
}

void Outbox::Drop() {
  credit_.reset();
  waiting_.clear();
  transfers_.clear();
  waiting_bytes_ = 0;
}

double Outbox::waiting_for_credit_since() const {
  return sent_bytes_ - acknowledged_bytes_ >= limits::kCreditBytes ? progress_at_ : INFINITY;
}

void Outbox::WriteFrame(std::uint16_t type, ByteView control, ByteView bulk, double now, Frame& frame) {
  frame.head.clear();
  AppendFrameHead(type, next_sequence_++, control, bulk.size(), frame.head);
  frame.bulk = bulk;
  if (sent_bytes_ - acknowledged_bytes_ < limits::kCreditBytes) progress_at_ = now;
  sent_bytes_ += frame.head.size() + bulk.size();
}

// The first message that may go: one with a large payload waits until a transfer has ended.
std::deque<Outbox::Waiting>::iterator Outbox::NextWaiting() {
  if (transfers_.size() < limits::kMaxIncomingPayloads) return waiting_.begin();
  return std::find_if(waiting_.begin(), waiting_.end(),
                      [](const Waiting& waiting) { return FitsOneChunk(waiting.payload); });
}

ByteView Outbox::WriteChunk(Transfer& transfer) {
  const std::uint64_t total = transfer.payload->size();
  const std::uint64_t size = std::min<std::uint64_t>(limits::kChunkBytes, total - transfer.sent_bytes);
  const ByteView data = ByteView(*transfer.payload).subspan(transfer.sent_bytes, size);
  const ByteView bulk = chunk_writer_.Write({transfer.number, transfer.sent_bytes, total, data});
  transfer.sent_bytes += size;
  waiting_bytes_ -= size;
  return bulk;
}

void Outbox::SendMessage(std::deque<Waiting>::iterator waiting, double now, Frame& frame) {
  const Waiting message = std::move(*waiting);
  waiting_.erase(waiting);
  Control control{message.message, std::nullopt};
  ByteView bulk;
  if (message.payload) {
    control.payload = PayloadHeader{next_transfer_++, message.payload->size(), message.digest};
    Transfer transfer{control.payload->transfer, message.payload, 0};
    if (!message.payload->empty()) bulk = WriteChunk(transfer);
    if (transfer.sent_bytes < message.payload->size()) transfers_.push_back(std::move(transfer));
  }
  WriteFrame(FrameType(control.message), Encoded(control), bulk, now, frame);
}

void Outbox::SendChunk(double now, Frame& frame) {
  turn_ %= transfers_.size();
  Transfer& transfer = transfers_[turn_];
  WriteFrame(kChunkFrame, {}, WriteChunk(transfer), now, frame);
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
