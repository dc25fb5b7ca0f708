// Slots, grants and uploads that break off.
#include <gtest/gtest.h>

#include <algorithm>

#include "secure_agg/upload_slot.h"
#include "tests/unit/secure_agg/attempt_world.h"

namespace synod::secure_agg::testing {
namespace {

TEST(UploadSlot, TakesChunksInOrderAndNothingElse) {
  UploadSlot slot(kChunkBytes + 8, 3);
  const Bytes whole(kChunkBytes, 1);
  const Bytes rest(8, 2);
  EXPECT_EQ(slot.Take(1, rest), UploadSlot::Taken::kAhead);
  EXPECT_EQ(slot.Take(0, rest), UploadSlot::Taken::kWrongLength);
  EXPECT_EQ(slot.Take(0, whole), UploadSlot::Taken::kYes);
  EXPECT_EQ(slot.Take(0, whole), UploadSlot::Taken::kRepeated);
  EXPECT_FALSE(slot.complete());
  EXPECT_EQ(slot.Take(1, rest), UploadSlot::Taken::kYes);
  EXPECT_TRUE(slot.complete());
  EXPECT_EQ(slot.Take(2, rest), UploadSlot::Taken::kWrongLength) << "beyond the end";
  Poly1305::Key key{};
  key[3] = 7;
  Poly1305 mac(key);
  mac.Update(whole);
  mac.Update(rest);
  Poly1305::Tag tag = mac.Finish();
  EXPECT_TRUE(slot.Matches(key, tag));
  tag[15] ^= 0x80;
  EXPECT_FALSE(slot.Matches(key, tag));
  slot.Reset(1);
  EXPECT_EQ(slot.site(), 1u);
  EXPECT_EQ(slot.next_chunk(), 0u);
  EXPECT_FALSE(slot.complete());
}

// All sites up to the point where their uploads are granted.
class Uploading {
 public:
  explicit Uploading(WorldOptions options) : world(options), setup(world.Setup()), server(setup) {
    for (SiteIndex site = 0; site < world.sites(); ++site) {
      sites.push_back(
          std::make_unique<SiteAttempt>(world.Self(site, setup), world.Random(), Bytes{}, world.home(site).promises));
      Take(site, sites[site]->Start());
    }
    Settle();
  }

  // Passes all messages on but uploads; grants are kept.
  void Settle() {
    while (!to_server_.empty()) {
      for (auto& [site, message] : std::exchange(to_server_, {})) Take(server.OnMessage(site, message));
    }
  }
  void Take(SiteIndex site, SiteActions actions) {
    for (SiteAction& action : actions) {
      if (auto* send = std::get_if<SendToCoordinator>(&action)) to_server_.emplace_back(site, send->message);
      if (auto* upload = std::get_if<SendUpload>(&action)) first[site] = upload->first_chunk;
    }
    Take2(site);
  }
  void Take(ServerActions actions) {
    for (ServerAction& action : actions) {
      if (auto* send = std::get_if<SendToSite>(&action)) Take(send->site, sites[send->site]->OnMessage(*send->message));
      if (std::holds_alternative<ReadyToOpen>(action)) Take(server.Open(1));
      if (auto* done = std::get_if<Opened>(&action)) opened = std::move(*done);
    }
  }
  // Sends chunks of a site from its grant up to `end`, and what follows the last one.
  void Send(SiteIndex site, std::uint32_t end) {
    SiteAttempt& attempt = *sites[site];
    for (std::uint32_t i = first.at(site); i < std::min(end, attempt.chunks()); ++i) {
      Take(server.OnChunk(site, attempt.Chunk(i)));
    }
    if (end < attempt.chunks()) return;
    first.erase(site);
    Take(server.OnMessage(site, attempt.EndOfUpload()));
    Settle();
  }
  void SendAll() {
    while (!first.empty()) Send(first.begin()->first, ~0u);
  }

  AttemptWorld world;
  std::shared_ptr<const AttemptSetup> setup;
  ServerAttempt server;
  std::vector<std::unique_ptr<SiteAttempt>> sites;
  std::map<SiteIndex, std::uint32_t> first;  // granted: the next chunk
  std::optional<Opened> opened;

 private:
  void Take2(SiteIndex site) {
    SiteAttempt& attempt = *sites[site];
    SiteActions more = attempt.AcceptPeers();
    if (attempt.wants_input()) {
      more = attempt.OnInput(world.Unmasked(site, setup->name()), *world.Charge(site, setup->name()));
    }
    if (!more.empty()) Take(site, std::move(more));
  }
  std::vector<std::pair<SiteIndex, SiteMessage>> to_server_;
};

// So long that no more than two are collected at once.
constexpr std::uint64_t kLong = 5 * kChunkBytes / 4 + 1;

TEST(Upload, TwoAtATimeWhereVectorsAreLong) {
  Uploading uploads({.sites = 4, .dimension = kLong});
  EXPECT_EQ(uploads.first.size(), 2u);
  EXPECT_EQ(uploads.server.Uploading(), (std::vector<SiteIndex>{0, 1}));
  uploads.SendAll();
  ASSERT_TRUE(uploads.opened);
  EXPECT_EQ(uploads.opened->sum.words(), uploads.world.SumOf({0, 1, 2, 3}, uploads.setup->name()));
}

TEST(Upload, GoesOnWhereItBrokeOffWithTheSameBytes) {
  Uploading uploads({.sites = 3, .dimension = kLong});
  const MaskedChunk before = uploads.sites[0]->Chunk(1);
  const Bytes bytes(before.words.begin(), before.words.end());
  uploads.Send(0, 3);
  uploads.first.clear();
  uploads.Take(0, uploads.sites[0]->OnReconnect());
  uploads.Take(uploads.server.OnReconnect(0));
  ASSERT_EQ(uploads.first.at(0), 3u) << "the receiver has three chunks";
  const MaskedChunk after = uploads.sites[0]->Chunk(1);
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), after.words.begin(), after.words.end()));
  uploads.first[1] = 0;
  uploads.SendAll();
  ASSERT_TRUE(uploads.opened);
  EXPECT_EQ(uploads.opened->sum.words(), uploads.world.SumOf({0, 1, 2}, uploads.setup->name()));
}

TEST(Upload, AStalledOneLosesItsSlotToOneThatWaitsAndComesLater) {
  Uploading uploads({.sites = 4, .dimension = kLong});
  uploads.Send(0, 2);
  uploads.first.erase(0);
  uploads.Take(uploads.server.OnUploadStalled(0));
  EXPECT_EQ(uploads.server.Uploading(), (std::vector<SiteIndex>{1, 2}));
  uploads.Send(1, ~0u);
  uploads.Send(2, ~0u);
  EXPECT_EQ(uploads.server.Uploading(), (std::vector<SiteIndex>{0, 3}));
  EXPECT_EQ(uploads.first.at(0), 0u) << "it begins again";
  uploads.SendAll();
  ASSERT_TRUE(uploads.opened);
  EXPECT_EQ(uploads.opened->survivors.size(), 4u);
}

TEST(Upload, AStalledOneKeepsItsSlotWhereNobodyWaits) {
  Uploading uploads({.sites = 3, .dimension = 10});
  EXPECT_TRUE(uploads.server.OnUploadStalled(1).empty());
  EXPECT_EQ(uploads.server.Uploading().size(), 3u);
}

TEST(Upload, OfAnEndBeforeAllChunksIsAskedForTheRest) {
  Uploading uploads({.sites = 3, .dimension = kLong});
  uploads.Send(0, 2);
  uploads.first.clear();
  uploads.Take(uploads.server.OnMessage(0, uploads.sites[0]->EndOfUpload()));
  EXPECT_EQ(uploads.first.at(0), 2u);
}

TEST(Upload, ThatComesAfterTheSurvivorsWereNamedIsDropped) {
  Uploading uploads({.sites = 4, .dimension = 10});
  for (const SiteIndex site : {0u, 1u, 2u}) uploads.Send(site, ~0u);
  const Bytes late(40, 1);
  uploads.Take(uploads.server.OnPhaseDeadline());
  uploads.Settle();
  ASSERT_TRUE(uploads.opened);
  EXPECT_EQ(uploads.opened->survivors, (std::vector<SiteIndex>{0, 1, 2}));
  EXPECT_TRUE(uploads.sites[3]->ended()) << "it is told that the attempt goes on without it";
  EXPECT_TRUE(uploads.server.OnChunk(3, {uploads.setup->name(), 0, late}).empty());
}

}  // namespace
}  // namespace synod::secure_agg::testing
