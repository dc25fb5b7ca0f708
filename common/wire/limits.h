// Every limit on bytes from a peer, in one place.
#pragma once

#include <cstddef>
#include <cstdint>

namespace synod::limits {

inline constexpr std::uint32_t kProtocolVersion = 1;

// Frames.
inline constexpr std::size_t kFrameHeaderBytes = 24;
inline constexpr std::size_t kMaxControlBytes = 64u << 10;
inline constexpr std::size_t kChunkBytes = 1u << 20;
inline constexpr std::size_t kMaxBulkBytes = kChunkBytes + (4u << 10);
inline constexpr std::size_t kBulkAlignment = 16;

// Links.
inline constexpr unsigned kChunksInFlight = 8;            // sent and not yet acknowledged, to one peer
inline constexpr std::size_t kCreditBytes = 256u << 10;   // a receiver acknowledges at least this often
inline constexpr std::size_t kSendBytes = 128u << 10;     // encrypted ahead of the socket, for one peer
inline constexpr std::size_t kTurnBytes = 1u << 20;       // sent to one peer before the others have their turn
inline constexpr std::size_t kReceiveBytes = 256u << 10;  // taken from one peer before the others have their turn
inline constexpr std::size_t kUnsentBytes = 256u << 10;   // kept by the system, beyond what is under way to one peer
inline constexpr int kUndeliveredMilliseconds = 30'000;   // without the other side's TCP taking a byte: cut
inline constexpr double kPartingSeconds = 1.0;            // to say goodbye, before a connection is cut
inline constexpr double kSteadySeconds = 5.0;             // a link that lasted this long resets the back-off
inline constexpr double kHandshakeSeconds = 10.0;
inline constexpr double kHeartbeatSeconds = 5.0;
inline constexpr double kSilenceSeconds = 20.0;  // without a byte from a peer, its link is closed
inline constexpr std::size_t kMaxUnauthenticatedPeers = 256;
inline constexpr std::size_t kMaxUnauthenticatedBytes = 16u << 10;  // received from each
inline constexpr std::size_t kMaxPeers = 1024;
inline constexpr std::size_t kMaxLinksOfOne = 16;  // of one person; what waits for each of them is bounded below
inline constexpr std::size_t kMaxQueuedEnvelopes = 1024;
inline constexpr std::uint64_t kMaxQueuedPayloadBytes = std::uint64_t{256} << 20;  // beyond the first payload
inline constexpr unsigned kMaxIncomingPayloads = 4;                                // at once, from one peer
// Of payloads that a cut link leaves unfinished.
inline constexpr unsigned kMaxKeptPayloads = kMaxIncomingPayloads;        // from one peer
inline constexpr std::uint64_t kMaxKeptBytes = std::uint64_t{256} << 20;  // of memory, from all peers together
inline constexpr double kKeptSeconds = 120.0;
inline constexpr std::int64_t kClockSkewSeconds = 300;
inline constexpr double kFirstReconnectSeconds = 0.2;
inline constexpr double kMaxReconnectSeconds = 30.0;

// Texts in control messages.
inline constexpr std::size_t kMaxTextBytes = 4096;
inline constexpr std::size_t kMaxPlanEntries = 256;

// Payloads.
inline constexpr std::uint64_t kMaxRunOfferBytes = 16u << 20;
inline constexpr std::uint64_t kMaxDraftBytes = std::uint64_t{1} << 30;
inline constexpr std::uint64_t kMaxReplyBytes = std::uint64_t{1} << 30;

}  // namespace synod::limits
