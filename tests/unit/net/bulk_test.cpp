// Payloads and trouble: connections that are cut, sites that do not read, many messages of a chunk each.
#include <gtest/gtest.h>
#include <malloc.h>

#include "common/net/payload_digests.h"
#include "tests/unit/net/raw_peer.h"

namespace synod {
namespace {

TEST(Bulk, APayloadThatWasCutIsNeverHeardOfInPart) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a", /*reconnect=*/true);
  const auto payload = PayloadOf(40u << 20);
  const std::uint64_t before = site.client->statistics().bytes_received;
  ASSERT_TRUE(party.server.server->Send(party.server.PeerNamed("site-a"), {DraftToSign{}, payload}).ok());
  ASSERT_TRUE(party.Until([&] { return site.client->statistics().bytes_received - before > payload->size() / 4; }));
  const std::uint16_t port = party.server.server->port();
  party.server.server.reset();
  ASSERT_TRUE(party.Until([&] { return !site.client->open(); }));
  EXPECT_TRUE(site.heard.messages.empty());
  party.server = ServerEnd::Listen(party.clock, party.kit.Coordinator(), party.ServerRules(), port);
  ASSERT_TRUE(party.Until([&] { return site.client->open() && party.server.PeerNamed("site-a") != 0; }));
  ASSERT_TRUE(party.server.server->Send(party.server.PeerNamed("site-a"), {DraftToSign{}, payload}).ok());
  ASSERT_TRUE(party.Until([&] { return !site.heard.messages.empty(); }));
  EXPECT_EQ(*site.heard.messages[0].envelope.payload, *payload);
}

TEST(Bulk, MessagesOfOneChunkThatArrivedBeforeACutStayArrived) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a", /*reconnect=*/true);
  constexpr std::uint32_t kMessages = 40;
  const auto payload = PayloadOf(limits::kChunkBytes);
  const auto send_from = [&](std::uint32_t first) {
    for (std::uint32_t i = first; i < kMessages; ++i) {
      const Message message = QueryAsk{{RunNumber(1), i, 0}};
      ASSERT_TRUE(party.server.server->Send(party.server.PeerNamed("site-a"), {message, payload}).ok());
    }
  };
  send_from(0);
  ASSERT_TRUE(party.Until([&] { return site.heard.messages.size() >= 3; }));
  const std::uint16_t port = party.server.server->port();
  party.server.server.reset();
  ASSERT_TRUE(party.Until([&] { return !site.client->open(); }));
  const auto arrived = static_cast<std::uint32_t>(site.heard.messages.size());
  EXPECT_LT(arrived, kMessages);
  party.server = ServerEnd::Listen(party.clock, party.kit.Coordinator(), party.ServerRules(), port);
  ASSERT_TRUE(party.Until([&] { return site.client->open() && party.server.PeerNamed("site-a") != 0; }));
  send_from(arrived);
  ASSERT_TRUE(party.Until([&] { return site.heard.messages.size() == kMessages; }));
  for (std::uint32_t i = 0; i < kMessages; ++i) {
    EXPECT_EQ(std::get<QueryAsk>(site.heard.messages[i].envelope.message).name.query, i);
    EXPECT_EQ(*site.heard.messages[i].envelope.payload, *payload);
  }
}

/// What the program holds on its heap, large pieces that have pages of their own included.
std::size_t HeapBytes() {
  const auto heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

TEST(Bulk, TwentySitesThatDoNotReadCostLittleMemoryAndDelayNobody) {
  Party party;
  party.clock.Freeze();  // else those that say nothing are closed before long
  std::vector<std::unique_ptr<RawPeer>> stalled;
  for (int i = 0; i < 20; ++i) {
    stalled.push_back(std::make_unique<RawPeer>(party, party.kit.Site("stalled-" + std::to_string(i))));
    stalled.back()->Open();
  }
  ClientEnd& good = party.AddOpenSite("good");
  const auto payload = PayloadOf(20 * limits::kChunkBytes);
  const std::size_t used_before = HeapBytes();
  for (int i = 0; i < 20; ++i) {
    const PeerId peer = party.server.PeerNamed("stalled-" + std::to_string(i));
    ASSERT_TRUE(party.server.server->Send(peer, {DraftToSign{}, payload}).ok());
  }
  party.For(0.3);
  const LinkServer::Statistics statistics = party.server.server->statistics();
  EXPECT_LE(statistics.unsent_bytes, 20 * 3 * limits::kSendBytes);
  EXPECT_LT(HeapBytes(), used_before + 20 * (std::size_t{2} << 20));
  ASSERT_TRUE(party.server.server->Send(party.server.PeerNamed("good"), {DraftToSign{}, payload}).ok());
  ASSERT_TRUE(party.Until([&] { return !good.heard.messages.empty(); }));
  EXPECT_EQ(*good.heard.messages[0].envelope.payload, *payload);
  EXPECT_TRUE(party.server.heard.closed.empty());
}

TEST(Bulk, TheDigestIsTheSameWhoeverAsksFirstAndInWhateverSteps) {
  PayloadDigests digests;
  const auto payload = PayloadOf(100000);
  const std::shared_ptr<PayloadDigest> digest = digests.Of(payload);
  EXPECT_EQ(digests.Of(payload), digest);
  EXPECT_NE(digests.Of(PayloadOf(100000)), digest);
  EXPECT_FALSE(digest->HashUpTo(*payload, 70000).has_value());
  EXPECT_FALSE(digest->HashUpTo(*payload, 30000).has_value());  // a peer that is behind
  EXPECT_FALSE(digest->HashUpTo(*payload, 99999).has_value());
  EXPECT_EQ(digest->HashUpTo(*payload, 100000), Sha256(*payload));
  EXPECT_FALSE(digest->HashUpTo(*payload, 50000).has_value());
  EXPECT_EQ(digest->HashUpTo(*payload, 100000), Sha256(*payload));
}

}  // namespace
}  // namespace synod
