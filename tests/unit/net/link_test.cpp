#include <gtest/gtest.h>

#include "common/wire/limits.h"
#include "tests/unit/net/net_party.h"

namespace synod {
namespace {

TEST(Link, OpensWhenBothSidesAreMembers) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a");
  ASSERT_EQ(party.server.heard.opened.size(), 1u);
  EXPECT_EQ(party.server.heard.opened[0].identity.Uri(), "synod://heart/site/site-a");
  EXPECT_EQ(party.server.heard.opened[0].hello.manifest_number, 3u);
  ASSERT_EQ(site.heard.opened.size(), 1u);
  EXPECT_EQ(site.heard.opened[0].identity.role, Role::kCoordinator);
  EXPECT_EQ(party.server.server->statistics().open_peers, 1u);
}

TEST(Link, CarriesMessagesInOrderBothWays) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a");
  const PeerId peer = party.server.PeerNamed("site-a");
  for (std::uint32_t i = 0; i < 200; ++i) {
    ASSERT_TRUE(party.server.server->Send(peer, {QueryClosed{RunNumber(1), i}, nullptr}).ok());
    ASSERT_TRUE(site.client->Send({AnswerRefused{{RunNumber(2), i, 0}, RefusalReason::kReplayed}, nullptr}).ok());
  }
  ASSERT_TRUE(
      party.Until([&] { return site.heard.messages.size() == 200 && party.server.heard.messages.size() == 200; }));
  for (std::uint32_t i = 0; i < 200; ++i) {
    EXPECT_EQ(std::get<QueryClosed>(site.heard.messages[i].envelope.message).query, i);
    EXPECT_EQ(std::get<AnswerRefused>(party.server.heard.messages[i].envelope.message).name.query, i);
  }
}

TEST(Link, CarriesPayloadsOfEverySize) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a");
  const PeerId peer = party.server.PeerNamed("site-a");
  const std::vector<std::size_t> sizes = {
      0, 1, limits::kChunkBytes - 1, limits::kChunkBytes, limits::kChunkBytes + 1, 20 * limits::kChunkBytes + 17};
  for (const std::size_t size : sizes) {
    const auto payload = PayloadOf(size);
    ASSERT_TRUE(party.server.server->Send(peer, {DraftToSign{RunNumber(1)}, payload}).ok());
    ASSERT_TRUE(site.client->Send({Answer{{RunNumber(1), 0, 0}}, payload}).ok());
    ASSERT_TRUE(party.Until([&] { return !site.heard.messages.empty() && !party.server.heard.messages.empty(); }))
        << size << site.heard.LastError() << party.server.heard.LastError();
    EXPECT_EQ(*site.heard.messages[0].envelope.payload, *payload);
    EXPECT_EQ(*party.server.heard.messages[0].envelope.payload, *payload);
    site.heard.messages.clear();
    party.server.heard.messages.clear();
  }
}

}  // namespace
}  // namespace synod
