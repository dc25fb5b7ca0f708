// Links over time: identities, loss and return, slow peers, silence, ends.
#include <gtest/gtest.h>

#include "tests/unit/net/raw_peer.h"

namespace synod {
namespace {

TEST(LinkLife, ASecondProcessWithTheSameIdentityIsRefused) {
  Party party;
  ClientEnd& first = party.AddOpenSite("site-a");
  ClientEnd& second = party.AddSite("site-a");
  ASSERT_TRUE(party.Until([&] { return !second.heard.closed.empty(); }));
  EXPECT_EQ(second.heard.LastReason(), GoodbyeReason::kDuplicateIdentity);
  EXPECT_TRUE(second.heard.opened.empty());
  EXPECT_TRUE(first.client->open());
}

TEST(LinkLife, TheSameProcessConnectingAgainReplacesItsOldLink) {
  Party party;
  RawPeer first(party, party.kit.Site("site-a"));
  first.Open();
  RawPeer second(party, party.kit.Site("site-a"));  // says the same instance
  second.Open();
  ASSERT_TRUE(party.Until([&] { return party.server.heard.opened.size() == 2; }));
  ASSERT_EQ(party.server.heard.closed.size(), 1u);
  EXPECT_EQ(party.server.heard.closed[0].peer, party.server.heard.opened[0].peer);
  EXPECT_EQ(party.server.server->statistics().open_peers, 1u);
}

TEST(LinkLife, AnOperatorMayHoldSeveralLinks) {
  Party party;
  const TlsFiles files = party.kit.Member(Role::kOperator, "operator");
  ClientEnd& first = party.AddClient(files);
  ASSERT_TRUE(party.Until([&] { return first.client->open(); }));
  ClientEnd& second = party.AddClient(files);
  ASSERT_TRUE(party.Until([&] { return second.client->open(); }));
  EXPECT_TRUE(first.client->open());
}

TEST(LinkLife, OnePersonCannotTakeEveryPlace) {
  Party party;
  const TlsFiles files = party.kit.Member(Role::kOperator, "operator");
  for (std::size_t i = 0; i < limits::kMaxLinksOfOne; ++i) {
    ClientEnd& client = party.AddClient(files);
    ASSERT_TRUE(party.Until([&] { return client.client->open() && party.server.heard.opened.size() == i + 1; }))
        << i << client.heard.LastError();
  }
  ClientEnd& beyond = party.AddClient(files);
  ASSERT_TRUE(party.Until([&] { return !beyond.heard.closed.empty(); }));
  EXPECT_EQ(beyond.heard.LastReason(), GoodbyeReason::kTooManyLinks);
  EXPECT_NE(beyond.heard.LastError().find("too_many_links"), std::string::npos) << beyond.heard.LastError();
  EXPECT_TRUE(beyond.heard.opened.empty());
  party.AddOpenSite("site-a");
  ClientEnd& other = party.AddClient(party.kit.Member(Role::kOperator, "other"));
  ASSERT_TRUE(party.Until([&] { return other.client->open(); })) << "somebody else is not kept out";
  EXPECT_EQ(party.server.server->statistics().open_peers, limits::kMaxLinksOfOne + 2);
  // One that ends makes room for the next.
  const std::size_t closed = party.server.heard.closed.size();
  party.clients[0]->client->Close(GoodbyeReason::kShuttingDown);
  ASSERT_TRUE(party.Until([&] { return party.server.heard.closed.size() > closed; }));
  ClientEnd& next = party.AddClient(files);
  EXPECT_TRUE(party.Until([&] { return next.client->open(); })) << next.heard.LastError();
}

TEST(LinkLife, AClientComesBackAfterTheServerWasAway) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a", /*reconnect=*/true);
  const std::uint16_t port = party.server.server->port();
  party.server.server.reset();
  ASSERT_TRUE(party.Until([&] { return site.heard.closed.size() >= 3; }));  // the loss, and attempts in vain
  EXPECT_FALSE(site.client->open());
  EXPECT_NE(site.heard.LastError().find("cannot connect to 127.0.0.1"), std::string::npos) << site.heard.LastError();
  party.server = ServerEnd::Listen(party.clock, party.kit.Coordinator(), party.ServerRules(), port);
  ASSERT_TRUE(party.Until([&] { return site.client->open(); }));
  EXPECT_NE(site.heard.opened[0].peer, site.heard.opened[1].peer);
  ASSERT_TRUE(site.client->Send({AnswerRefused{}, nullptr}).ok());
  EXPECT_TRUE(party.Until([&] { return !party.server.heard.messages.empty(); }));
}

TEST(LinkLife, PausesBetweenAttemptsGrow) {
  Party party;
  party.server.server.reset();
  NetKit& kit = party.kit;
  LinkClient::Settings settings{"127.0.0.1:1", kit.Site("site-a"), party.ClientRules(), true};
  auto client = LinkClient::Create(settings, party.clock);
  ASSERT_TRUE(client.ok());
  std::vector<double> pauses;
  for (int i = 0; i < 12; ++i) {
    std::size_t closed = 0;
    for (int step = 0; step < 1000 && closed == 0; ++step) {
      closed = (*client)->Advance().size();
      usleep(1000);
    }
    ASSERT_EQ(closed, 1u);
    pauses.push_back((*client)->next_timer() - party.clock.MonotonicSeconds());
    party.clock.monotonic_offset = party.clock.monotonic_offset + limits::kMaxReconnectSeconds + 1.0;
  }
  EXPECT_LE(pauses[0], limits::kFirstReconnectSeconds);
  EXPECT_GE(pauses[11], limits::kMaxReconnectSeconds / 2 - 1.0);
  EXPECT_LE(pauses[11], limits::kMaxReconnectSeconds);
}

TEST(LinkLife, AnAddressThatIsNoneIsAnError) {
  Party party;
  LinkClient::Settings settings{"nowhere", party.kit.Site("site-a"), party.ClientRules(), false};
  auto client = LinkClient::Create(settings, party.clock);
  ASSERT_TRUE(client.ok());
  const std::vector<LinkEvent> events = (*client)->Advance();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_NE(std::get<PeerClosed>(events[0]).error.message.find("HOST:PORT"), std::string::npos);
}

TEST(LinkLife, APortThatIsTakenIsAnError) {
  Party party;
  LinkServer::Settings settings{"127.0.0.1:" + std::to_string(party.server.server->port()), party.kit.Coordinator(),
                                party.ServerRules()};
  const auto second = LinkServer::Listen(settings, party.clock);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kConnection);
}

TEST(LinkLife, AKeyOfAnotherCertificateIsAnError) {
  Party party;
  TlsFiles files = party.kit.Site("site-a");
  files.key_file = party.kit.Site("site-b").key_file;
  LinkClient::Settings settings{"127.0.0.1:1", files, party.ClientRules(), false};
  const auto client = LinkClient::Create(settings, party.clock);
  ASSERT_FALSE(client.ok());
  EXPECT_NE(client.error().message.find("is not the key of"), std::string::npos) << client.error().message;
}

TEST(LinkLife, ARevokedPeerIsClosedWhenPeersAreCheckedAgain) {
  Party party;
  party.server.server.reset();
  bool revoked = false;
  LinkRules rules = party.ServerRules();
  rules.check_peer = [&, check = rules.check_peer](const X509Certificate& leaf) -> Status {
    if (revoked && leaf.facts().identity.name == "site-a") return Refused("site-a is revoked");
    return check(leaf);
  };
  party.server = ServerEnd::Listen(party.clock, party.kit.Coordinator(), rules);
  ClientEnd& site_a = party.AddOpenSite("site-a");
  ClientEnd& site_b = party.AddOpenSite("site-b");
  revoked = true;
  party.server.server->CheckPeersAgain();
  ASSERT_TRUE(party.Until([&] { return !site_a.heard.closed.empty(); }));
  EXPECT_EQ(site_a.heard.LastReason(), GoodbyeReason::kRevoked);
  ASSERT_EQ(party.server.heard.closed.size(), 1u);
  EXPECT_EQ(party.server.heard.closed[0].reason, GoodbyeReason::kRevoked);
  EXPECT_NE(party.server.heard.LastError().find("revoked"), std::string::npos);
  EXPECT_TRUE(site_b.client->open());
}

TEST(LinkLife, ARevokedCoordinatorIsClosedWhenItsClientChecksAgainAndGetsNothingMore) {
  Party party;
  bool revoked = false;
  LinkRules rules = party.ClientRules();
  rules.check_peer = [&, check = rules.check_peer](const X509Certificate& leaf) -> Status {
    if (revoked) return Refused("the coordinator is revoked");
    return check(leaf);
  };
  party.clients.push_back(std::make_unique<ClientEnd>(
      ClientEnd::Connect(party.clock, party.kit.Site("site-a"), rules, party.server.server->port())));
  ClientEnd& site = *party.clients.back();
  ASSERT_TRUE(party.Until([&] { return site.client->open() && party.server.PeerNamed("site-a") != 0; }));
  EXPECT_TRUE(site.client->CheckPeerAgain());
  EXPECT_TRUE(site.client->open());
  // It is on its way when the site learns.
  ASSERT_TRUE(party.server.server->Send(party.server.PeerNamed("site-a"), {RunNotice{}, nullptr}).ok());
  revoked = true;
  EXPECT_FALSE(site.client->CheckPeerAgain());
  EXPECT_FALSE(site.client->open());
  EXPECT_FALSE(site.client->Send({AnswerRefused{}, nullptr}).ok());
  ASSERT_TRUE(party.Until([&] { return !site.heard.closed.empty() && !party.server.heard.closed.empty(); }));
  EXPECT_EQ(site.heard.closed[0].reason, GoodbyeReason::kRevoked);
  EXPECT_NE(site.heard.LastError().find("revoked"), std::string::npos);
  EXPECT_EQ(party.server.heard.LastReason(), GoodbyeReason::kRevoked);
  EXPECT_TRUE(site.heard.messages.empty()) << "what it said after that is not heard";
  EXPECT_TRUE(party.server.heard.messages.empty());
  EXPECT_TRUE(site.client->CheckPeerAgain()) << "there is no link";
}

TEST(LinkLife, HeartbeatsKeepAnIdleLinkAndSilenceEndsIt) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a");
  for (int i = 0; i < 10; ++i) {
    party.clock.monotonic_offset = party.clock.monotonic_offset + limits::kHeartbeatSeconds + 0.1;
    party.For(0.02);
  }
  EXPECT_TRUE(site.client->open());
  EXPECT_EQ(party.server.server->statistics().open_peers, 1u);
  // Time in which the site's process stands still; its last heartbeat may be on its way.
  std::vector<LinkEvent> events;
  for (int i = 0; i < 2 && events.empty(); ++i) {
    party.clock.monotonic_offset = party.clock.monotonic_offset + limits::kSilenceSeconds + 1.0;
    events = party.server.server->Advance();
  }
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(std::get<PeerClosed>(events[0]).error.code, ErrorCode::kTimeout);
}

TEST(LinkLife, CloseSendsWhatIsQueuedFirst) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a");
  const auto payload = PayloadOf(5 * limits::kChunkBytes);
  ASSERT_TRUE(site.client->Send({Answer{}, payload}).ok());
  site.client->Close(GoodbyeReason::kShuttingDown);
  EXPECT_FALSE(site.client->Send({Answer{}, nullptr}).ok());
  ASSERT_TRUE(party.Until([&] { return !party.server.heard.closed.empty() && !site.heard.closed.empty(); }));
  ASSERT_EQ(party.server.heard.messages.size(), 1u);
  EXPECT_EQ(*party.server.heard.messages[0].envelope.payload, *payload);
  EXPECT_EQ(party.server.heard.LastReason(), GoodbyeReason::kShuttingDown);
  EXPECT_EQ(site.heard.LastReason(), GoodbyeReason::kShuttingDown);
}

TEST(LinkLife, ServersCloseTellsThePeer) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a");
  party.server.server->Close(party.server.PeerNamed("site-a"), GoodbyeReason::kShuttingDown);
  ASSERT_TRUE(party.Until([&] { return !site.heard.closed.empty() && !party.server.heard.closed.empty(); }));
  EXPECT_EQ(site.heard.LastReason(), GoodbyeReason::kShuttingDown);
  EXPECT_EQ(party.server.server->statistics().open_peers, 0u);
  EXPECT_FALSE(party.server.server->Send(party.server.PeerNamed("site-a"), {QueryClosed{}, nullptr}).ok());
}

TEST(LinkLife, AReloadedCertificateIsUsedForNewLinks) {
  Party party;
  ClientEnd& before = party.AddOpenSite("site-a");
  NetKit other;
  std::filesystem::copy_file(other.Coordinator().certificate_file, party.kit.Coordinator().certificate_file,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(party.server.server->Reload().ok());  // another key: the old files stay in use
  std::filesystem::copy_file(other.Coordinator().key_file, party.kit.Coordinator().key_file,
                             std::filesystem::copy_options::overwrite_existing);
  ASSERT_TRUE(party.server.server->Reload().ok());
  ClientEnd& after = party.AddSite("site-b");
  ASSERT_TRUE(party.Until([&] { return !after.heard.closed.empty(); }));
  EXPECT_NE(after.heard.LastError().find("verify failed"), std::string::npos);
  EXPECT_TRUE(before.client->open());
}

TEST(LinkLife, AStalledReaderIsBoundedAndClosedWhileAnotherTransferGoesOn) {
  Party party;
  RawPeer stalled(party, party.kit.Site("stalled"));
  stalled.Open();
  ClientEnd& good = party.AddOpenSite("good");
  const PeerId stalled_peer = party.server.PeerNamed("stalled");
  const std::uint64_t sent_before = party.server.server->statistics().bytes_sent;
  // Nobody reads these.
  const auto payload = PayloadOf(20 * limits::kChunkBytes);
  ASSERT_TRUE(party.server.server->Send(stalled_peer, {DraftToSign{}, payload}).ok());
  party.For(0.1);
  EXPECT_LE(party.server.server->statistics().bytes_sent - sent_before,
            (limits::kChunksInFlight + 1) * (limits::kChunkBytes + 4096));
  ASSERT_TRUE(party.server.server->Send(party.server.PeerNamed("good"), {DraftToSign{}, payload}).ok());
  ASSERT_TRUE(party.Until([&] { return !good.heard.messages.empty(); }));
  EXPECT_EQ(*good.heard.messages[0].envelope.payload, *payload);
  // It lives, it only does not read: it is heard of before its silence would close it.
  party.clock.monotonic_offset = 0.6 * limits::kSilenceSeconds;
  stalled.SendMessage(Heartbeat{});
  party.For(0.3);
  ASSERT_TRUE(party.server.heard.closed.empty());
  party.clock.monotonic_offset = limits::kSilenceSeconds + 1.0;
  ASSERT_TRUE(party.Until([&] { return !party.server.heard.closed.empty(); }));
  EXPECT_EQ(party.server.heard.closed[0].peer, stalled_peer);
  EXPECT_EQ(party.server.heard.closed[0].reason, GoodbyeReason::kTooSlow);
}

TEST(LinkLife, AQueueThatIsFullClosesThePeerAsTooSlow) {
  Party party;
  RawPeer stalled(party, party.kit.Site("stalled"));
  stalled.Open();
  const PeerId peer = party.server.PeerNamed("stalled");
  ASSERT_TRUE(party.server.server->Send(peer, {DraftToSign{}, PayloadOf(10 * limits::kChunkBytes)}).ok());
  Status sent;
  std::size_t count = 0;
  while (sent.ok() && count < 2 * limits::kMaxQueuedEnvelopes) {
    sent = party.server.server->Send(peer, {QueryClosed{}, nullptr});
    ++count;
  }
  EXPECT_LE(count, limits::kMaxQueuedEnvelopes + 1);
  ASSERT_TRUE(party.Until([&] { return !party.server.heard.closed.empty(); }));
  EXPECT_EQ(party.server.heard.closed[0].reason, GoodbyeReason::kTooSlow);
}

TEST(LinkLife, SmallMessagesAreNotStuckBehindALargePayload) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a");
  const PeerId peer = party.server.PeerNamed("site-a");
  ASSERT_TRUE(party.server.server->Send(peer, {DraftToSign{RunNumber(1)}, PayloadOf(12 * limits::kChunkBytes)}).ok());
  ASSERT_TRUE(party.server.server->Send(peer, {QueryAsk{}, PayloadOf(1000)}).ok());
  ASSERT_TRUE(party.server.server->Send(peer, {QueryClosed{}, nullptr}).ok());
  ASSERT_TRUE(party.Until([&] { return site.heard.messages.size() == 3; }));
  EXPECT_TRUE(std::holds_alternative<QueryAsk>(site.heard.messages[0].envelope.message));
  EXPECT_TRUE(std::holds_alternative<QueryClosed>(site.heard.messages[1].envelope.message));
  EXPECT_TRUE(std::holds_alternative<DraftToSign>(site.heard.messages[2].envelope.message));
}

TEST(LinkLife, ManyLargePayloadsAtOnceKeepToTheReceiversLimit) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a");
  const PeerId peer = party.server.PeerNamed("site-a");
  const auto payload = PayloadOf(3 * limits::kChunkBytes);
  for (std::uint8_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(party.server.server->Send(peer, {DraftToSign{RunNumber(i)}, payload}).ok());
  }
  ASSERT_TRUE(party.Until([&] { return site.heard.messages.size() == 10; })) << site.heard.LastError();
}

TEST(LinkLife, BytesOnTheWireAreAtMostOnePerCentMoreThanThePayload) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a");
  const auto payload = PayloadOf(16u << 20);
  const std::uint64_t before = site.client->statistics().bytes_received;
  ASSERT_TRUE(party.server.server->Send(party.server.PeerNamed("site-a"), {DraftToSign{}, payload}).ok());
  ASSERT_TRUE(party.Until([&] { return !site.heard.messages.empty(); }));
  const std::uint64_t received = site.client->statistics().bytes_received - before;
  EXPECT_LE(static_cast<double>(received), 1.01 * static_cast<double>(payload->size()));
}

TEST(LinkLife, AMessageThatCannotBeEncodedIsAnErrorAndClosesNothing) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a");
  OperatorReply reply;
  reply.message.assign(limits::kMaxTextBytes + 1, 'x');
  const Status sent = party.server.server->Send(party.server.PeerNamed("site-a"), {reply, nullptr});
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, ErrorCode::kBadInput);
  party.For(0.05);
  EXPECT_TRUE(site.client->open());
}

}  // namespace
}  // namespace synod
