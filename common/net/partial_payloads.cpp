#include "common/net/partial_payloads.h"

#include <algorithm>
#include <cmath>

#include "common/wire/codec.h"
#include "common/wire/limits.h"

namespace synod {
namespace {

// What differs when the same message is sent again. Leaving it out risks nothing: the sender compares the bytes.
Message WithoutTheMoment(Message message) {
  if (auto* ask = std::get_if<QueryAsk>(&message)) ask->seconds_left = 0.0;
  return message;
}

bool IsWorthKeeping(const KeptPayload& piece, std::uint64_t total_bytes) {
  // The first chunk comes with the message in any case.
  const std::uint64_t size = piece.bytes->size();
  return size > limits::kChunkBytes && size < total_bytes && size % limits::kChunkBytes == 0 &&
         piece.bytes->capacity() <= limits::kMaxKeptBytes;
}

}  // namespace

PartialPayloads::Name PartialPayloads::NameOf(const Identity& peer, const Message& message, std::uint64_t total_bytes) {
  Result<Bytes> bytes = EncodeControl(WithoutTheMoment(message));
  SYNOD_CHECK(bytes.ok(), "a message that was read can be written");
  return {peer, std::move(*bytes), total_bytes};
}

std::uint64_t PartialPayloads::held_bytes() const {
  std::uint64_t bytes = 0;
  for (const Entry& entry : entries_) bytes += entry.piece.bytes->capacity();
  for (const std::weak_ptr<const Bytes>& lent : lent_) {
    if (const auto held = lent.lock()) bytes += held->capacity();
  }
  return bytes;
}

void PartialPayloads::Keep(Name name, KeptPayload piece, double now) {
  // It comes back from whom it was lent to, or is new.
  std::erase_if(lent_, [&](const auto& lent) { return lent.expired() || lent.lock() == piece.bytes; });
  DropOld(now);
  if (!IsWorthKeeping(piece, name.total_bytes)) return;
  const auto same = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
  if (same != entries_.end()) {
    if (same->piece.bytes->size() > piece.bytes->size()) return;
    entries_.erase(same);
  }
  MakeRoom(name.peer, piece.bytes->capacity());
  if (held_bytes() + piece.bytes->capacity() > limits::kMaxKeptBytes) return;  // the rest is lent
  entries_.push_back({std::move(name), std::move(piece), now});
}

// For one more piece of this peer.
void PartialPayloads::MakeRoom(const Identity& peer, std::uint64_t bytes) {
  const auto of_peer = [&](const Entry& entry) { return entry.name.peer == peer; };
  if (std::count_if(entries_.begin(), entries_.end(), of_peer) >= limits::kMaxKeptPayloads) {
    entries_.erase(std::find_if(entries_.begin(), entries_.end(), of_peer));
  }
  while (!entries_.empty() && held_bytes() + bytes > limits::kMaxKeptBytes) entries_.pop_front();
}

std::optional<KeptPayload> PartialPayloads::Take(const Name& name, double now) {
  DropOld(now);
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.name == name; });
  if (found == entries_.end()) return std::nullopt;
  KeptPayload piece = std::move(found->piece);
  entries_.erase(found);
  std::erase_if(lent_, [](const auto& lent) { return lent.expired(); });
  lent_.push_back(piece.bytes);
  return piece;
}

void PartialPayloads::DropOld(double now) {
  while (!entries_.empty() && next_drop() <= now) entries_.pop_front();
}

double PartialPayloads::next_drop() const {
  return entries_.empty() ? INFINITY : entries_.front().kept_at + limits::kKeptSeconds;
}

}  // namespace synod
