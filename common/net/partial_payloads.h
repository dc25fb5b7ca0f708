// What links that were cut leave of payloads under way, until the same message comes again: then its sender may go on
// behind what is here, instead of sending everything a second time.
//
// A piece belongs to one authenticated peer, one message and one length; nobody else's message finds it. Bounded
// (limits.h): pieces of one peer, memory of all together (by capacity, with those that are lent to links), age; the
// oldest go first. Threads: one.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/identity.h"
#include "common/crypto/sha256.h"
#include "common/wire/messages.h"

namespace synod {

// The begin of a payload: whole chunks, at least two, not all.
struct KeptPayload {
  std::shared_ptr<Bytes> bytes;
  Sha256Hasher hasher;           // of these bytes
  std::optional<Digest> chunks;  // PrefixDigest of these bytes, once it was needed
};

class PartialPayloads {
 public:
  // Of which payload: the peer, the message and the length.
  struct Name {
    Identity peer;
    Bytes message;
    std::uint64_t total_bytes = 0;
    bool operator==(const Name&) const = default;
  };
  static Name NameOf(const Identity& peer, const Message& message, std::uint64_t total_bytes);

  // Keeps the longer one of two pieces of one payload. Nothing, if there is no room or it is no whole begin.
  void Keep(Name name, KeptPayload piece, double now);
  // Lends the piece of this payload: it is no longer here, but counts as long as its bytes are held.
  std::optional<KeptPayload> Take(const Name& name, double now);
  void DropOld(double now);
  double next_drop() const;  // when the oldest piece is too old; infinity if there is none

  std::size_t size() const { return entries_.size(); }
  std::uint64_t held_bytes() const;  // of memory

 private:
  struct Entry {
    Name name;
    KeptPayload piece;
    double kept_at = 0.0;
  };
  void MakeRoom(const Identity& peer, std::uint64_t bytes);

  std::deque<Entry> entries_;  // oldest first
  std::vector<std::weak_ptr<const Bytes>> lent_;
};

}  // namespace synod
