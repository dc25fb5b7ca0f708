// A payload that was cut goes on where it stopped, and what arrives is always what was sent last.
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/net/link_pair.h"

namespace synod {
namespace {

constexpr std::uint64_t kWindow = Outbox::kWindowBytes;
// Frames' heads, TLS records, handshakes, heartbeats.
constexpr std::uint64_t kSmall = 256u << 10;
constexpr std::size_t kPayload = 40 * limits::kChunkBytes;

const Message kDraft = DraftToSign{RunNumber(1)};
const Message kAnswer = Answer{{RunNumber(1), 0, 0}};

// What there is to send again after `carried` bytes of a payload: all but the whole chunks that came.
std::uint64_t RestAfter(std::uint64_t carried) {
  return kPayload - carried / limits::kChunkBytes * limits::kChunkBytes;
}

TEST(Resume, APayloadToASiteGoesOnAfterTheServerWasAway) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a", /*reconnect=*/true);
  const auto payload = PayloadOf(kPayload);
  const std::uint64_t before = site.client->statistics().bytes_received;
  ASSERT_TRUE(party.server.server->Send(party.server.PeerNamed("site-a"), {kDraft, payload}).ok());
  ASSERT_TRUE(party.Until([&] { return site.client->statistics().bytes_received - before > kPayload / 2; }));
  const std::uint16_t port = party.server.server->port();
  party.server.server.reset();
  ASSERT_TRUE(party.Until([&] { return !site.client->open(); }));
  const std::uint64_t cut = site.client->statistics().bytes_received;
  party.server = ServerEnd::Listen(party.clock, party.kit.Coordinator(), party.ServerRules(), port);
  ASSERT_TRUE(party.Until([&] { return site.client->open() && party.server.PeerNamed("site-a") != 0; }));
  ASSERT_TRUE(party.server.server->Send(party.server.PeerNamed("site-a"), {kDraft, payload}).ok());
  ASSERT_TRUE(party.Until([&] { return !site.heard.messages.empty(); }));
  EXPECT_EQ(*site.heard.messages[0].envelope.payload, *payload);
  const std::uint64_t again = site.client->statistics().bytes_received - cut;
  EXPECT_LT(again, RestAfter(cut - before) + kWindow + limits::kChunkBytes + kSmall);
  EXPECT_LT(again, kPayload * 3 / 4 + kSmall);
}

TEST(Resume, APayloadToTheServerGoesOnWithTheSitesNextProcess) {
  Party party;
  const auto payload = PayloadOf(kPayload);
  ClientEnd& first = party.AddOpenSite("site-a");
  const auto received = [&] { return party.server.server->statistics().bytes_received; };
  const std::uint64_t before = received();
  ASSERT_TRUE(first.client->Send({kAnswer, payload}).ok());
  ASSERT_TRUE(party.Until([&] { return received() - before > kPayload / 2; }));
  party.clients.clear();
  ASSERT_TRUE(party.Until([&] { return !party.server.heard.closed.empty(); }));
  const std::uint64_t cut = received();
  party.server.heard.opened.clear();
  ClientEnd& second = party.AddOpenSite("site-a");
  ASSERT_TRUE(second.client->Send({kAnswer, payload}).ok());
  ASSERT_TRUE(party.Until([&] { return !party.server.heard.messages.empty(); }));
  EXPECT_EQ(*party.server.heard.messages[0].envelope.payload, *payload);
  EXPECT_LT(received() - cut, RestAfter(cut - before) + kWindow + limits::kChunkBytes + kSmall);
  EXPECT_LT(received() - cut, kPayload * 3 / 4 + kSmall);
}

TEST(Resume, AServerWithoutPeersLetsAPieceGoInTime) {
  Party party;
  party.AddOpenSite("site-a");
  ASSERT_TRUE(party.clients[0]->client->Send({kAnswer, PayloadOf(kPayload)}).ok());
  const std::uint64_t before = party.server.server->statistics().bytes_received;
  ASSERT_TRUE(
      party.Until([&] { return party.server.server->statistics().bytes_received - before > 4 * limits::kChunkBytes; }));
  party.clients.clear();
  ASSERT_TRUE(party.Until([&] { return !party.server.heard.closed.empty(); }));
  const double kept_until = party.clock.MonotonicSeconds() + limits::kKeptSeconds;
  party.clock.monotonic_offset = limits::kKeptSeconds / 2;
  party.Step();
  EXPECT_NEAR(party.server.server->next_timer(), kept_until, limits::kKeptSeconds / 4);
  party.clock.monotonic_offset = limits::kKeptSeconds;
  party.Step();
  EXPECT_GT(party.server.server->next_timer(), party.clock.MonotonicSeconds() + 10 * limits::kKeptSeconds);
}

// Ten chunks to the server, cut when it has taken between five and six of them.
class CutPair : public testing::Test {
 protected:
  static constexpr std::size_t kBytes = 10 * limits::kChunkBytes + 100;
  // Of a connection that carries everything; of one that only brings the rest, and two chunks that were under way.
  static constexpr std::uint64_t kAll = kBytes;
  static constexpr std::uint64_t kRest = kBytes - 5 * limits::kChunkBytes + 2 * limits::kChunkBytes + kSmall;

  CutPair() {
    pair_.Connect();
    Send(kAnswer, payload_);
    pair_.Pump(limits::kChunkBytes * 11 / 2);
  }
  void Send(const Message& message, std::shared_ptr<const Bytes> payload) {
    EXPECT_TRUE(pair_.client.link->Send({message, std::move(payload)}).ok());
  }
  // The bytes of a new connection that brings one message, which must arrive with this payload.
  std::uint64_t BytesToBring(const Message& message, const std::shared_ptr<const Bytes>& payload) {
    const std::uint64_t before = pair_.client.sent_bytes;
    Send(message, payload);
    pair_.Pump();
    const bool arrived = pair_.server.heard.size() == 1 && *pair_.server.heard[0].payload == *payload;
    EXPECT_TRUE(arrived);
    pair_.server.heard.clear();
    return pair_.client.sent_bytes - before;
  }
  std::size_t pieces() const { return pair_.server.shared.partial_payloads.size(); }

  LinkPair pair_;
  const std::shared_ptr<const Bytes> payload_ = PayloadOf(kBytes);
};

TEST_F(CutPair, OnlyTheRestIsSent) {
  pair_.Cut();
  EXPECT_EQ(pieces(), 1u);
  pair_.Connect();
  EXPECT_LT(BytesToBring(kAnswer, payload_), kRest);
  EXPECT_EQ(pieces(), 0u);
  EXPECT_EQ(pair_.server.shared.partial_payloads.held_bytes(), 0u);
}

TEST_F(CutPair, AnEqualPayloadElsewhereInMemoryWillDo) {
  pair_.Cut();
  pair_.Connect();
  EXPECT_LT(BytesToBring(kAnswer, PayloadOf(kBytes)), kRest);
}

TEST_F(CutPair, AQueryThatSaysHowMuchTimeIsLeftNowIsTheSameQuery) {
  const auto ask = [](double seconds) {
    return QueryAsk{{RunNumber(1), 0, 0}, 0, QueryKind::kGradient, 0, 100, seconds};
  };
  pair_.Cut();
  pair_.Connect();
  ASSERT_TRUE(pair_.server.link->Send({ask(9.5), payload_}).ok());
  pair_.Pump(limits::kChunkBytes * 11 / 2);
  pair_.Cut();
  pair_.Connect();
  const std::uint64_t before = pair_.server.sent_bytes;
  ASSERT_TRUE(pair_.server.link->Send({ask(3.25), payload_}).ok());
  pair_.Pump();
  ASSERT_EQ(pair_.client.heard.size(), 1u);
  EXPECT_TRUE(pair_.client.heard[0].message == Message(ask(3.25)));
  EXPECT_LT(pair_.server.sent_bytes - before, kRest);
}

TEST_F(CutPair, AnotherPayloadUnderTheSameMessageArrivesAsThatOne) {
  pair_.Cut();
  for (const std::size_t at : {std::size_t{0}, 2 * limits::kChunkBytes, 4 * limits::kChunkBytes + 7, kBytes - 1}) {
    Bytes other = *payload_;
    other[at] ^= 1;
    pair_.Connect();
    const std::uint64_t bytes = BytesToBring(kAnswer, std::make_shared<const Bytes>(other));
    EXPECT_EQ(bytes > kAll, at < 5 * limits::kChunkBytes) << at;
    EXPECT_TRUE(pair_.server.closed.size() == 1) << at;
    // Again the first payload in part, for the next round.
    Send(kAnswer, payload_);
    pair_.Pump(limits::kChunkBytes * 11 / 2);
    pair_.server.closed.clear();
    pair_.Cut();
  }
}

TEST_F(CutPair, AnotherMessageOrLengthDoesNotFindThePiece) {
  pair_.Cut();
  pair_.Connect();
  EXPECT_GT(BytesToBring(Answer{{RunNumber(1), 0, 1}}, payload_), kAll);
  EXPECT_GT(BytesToBring(DraftRefused{RunNumber(1), {}}, payload_), kAll);
  Bytes longer = *payload_;
  longer.push_back(0);
  EXPECT_GT(BytesToBring(kAnswer, std::make_shared<const Bytes>(longer)), kAll);
  EXPECT_LT(BytesToBring(kAnswer, payload_), kRest);
}

TEST_F(CutPair, AnotherIdentityDoesNotFindThePiece) {
  pair_.Cut();
  pair_.Connect("site-b");
  EXPECT_GT(BytesToBring(kAnswer, payload_), kAll);
  pair_.Cut();
  pair_.Connect("site-a");
  EXPECT_LT(BytesToBring(kAnswer, payload_), kRest);
}

TEST_F(CutPair, APieceIsTooOldAfterSomeTime) {
  pair_.Cut();
  pair_.clock.monotonic_offset = limits::kKeptSeconds;
  pair_.Connect();
  EXPECT_GT(BytesToBring(kAnswer, payload_), kAll);
}

TEST_F(CutPair, WhatWasOfferedAndNotUsedIsKeptWhenTheNextLinkIsCutToo) {
  pair_.Cut();
  for (int i = 0; i < 3; ++i) {
    pair_.Connect();
    Send(kAnswer, payload_);
    pair_.Pump(limits::kChunkBytes * 9 / 8);
    EXPECT_EQ(pieces(), 0u);
    pair_.Cut();
    EXPECT_EQ(pieces(), 1u);
  }
  pair_.Connect();
  EXPECT_LT(BytesToBring(kAnswer, payload_), kRest);
}

TEST_F(CutPair, AGoodbyeInTheMiddleIsACutToo) {
  pair_.client.link->Fail(GoodbyeReason::kShuttingDown, Error{ErrorCode::kConnection, "ends", ""});
  pair_.Pump();
  ASSERT_EQ(pair_.server.closed.size(), 1u);
  EXPECT_EQ(pair_.server.closed[0].reason, GoodbyeReason::kShuttingDown);
  EXPECT_EQ(pieces(), 1u);
}

TEST_F(CutPair, NothingIsKeptOfWhoBreaksARule) {
  pair_.server.link->Fail(GoodbyeReason::kProtocol, BadInput("a rule"));
  pair_.Pump();
  EXPECT_EQ(pieces(), 0u);
}

TEST_F(CutPair, NothingIsKeptOfWhoBreaksARuleWhileTheLinkIsClosed) {
  pair_.server.link->Close(GoodbyeReason::kShuttingDown);
  pair_.server.link->Fail(GoodbyeReason::kProtocol, BadInput("a rule"));
  pair_.Pump();
  EXPECT_EQ(pieces(), 0u);
}

TEST_F(CutPair, NothingIsKeptWhereTheOtherSideSaysThatWeBrokeARule) {
  pair_.client.link->Fail(GoodbyeReason::kProtocol, BadInput("a rule"));
  pair_.Pump();
  ASSERT_EQ(pair_.server.closed.size(), 1u);
  EXPECT_EQ(pair_.server.closed[0].reason, GoodbyeReason::kProtocol);
  EXPECT_EQ(pieces(), 0u);
}

// One direction of a conversation with many cuts: sent again until it has arrived.
struct Direction {
  Message message;
  std::shared_ptr<const Bytes> payload;
  LinkPair::End* from;
  LinkPair::End* to;
};

TEST(Resume, HoweverOftenAndWhereverLinksAreCutPayloadsArriveAsTheyWereSentLast) {
  std::mt19937 random(20261122);
  const auto below = [&](std::size_t end) { return static_cast<std::size_t>(random() % end); };
  LinkPair pair;
  std::size_t cuts = 0;
  for (int round = 0; cuts < 100; ++round) {
    Direction directions[] = {{kAnswer, nullptr, &pair.client, &pair.server},
                              {kDraft, nullptr, &pair.server, &pair.client}};
    for (Direction& direction : directions) {
      direction.payload =
          PayloadOf(limits::kChunkBytes * (2 + below(6)) + below(3) * 1000, static_cast<std::uint8_t>(below(200)));
    }
    for (;; ++cuts) {
      pair.Connect();
      for (Direction& direction : directions) {
        if (!direction.to->heard.empty()) continue;
        if (below(8) == 0) {
          Bytes other = *direction.payload;
          other[below(other.size())] ^= 1;
          direction.payload = std::make_shared<const Bytes>(std::move(other));
        }
        ASSERT_TRUE(direction.from->link->Send({direction.message, direction.payload}).ok());
      }
      pair.Pump(below(10 * limits::kChunkBytes));
      pair.Cut();
      pair.clock.monotonic_offset = pair.clock.monotonic_offset + static_cast<double>(below(60));
      if (!pair.server.heard.empty() && !pair.client.heard.empty()) break;
    }
    for (const Direction& direction : directions) {
      ASSERT_EQ(direction.to->heard.size(), 1u);
      ASSERT_TRUE(*direction.to->heard[0].payload == *direction.payload) << "round " << round;
      direction.to->heard.clear();
    }
    for (const LinkPair::End* end : {&pair.server, &pair.client}) {
      for (const LinkClosed& closed : end->closed) ASSERT_FALSE(closed.reason.has_value()) << closed.error.message;
    }
  }
}

}  // namespace
}  // namespace synod
