#include "common/net/inbox.h"

#include <algorithm>

#include "common/net/large_memory.h"
#include "common/net/payload_digests.h"
#include "common/wire/limits.h"

namespace synod {
namespace {

// Memory that is set aside before data has come; larger payloads grow as they arrive.
constexpr std::uint64_t kMaxReservedBytes = std::uint64_t{64} << 20;
constexpr std::size_t kPieceBytes = std::size_t{32} << 10;

}  // namespace

Result<std::optional<Envelope>> Inbox::Append(Incoming& incoming, ByteView bulk) {
  SYNOD_ASSIGN_OR_RETURN(const ChunkView chunk, ReadChunk(bulk));
  const PayloadHeader& header = incoming.header;
  if (chunk.transfer != header.transfer) return BadInput("a chunk of another payload than its message announces");
  if (chunk.total != header.total_bytes) return BadInput("a chunk that gives its payload another length");
  if (incoming.offered && chunk.offset == incoming.offered->bytes->size()) {
    // Its memory is this payload's from now on, and no longer lent.
    *incoming.payload = std::move(*incoming.offered->bytes);
    incoming.hasher = std::move(incoming.offered->hasher);
    incoming.offered.reset();
  }
  const std::uint64_t taken = incoming.payload->size();
  if (chunk.offset != taken) return BadInput("a chunk out of order");
  if (chunk.data.size() != std::min<std::uint64_t>(limits::kChunkBytes, header.total_bytes - taken)) {
    return BadInput("a chunk that is not whole");
  }
  const bool last = taken + chunk.data.size() == header.total_bytes;
  if (last != chunk.sha256.has_value()) {
    return BadInput(last ? "a payload without a digest" : "a digest before the end of its payload");
  }
  // Piece by piece, so that the digest reads what the copy has just brought near.
  for (ByteView rest = chunk.data; !rest.empty();) {
    const ByteView piece = rest.first(std::min(rest.size(), kPieceBytes));
    incoming.payload->insert(incoming.payload->end(), piece.begin(), piece.end());
    incoming.hasher.Update(piece);
    rest = rest.subspan(piece.size());
  }
  if (incoming.offered && incoming.offered->bytes->size() <= incoming.payload->size()) incoming.offered.reset();
  if (!last) return std::optional<Envelope>();
  if (incoming.hasher.Finish() != *chunk.sha256) return BadInput("a payload with a wrong digest");
  return std::optional<Envelope>(Envelope{std::move(incoming.message), std::move(incoming.payload)});
}

// What is still here of this payload, unless its first chunk is another one.
void Inbox::Offer(Incoming& incoming) {
  std::optional<KeptPayload> kept = kept_(incoming.message, incoming.header.total_bytes);
  if (!kept || !std::equal(incoming.payload->begin(), incoming.payload->end(), kept->bytes->begin())) return;
  if (!kept->chunks) kept->chunks = PrefixDigest(*kept->bytes);
  resume_ = Resume{incoming.header.transfer, kept->bytes->size(), *kept->chunks};
  incoming.offered = std::move(kept);
}

std::vector<Inbox::Piece> Inbox::TakePieces() {
  std::vector<Piece> pieces;
  for (auto& [number, incoming] : incoming_) {
    KeptPayload payload = incoming.offered
                              ? std::move(*incoming.offered)
                              : KeptPayload{std::move(incoming.payload), std::move(incoming.hasher), std::nullopt};
    pieces.push_back({std::move(incoming.message), incoming.header.total_bytes, std::move(payload)});
  }
  incoming_.clear();
  return pieces;
}

Result<std::optional<Envelope>> Inbox::TakeMessage(Control control, ByteView bulk) {
  if (!control.payload) {
    if (!bulk.empty()) return BadInput("bulk behind a message without payload");
    return std::optional<Envelope>(Envelope{std::move(control.message), nullptr});
  }
  const PayloadHeader& header = *control.payload;
  if (header.transfer != next_transfer_) return BadInput("a payload whose number does not count up");
  ++next_transfer_;
  if (header.total_bytes > limit_(control.message)) {
    return BadInput("message " + std::string(MessageName(control.message)) + " has a payload over its limit");
  }
  Incoming incoming{std::move(control.message), header, std::make_shared<Bytes>(), Sha256Hasher(), {}};
  if (header.total_bytes == 0) {
    if (!bulk.empty()) return BadInput("bulk behind an empty payload");
    return std::optional<Envelope>(Envelope{std::move(incoming.message), std::move(incoming.payload)});
  }
  if (incoming_.size() >= limits::kMaxIncomingPayloads && header.total_bytes > limits::kChunkBytes) {
    return BadInput("too many payloads at once");
  }
  ReserveLarge(*incoming.payload, std::min(header.total_bytes, kMaxReservedBytes));
  SYNOD_ASSIGN_OR_RETURN(std::optional<Envelope> whole, Append(incoming, bulk));
  if (whole) return whole;
  Offer(incoming);
  incoming_.emplace(header.transfer, std::move(incoming));
  return whole;
}

Result<std::optional<Envelope>> Inbox::TakeChunk(const FrameView& frame) {
  if (!frame.control.empty()) return BadInput("a chunk with a control message");
  SYNOD_ASSIGN_OR_RETURN(const ChunkView chunk, ReadChunk(frame.bulk));
  const auto found = incoming_.find(chunk.transfer);
  if (found == incoming_.end()) return BadInput("a chunk of an unknown payload");
  SYNOD_ASSIGN_OR_RETURN(std::optional<Envelope> whole, Append(found->second, frame.bulk));
  if (whole) incoming_.erase(found);
  return whole;
}

}  // namespace synod
