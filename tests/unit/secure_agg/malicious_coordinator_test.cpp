// The tests play a coordinator that cheats; honest sites must refuse, and nothing of theirs may be opened.
#include <gtest/gtest.h>

#include "common/crypto/sha256.h"
#include "secure_agg/signed_messages.h"
#include "tests/unit/secure_agg/attempt_world.h"

namespace synod::secure_agg::testing {
namespace {

using Change = std::function<void(SiteIndex to, CoordinatorMessage& message)>;

// Runs an attempt in which the coordinator changes what it says.
void RunChanged(DirectAttempt& attempt, const Change& change) {
  attempt.to_site = [&change](SiteIndex to, CoordinatorMessage message) -> std::optional<CoordinatorMessage> {
    change(to, message);
    return message;
  };
  attempt.Run();
}

// Changes every list of one kind, and expects that all sites refuse for this reason.
template <typename List>
void ExpectRefused(FailureReason reason, const std::function<void(AttemptWorld&, List&)>& change,
                   std::uint32_t sites = 5) {
  AttemptWorld world({.sites = sites});
  DirectAttempt attempt(world);
  RunChanged(attempt, [&](SiteIndex, CoordinatorMessage& message) {
    if (auto* list = std::get_if<List>(&message.body)) change(world, *list);
  });
  EXPECT_FALSE(attempt.sum());
  for (SiteIndex site = 0; site < sites; ++site) {
    ASSERT_TRUE(attempt.site(site).failure()) << "site " << site;
    EXPECT_EQ(attempt.site(site).failure()->reason, reason) << FailureReasonName(attempt.site(site).failure()->reason);
  }
}

// A member invented by the coordinator: site 4 never came, its keys are the coordinator's, signed with a key of its
// own.
TEST(MaliciousCoordinator, CannotAddASiteWhoseKeyIsNotOnTheRoster) {
  AttemptWorld world({.sites = 5});
  DirectAttempt attempt(world);
  attempt.from_site = [](SiteIndex from, SiteMessage message) -> std::optional<SiteMessage> {
    return from == 4 ? std::nullopt : std::optional(message);
  };
  RunChanged(attempt, [&world](SiteIndex, CoordinatorMessage& message) {
    auto* list = std::get_if<AdvertisementList>(&message.body);
    if (list == nullptr) return;
    Advertisement invented;
    SecretRandom random = world.Random();
    invented.share_key = AgreementKey::Generate(random).public_key();
    invented.mask_key = AgreementKey::Generate(random).public_key();
    invented.signature = SignatureOf(*world.Setup(), 4, invented, SigningKey::Generate());
    list->entries.push_back({4, invented});
  });
  EXPECT_FALSE(attempt.sum());
  for (SiteIndex site = 0; site < 4; ++site) {
    EXPECT_EQ(attempt.site(site).failure()->reason, FailureReason::kForgedMember);
  }
}

TEST(MaliciousCoordinator, CannotReplaceAKey) {
  for (const bool share_key : {true, false}) {
    AttemptWorld world({.sites = 5});
    DirectAttempt attempt(world);
    RunChanged(attempt, [&](SiteIndex to, CoordinatorMessage& message) {
      auto* list = std::get_if<AdvertisementList>(&message.body);
      if (list == nullptr) return;
      Advertisement& peer = list->entries[(to + 1) % 5].advertisement;
      SecretRandom random = world.Random();
      (share_key ? peer.share_key : peer.mask_key) = AgreementKey::Generate(random).public_key();
    });
    EXPECT_FALSE(attempt.sum());
    for (SiteIndex site = 0; site < 5; ++site) {
      EXPECT_EQ(attempt.site(site).failure()->reason, FailureReason::kForgedMember);
    }
  }
}

TEST(MaliciousCoordinator, CannotSwapTheKeysOfTwoSites) {
  AttemptWorld world({.sites = 5});
  DirectAttempt attempt(world);
  RunChanged(attempt, [](SiteIndex, CoordinatorMessage& message) {
    auto* list = std::get_if<AdvertisementList>(&message.body);
    if (list != nullptr) std::swap(list->entries[0].advertisement, list->entries[1].advertisement);
  });
  EXPECT_FALSE(attempt.sum());
  EXPECT_EQ(attempt.site(0).failure()->reason, FailureReason::kNotIncluded);
  EXPECT_EQ(attempt.site(1).failure()->reason, FailureReason::kNotIncluded);
  for (const SiteIndex site : {2u, 3u, 4u}) {
    EXPECT_EQ(attempt.site(site).failure()->reason, FailureReason::kForgedMember);
  }
}

TEST(MaliciousCoordinator, CannotChangeAStatement) {
  AttemptWorld world({.sites = 4});
  DirectAttempt attempt(world);
  RunChanged(attempt, [](SiteIndex to, CoordinatorMessage& message) {
    auto* list = std::get_if<AdvertisementList>(&message.body);
    if (list != nullptr) list->entries[(to + 1) % 4].advertisement.statement.push_back(9);
  });
  EXPECT_FALSE(attempt.sum());
  for (SiteIndex site = 0; site < 4; ++site) {
    EXPECT_EQ(attempt.site(site).failure()->reason, FailureReason::kForgedMember);
  }
}

TEST(MaliciousCoordinator, CannotListASiteTwiceOrOutOfOrder) {
  ExpectRefused<AdvertisementList>(FailureReason::kBadList, [](AttemptWorld&, AdvertisementList& list) {
    list.entries.push_back(list.entries.back());
  });
  ExpectRefused<AdvertisementList>(FailureReason::kBadList, [](AttemptWorld&, AdvertisementList& list) {
    std::reverse(list.entries.begin(), list.entries.end());
  });
  ExpectRefused<AdvertisementList>(FailureReason::kBadList,
                                   [](AttemptWorld&, AdvertisementList& list) { list.entries.back().site = 77; });
  ExpectRefused<ShareList>(FailureReason::kBadList,
                           [](AttemptWorld&, ShareList& list) { list.entries.push_back(list.entries.back()); });
}

TEST(MaliciousCoordinator, CannotMakeTheCrowdSmallerThanTheQuorum) {
  ExpectRefused<AdvertisementList>(FailureReason::kTooFewSites,
                                   [](AttemptWorld&, AdvertisementList& list) { list.entries.resize(3); });
  ExpectRefused<ShareList>(FailureReason::kTooFewSites, [](AttemptWorld&, ShareList& list) { list.entries.resize(3); });
}

TEST(MaliciousCoordinator, CannotAskForASumBelowTheQuorum) {
  AttemptWorld world({.sites = 5});
  DirectAttempt attempt(world);
  RunChanged(attempt, [](SiteIndex to, CoordinatorMessage& message) {
    auto* list = std::get_if<SurvivorList>(&message.body);
    if (list != nullptr) list->survivors = to < 3 ? std::vector<SiteIndex>{0, 1, 2} : std::vector<SiteIndex>{2, 3, 4};
  });
  EXPECT_FALSE(attempt.sum());
  for (SiteIndex site = 0; site < 5; ++site) {
    EXPECT_EQ(attempt.site(site).failure()->reason, FailureReason::kSurvivorsTooFew);
  }
}

TEST(MaliciousCoordinator, CannotCountASiteThatNeverSharedItsKeys) {
  AttemptWorld world({.sites = 5});
  DirectAttempt attempt(world);
  attempt.from_site = [](SiteIndex from, SiteMessage message) -> std::optional<SiteMessage> {
    if (from == 4 && std::holds_alternative<ShareBundle>(message.body)) return std::nullopt;
    return message;
  };
  RunChanged(attempt, [](SiteIndex, CoordinatorMessage& message) {
    if (auto* list = std::get_if<SurvivorList>(&message.body)) list->survivors.push_back(4);
  });
  EXPECT_FALSE(attempt.sum());
  for (SiteIndex site = 0; site < 4; ++site) {
    EXPECT_EQ(attempt.site(site).failure()->reason, FailureReason::kSurvivorsOutside);
  }
}

TEST(MaliciousCoordinator, CannotLeaveASiteOutOfTheSetThatItSigns) {
  AttemptWorld world({.sites = 5});
  DirectAttempt attempt(world);
  RunChanged(attempt, [](SiteIndex to, CoordinatorMessage& message) {
    if (auto* list = std::get_if<SurvivorList>(&message.body)) std::erase(list->survivors, to);
  });
  EXPECT_FALSE(attempt.sum());
  for (SiteIndex site = 0; site < 5; ++site) {
    EXPECT_EQ(attempt.site(site).failure()->reason, FailureReason::kNotIncluded);
  }
}

// The attack that the consistency round is there for: half of the sites are told that site 0 survived, half that it did
// not, so that between them they would reveal both of its secrets.
TEST(MaliciousCoordinator, CannotHaveTwoSurvivorSetsOpened) {
  AttemptWorld world({.sites = 5});
  DirectAttempt attempt(world);
  RunChanged(attempt, [](SiteIndex to, CoordinatorMessage& message) {
    auto* list = std::get_if<SurvivorList>(&message.body);
    if (list != nullptr && to >= 3) list->survivors = {1, 2, 3, 4};
  });
  EXPECT_FALSE(attempt.sum());
  EXPECT_EQ(attempt.failure()->reason, FailureReason::kTooFewSignatures);
}

bool IsRefusal(const SiteActions& actions, FailureReason reason) {
  const Failure* failure = actions.size() == 1 ? std::get_if<Failure>(&actions[0]) : nullptr;
  return failure != nullptr && failure->reason == reason;
}

TEST(MaliciousCoordinator, CannotHaveASecondSurvivorSetSignedByASite) {
  AttemptWorld world({.sites = 5});
  DirectAttempt attempt(world);
  attempt.to_site = [&](SiteIndex to, CoordinatorMessage message) -> std::optional<CoordinatorMessage> {
    if (std::holds_alternative<SignatureList>(message.body)) {
      if (to == 0) {
        EXPECT_TRUE(attempt.site(0).OnMessage({attempt.name(), SurvivorList{{0, 1, 2, 3, 4}}}).empty())
            << "the same set again says nothing new";
        EXPECT_TRUE(IsRefusal(attempt.site(0).OnMessage({attempt.name(), SurvivorList{{0, 1, 2, 3}}}),
                              FailureReason::kAlreadyPromised));
      }
      return std::nullopt;
    }
    return message;
  };
  attempt.Run();
  EXPECT_FALSE(attempt.sum());
}

TEST(MaliciousCoordinator, CannotOpenWithFewerOrForgedOrForeignSignatures) {
  using Spoil = std::function<void(AttemptWorld&, SignatureList&)>;
  const std::vector<Spoil> spoils = {
      [](AttemptWorld&, SignatureList& list) { list.entries.resize(3); },
      [](AttemptWorld&, SignatureList& list) { list.entries[2].signature[5] ^= 1; },
      [](AttemptWorld&, SignatureList& list) { list.entries[2].signature = list.entries[1].signature; },
      [](AttemptWorld& world, SignatureList& list) {
        // Signed by everybody, but for another set.
        const ToSign other = ContentOf(*world.Setup(), SurvivorStatement{Digest{}, {0, 1, 2, 3}});
        for (ListedSignature& entry : list.entries) {
          entry.signature = world.home(entry.site).key->Sign(other.label, other.bytes);
        }
      },
  };
  for (const Spoil& spoil : spoils) {
    ExpectRefused<SignatureList>(FailureReason::kBadSignatures, spoil);
  }
  ExpectRefused<SignatureList>(FailureReason::kBadList,
                               [](AttemptWorld&, SignatureList& list) { list.entries[4] = list.entries[3]; });
}

TEST(MaliciousCoordinator, CannotAskASiteForBothSecretsOfAPeer) {
  AttemptWorld world({.sites = 5});
  DirectAttempt attempt(world);
  std::map<SiteIndex, std::vector<Unmasking>> revealed;
  attempt.from_site = [&](SiteIndex from, SiteMessage message) -> std::optional<SiteMessage> {
    if (from == 4 && std::holds_alternative<UploadEnd>(message.body)) return std::nullopt;
    if (const auto* body = std::get_if<Unmasking>(&message.body)) revealed[from].push_back(*body);
    return message;
  };
  std::optional<SignatureList> signatures;
  attempt.to_site = [&](SiteIndex, CoordinatorMessage message) -> std::optional<CoordinatorMessage> {
    if (const auto* list = std::get_if<SignatureList>(&message.body)) signatures = *list;
    if (std::holds_alternative<AttemptClosed>(message.body)) return std::nullopt;
    return message;
  };
  attempt.Run();
  ASSERT_TRUE(attempt.IsExact());
  for (SiteIndex site = 0; site < 4; ++site) {
    ASSERT_EQ(revealed[site].size(), 1u);
    for (const RevealedShare& share : revealed[site][0].shares) {
      EXPECT_EQ(share.kind, share.about == 4 ? SecretKind::kMaskKey : SecretKind::kSelfMask);
    }
    // Whatever is asked now, nothing more is said.
    EXPECT_TRUE(attempt.site(site).OnMessage({attempt.name(), *signatures}).empty());
    EXPECT_TRUE(IsRefusal(attempt.site(site).OnMessage({attempt.name(), SurvivorList{{0, 1, 2, 3, 4}}}),
                          FailureReason::kAlreadyPromised));
  }
}

TEST(MaliciousCoordinator, CannotAskForSurvivorsBeforeTheVectorIsThere) {
  AttemptWorld world({.sites = 4});
  DirectAttempt attempt(world);
  attempt.to_site = [&](SiteIndex, CoordinatorMessage message) -> std::optional<CoordinatorMessage> {
    if (std::holds_alternative<UploadGrant>(message.body)) message.body = SurvivorList{{0, 1, 2, 3}};
    return message;
  };
  attempt.Run();
  for (SiteIndex site = 0; site < 4; ++site) {
    EXPECT_EQ(attempt.site(site).failure()->reason, FailureReason::kOutOfTurn);
  }
}

TEST(MaliciousCoordinator, CannotShowDifferentModelsToDifferentSites) {
  AttemptWorld world({.sites = 4});
  AttemptFacts other = world.Facts();
  other.query_hash[0] ^= 1;
  const auto here = world.Setup();
  const auto there = std::make_shared<const AttemptSetup>(*AttemptSetup::Create(other));
  ASSERT_NE(here->hash(), there->hash());
  InMemoryPromises promises;
  SiteAttempt fooled(world.Self(0, there), world.Random(), {}, promises);
  AdvertisementList list;
  list.entries.push_back({0, std::get<Advertisement>(std::get<SendToCoordinator>(fooled.Start()[0]).message.body)});
  for (SiteIndex site = 1; site < 4; ++site) {
    list.entries.push_back({site, SiteAdvertise(world.Self(site, here), world.Random(), {}).message()});
  }
  EXPECT_TRUE(IsRefusal(fooled.OnMessage({there->name(), list}), FailureReason::kForgedMember));
}

TEST(MaliciousCoordinator, CannotReplayWhatWasSaidInAnotherQueryAttemptOrRun) {
  AttemptWorld world({.sites = 4});
  std::vector<std::shared_ptr<const AttemptSetup>> others = {world.Setup(0, 1), world.Setup(1, 0)};
  AttemptFacts another_run = world.Facts();
  another_run.name.run.bytes[3] ^= 1;
  others.push_back(std::make_shared<const AttemptSetup>(*AttemptSetup::Create(another_run)));
  for (const auto& other : others) {
    AdvertisementList list;
    for (SiteIndex site = 0; site < 4; ++site) {
      list.entries.push_back({site, SiteAdvertise(world.Self(site, other), world.Random(), {}).message()});
    }
    const auto setup = world.Setup();
    InMemoryPromises promises;
    SiteAttempt attempt(world.Self(0, setup), world.Random(), {}, promises);
    list.entries[0].advertisement =
        std::get<Advertisement>(std::get<SendToCoordinator>(attempt.Start()[0]).message.body);
    EXPECT_TRUE(attempt.OnMessage({other->name(), list}).empty()) << "a message of another attempt is dropped";
    EXPECT_EQ(attempt.dropped().other_attempt, 1u);
    EXPECT_TRUE(IsRefusal(attempt.OnMessage({setup->name(), list}), FailureReason::kForgedMember));
  }
}

TEST(MaliciousCoordinator, CannotUseASiteAfterARestartOfItsProcess) {
  AttemptWorld world({.sites = 4});
  DirectAttempt attempt(world);
  attempt.Run();
  ASSERT_TRUE(attempt.IsExact());
  // The process is gone, the promises are not.
  SiteAttempt again(world.Self(0, world.Setup()), world.Random(), {}, world.home(0).promises);
  EXPECT_TRUE(IsRefusal(again.Start(), FailureReason::kAlreadyPromised));
}

// Keeps nothing, and counts.
class BrokenPromises final : public PromiseStore {
 public:
  Result<bool> Has(const QueryName&) const override { return false; }
  Status Keep(const QueryName&, const Digest&) override {
    ++asked;
    return Failed("the disk is full");
  }
  int asked = 0;
};

TEST(Site, SignsNothingThatItCannotPromiseDurably) {
  AttemptWorld world({.sites = 4});
  const auto setup = world.Setup();
  BrokenPromises broken;
  std::vector<std::unique_ptr<SiteAttempt>> sites;
  std::vector<InMemoryPromises> promises(4);
  ServerAttempt server(setup);
  bool signed_by_zero = false;
  std::vector<std::pair<SiteIndex, CoordinatorMessage>> to_sites;
  std::vector<std::pair<SiteIndex, SiteMessage>> to_server;
  const auto take = [&](SiteIndex site, SiteActions actions) {
    for (SiteAction& action : actions) {
      if (auto* send = std::get_if<SendToCoordinator>(&action)) {
        signed_by_zero |= site == 0 && std::holds_alternative<ConsistencySignature>(send->message.body);
        to_server.emplace_back(site, send->message);
      }
      if (std::holds_alternative<SendUpload>(action)) {
        static_cast<void>(server.OnChunk(site, sites[site]->Chunk(0)));
        to_server.emplace_back(site, sites[site]->EndOfUpload());
      }
    }
  };
  for (SiteIndex site = 0; site < 4; ++site) {
    PromiseStore& store = site == 0 ? static_cast<PromiseStore&>(broken) : promises[site];
    sites.push_back(std::make_unique<SiteAttempt>(world.Self(site, setup), world.Random(), Bytes{}, store));
    take(site, sites[site]->Start());
  }
  while (!to_server.empty() || !to_sites.empty()) {
    for (auto& [site, message] : std::exchange(to_server, {})) {
      for (ServerAction& action : server.OnMessage(site, message)) {
        if (auto* send = std::get_if<SendToSite>(&action)) to_sites.emplace_back(send->site, *send->message);
      }
    }
    for (auto& [site, message] : std::exchange(to_sites, {})) {
      take(site, sites[site]->OnMessage(message));
      take(site, sites[site]->AcceptPeers());
      if (sites[site]->wants_input()) {
        take(site, sites[site]->OnInput(world.Unmasked(site, setup->name()), *world.Charge(site, setup->name())));
      }
    }
  }
  EXPECT_EQ(broken.asked, 1);
  EXPECT_FALSE(signed_by_zero);
  EXPECT_EQ(sites[0]->failure()->reason, FailureReason::kPromiseNotStored);
}

TEST(Site, LeavesWhereItsCallerDoesNotAcceptThePeers) {
  AttemptWorld world({.sites = 3});
  const auto setup = world.Setup();
  InMemoryPromises promises;
  SiteAttempt site(world.Self(0, setup), world.Random(), {}, promises);
  AdvertisementList list;
  list.entries.push_back({0, std::get<Advertisement>(std::get<SendToCoordinator>(site.Start()[0]).message.body)});
  for (SiteIndex peer = 1; peer < 3; ++peer) {
    list.entries.push_back({peer, SiteAdvertise(world.Self(peer, setup), world.Random(), {5}).message()});
  }
  const SiteActions actions = site.OnMessage({setup->name(), list});
  ASSERT_EQ(actions.size(), 1u);
  const JudgePeers* judge = std::get_if<JudgePeers>(&actions[0]);
  ASSERT_NE(judge, nullptr);
  ASSERT_EQ(judge->statements.size(), 2u);
  EXPECT_EQ(judge->statements[0].site, 1u);
  EXPECT_EQ(judge->statements[0].statement, Bytes{5});
  EXPECT_TRUE(IsRefusal(site.RefusePeers(), FailureReason::kPeersRefused));
  EXPECT_TRUE(site.AcceptPeers().empty());
}

}  // namespace
}  // namespace synod::secure_agg::testing
