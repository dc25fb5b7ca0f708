// A coordinator that does in secure aggregation what it must not: the site falls silent or refuses, and pays nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "site_agent/masked_setup.h"
#include "site_agent/query_payload.h"
#include "tests/unit/site_agent/masked_world.h"

namespace synod {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::kWardPolicy;
using testing::MaskedWorld;
using testing::SecureOffer;
using testing::WardOffer;

std::string PolicyWith(const std::string& line) {
  return std::string(kWardPolicy) + line + "\n";
}

Bytes FloatBytes(std::initializer_list<float> values) {
  Bytes bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.begin(), bytes.size());
  return bytes;
}

// The list of all three advertisements as an honest coordinator would send it, changed by `change`.
secure_agg::AdvertisementList Advertisements(const MaskedWorld& world) {
  secure_agg::AdvertisementList list;
  list.entries.push_back({0, *world.LastStep<secure_agg::Advertisement>()});
  const auto setup = world.SetUpOf({world.run, 0, 0});
  for (const secure_agg::SiteIndex index : {1U, 2U}) {
    testing::PlayedPeer peer(setup, index, world.TrustOf(index == 1 ? "site-b" : "site-c"));
    const secure_agg::SiteActions actions = peer.attempt().Start();
    const auto& message = std::get<secure_agg::SendToCoordinator>(actions.at(0)).message;
    list.entries.push_back({index, std::get<secure_agg::Advertisement>(message.body)});
  }
  return list;
}

// The site got this list instead of the true one.
void ExpectsToBeSilentAfter(MaskedWorld& world, const secure_agg::AdvertisementList& list) {
  const std::size_t sent = world.coordinator.sent.size();
  world.Step({{world.run, 0, 0}, list});
  world.Compute(0);
  world.EndSlot();
  EXPECT_EQ(world.coordinator.sent.size(), sent);
  EXPECT_EQ(world.LedgerRows(), 0U);
  EXPECT_FALSE(world.agent->last_problem().empty());
}

void HoldAll(MaskedWorld& world) {
  world.held = [](const secure_agg::CoordinatorMessage&) { return true; };
}

TEST(MaskedAttack, TheTrueListIsTaken) {
  MaskedWorld world;
  HoldAll(world);
  world.Ask(0);
  world.Step({{world.run, 0, 0}, Advertisements(world)});
  EXPECT_TRUE(world.LastStep<secure_agg::ShareBundle>().has_value());
}

TEST(MaskedAttack, AKeyOfAPeerThatWasSwappedIsNotUsed) {
  MaskedWorld world;
  HoldAll(world);
  world.Ask(0);
  secure_agg::AdvertisementList list = Advertisements(world);
  list.entries[1].advertisement.mask_key = list.entries[2].advertisement.mask_key;
  ExpectsToBeSilentAfter(world, list);
}

TEST(MaskedAttack, AMemberThatIsNotOnTheRosterIsNotTaken) {
  MaskedWorld world;
  HoldAll(world);
  world.Ask(0);
  secure_agg::AdvertisementList list = Advertisements(world);
  list.entries.push_back({3, list.entries[2].advertisement});
  ExpectsToBeSilentAfter(world, list);
}

TEST(MaskedAttack, AListWithoutThisSiteEndsItsPart) {
  MaskedWorld world;
  HoldAll(world);
  world.Ask(0);
  secure_agg::AdvertisementList list = Advertisements(world);
  list.entries.erase(list.entries.begin());
  ExpectsToBeSilentAfter(world, list);
}

TEST(MaskedAttack, AnotherModelForThisSiteThanForItsPeersEndsItsPart) {
  MaskedWorld world;
  HoldAll(world);
  QueryAsk other = world.AskOf(0);
  other.context_values = 1;
  world.Receive(other, FloatBytes({0.5F}));
  ASSERT_TRUE(world.LastStep<secure_agg::Advertisement>().has_value());
  ExpectsToBeSilentAfter(world, Advertisements(world));
}

TEST(MaskedAttack, TheSameNameWithAnotherContentIsRefusedAndTheFirstGoesOn) {
  MaskedWorld world;
  world.Ask(0);
  QueryAsk other = world.AskOf(0);
  other.context_values = 1;
  world.Receive(other, FloatBytes({0.5F}));
  world.Wait(0.0);
  EXPECT_EQ(world.Refusal(), RefusalReason::kReplayed);
  world.Compute(0);
  world.EndSlot();
  EXPECT_TRUE(world.SumIsExact());
}

TEST(MaskedAttack, TwoSurvivorSetsGetOneSignature) {
  MaskedWorld world;
  world.held = [](const secure_agg::CoordinatorMessage& message) {
    return std::holds_alternative<secure_agg::SignatureList>(message.body);
  };
  world.AskComputeAndSend(0);
  ASSERT_TRUE(world.LastStep<secure_agg::ConsistencySignature>().has_value());
  const std::size_t sent = world.coordinator.sent.size();
  world.Step({{world.run, 0, 0}, secure_agg::SurvivorList{{0, 1}}});
  world.held = nullptr;
  world.Route();
  EXPECT_EQ(world.coordinator.sent.size(), sent) << "neither a second signature nor a share after that";
  EXPECT_FALSE(world.opened.has_value());
}

TEST(MaskedAttack, AnEarlierAttemptOrQueryIsRefused) {
  MaskedWorld world;
  world.Ask(1, 1);
  const auto refused = [&](std::uint32_t query, std::uint32_t attempt) {
    world.coordinator.sent.clear();
    world.routed = 0;
    world.Receive(world.AskOf(query, attempt));
    world.Wait(0.0);
    return world.Refusal() == RefusalReason::kReplayed;
  };
  EXPECT_TRUE(refused(1, 0));
  EXPECT_TRUE(refused(0, 5));
  world.Compute(1, 1);
  EXPECT_TRUE(refused(1, 0)) << "after the charge, too";
  EXPECT_TRUE(refused(0, 5));
}

TEST(MaskedAttack, ALaterAttemptEndsTheOneBeforeIt) {
  MaskedWorld world;
  world.Ask(0);
  world.AskComputeAndSend(0, 1);
  EXPECT_EQ(world.Chunks(), 0U) << "the worker still computes the first";
  world.Compute(0, 1);
  world.EndSlot();
  EXPECT_TRUE(world.SumIsExact());
  EXPECT_EQ(world.LedgerRows(), 1U) << "the first cost nothing";
  world.Compute(0, 0);
  EXPECT_EQ(world.LedgerRows(), 1U);
}

TEST(MaskedAttack, GarbageEndsTheAttemptAndNothingElse) {
  MaskedWorld world;
  world.Ask(0);
  world.Receive(AggregationStep{{world.run, 0, 0}}, Bytes(100, 0xff));
  world.Compute(0);
  world.EndSlot();
  EXPECT_EQ(world.Chunks(), 0U);
  EXPECT_EQ(world.LedgerRows(), 0U);
  EXPECT_FALSE(world.agent->last_problem().empty());
  world.AskComputeAndSend(0, 1);
  EXPECT_TRUE(world.SumIsExact());
}

TEST(MaskedAttack, AMessageUnderTheNameOfAnotherAttemptEndsIt) {
  MaskedWorld world;
  world.Ask(0);
  const secure_agg::CoordinatorMessage message{{world.run, 0, 1}, secure_agg::UploadGrant{0}};
  world.Receive(AggregationStep{{world.run, 0, 0}}, secure_agg::Encode(message));
  world.Compute(0);
  EXPECT_EQ(world.LedgerRows(), 0U);
}

TEST(MaskedAttack, MessagesOfNoAttemptAreDropped) {
  MaskedWorld world;
  const std::size_t sent = world.coordinator.sent.size();
  world.Step({{world.run, 4, 4}, secure_agg::UploadGrant{0}});
  world.Receive(AggregationStep{{RunId{{9}}, 0, 0}}, Bytes(3));
  world.Wait();
  EXPECT_EQ(world.coordinator.sent.size(), sent);
  const Message step = AggregationStep{{RunId{{9}}, 0, 0}};
  EXPECT_EQ(world.agent->PayloadLimit(step), secure_agg::kMaxCoordinatorMessageBytes) << "a late one closes no link";
  EXPECT_EQ(world.agent->PayloadLimit(AggregationChunk{}), 0U);
}

TEST(MaskedAttack, AModelThatIsNotFiniteOrOutOfBoundsIsRefusedBeforeAnythingIsComputed) {
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity(), 2.0F * kMaxQueryValue}) {
    MaskedWorld world;
    QueryAsk ask = world.AskOf(0);
    ask.parameter_values = 2;
    world.worker.requests.clear();
    world.Receive(ask, FloatBytes({0.0F, value}));
    world.Wait();
    EXPECT_EQ(world.Refusal(), RefusalReason::kMalformed) << value;
    EXPECT_TRUE(world.worker.requests.empty());
    EXPECT_EQ(world.Steps(), 0U);
  }
  QueryAsk ask;
  ask.parameter_values = 2;
  EXPECT_TRUE(ReadQuery(ask, FloatBytes({kMaxQueryValue, -kMaxQueryValue})).ok());
}

TEST(MaskedAttack, ARunThatNobodyApprovedIsNotAnswered) {
  testing::AgentWorld world("");
  world.ProposeAndReview(SecureOffer());
  world.Receive(world.AskOf(0));
  world.Wait();
  ASSERT_NE(world.coordinator.Last<AnswerRefused>(), nullptr);
  EXPECT_EQ(world.coordinator.Last<AnswerRefused>()->reason, RefusalReason::kOutsidePlan);
  EXPECT_EQ(world.coordinator.Count<AggregationStep>(), 0U);
}

// ---- The roster.

struct SetUpCase {
  explicit SetUpCase(const MaskedWorld& world)
      : plan(world.PlanOf()), trust(world.TrustOf("site-a")), key(trust.LoadSigningKey().value().public_key()) {}
  Result<secure_agg::AttemptSetup> With(const PlanFacts& facts) const {
    return SetUpAttempt(Plan::Create(facts, plan.entries()).value(), {}, {}, trust, key);
  }
  Plan plan;
  Trust trust;
  PublicKey key;
};

TEST(MaskedSetUp, IsThatOfThePeersAndHasKeysOfTheManifest) {
  MaskedWorld world;
  const SetUpCase site(world);
  Query query;
  query.index = 3;
  EXPECT_EQ(SetUpAttempt(site.plan, {world.run, 3, 2}, query, site.trust, site.key)->hash(),
            world.SetUpOf({world.run, 3, 2})->hash());
}

TEST(MaskedSetUp, RefusesARosterWithAKeyThatTheManifestLacks) {
  MaskedWorld world;
  const SetUpCase site(world);
  ASSERT_TRUE(site.With(site.plan.facts()).ok());
  PlanFacts facts = site.plan.facts();
  facts.roster[1].key_fingerprint[0] ^= 1;
  EXPECT_THAT(site.With(facts).error().message, HasSubstr("another signing key"));
  facts = site.plan.facts();
  facts.roster[1].id = "site-bb";
  EXPECT_THAT(site.With(facts).error().message, HasSubstr("or none"));
  const PublicKey other = world.TrustOf("site-b").LoadSigningKey().value().public_key();
  EXPECT_FALSE(SetUpAttempt(site.plan, {}, {}, site.trust, other).ok()) << "it is not this site's key";
  EXPECT_FALSE(SetUpAttempt(site.plan, {}, {}, world.TrustOf("site-b"), site.key).ok());
}

// ---- Witnesses.

TEST(MaskedWitness, StatementsReachThePeersAndThoseOfPeersAreJudged) {
  MaskedWorld world;
  std::vector<PeerWord> judged;
  world.witness->make = [] { return Bytes{42}; };
  world.witness->judge = [&](const std::vector<PeerWord>& statements) {
    judged = statements;
    return Status();
  };
  world.Restart();
  world.AskComputeAndSend(0);
  EXPECT_TRUE(world.SumIsExact());
  EXPECT_THAT(world.statements, Contains(Bytes{42}));
  ASSERT_EQ(judged.size(), 2U);
  EXPECT_EQ(judged[0].site, "site-b");
  EXPECT_EQ(judged[1].statement, Bytes{2});
}

TEST(MaskedWitness, ASiteThatDoesNotAcceptWhatPeersStateIsSilent) {
  MaskedWorld world;
  world.witness->judge = [](const std::vector<PeerWord>&) -> Status {
    return Refused("a peer remembers a later head of this ledger");
  };
  world.Restart();
  world.Ask(0);
  world.Compute(0);
  world.EndSlot();
  EXPECT_FALSE(world.LastStep<secure_agg::ShareBundle>().has_value());
  EXPECT_EQ(world.LedgerRows(), 0U);
  EXPECT_THAT(world.agent->last_problem(), HasSubstr("later head"));
}

TEST(MaskedWitness, PeersThatStateWhatCannotBeReadKeepNobodyFromTheSum) {
  MaskedWorld world;
  world.witness.reset();  // the site's own, with heads of ledgers
  world.Restart();
  world.AskComputeAndSend(0);
  ASSERT_FALSE(world.LastStep<secure_agg::Advertisement>()->statement.empty());
  EXPECT_TRUE(world.SumIsExact()) << "one byte is no statement";
  EXPECT_EQ(world.LedgerRows(), 1U);
}

// ---- Policy.

TEST(MaskedPolicy, ASiteAnswersOnlyInTheWaysThatItLists) {
  MaskedWorld unlisted(SecureOffer(), kWardPolicy);
  EXPECT_EQ(unlisted.Record().state, SiteRunState::kApproved) << "both ways, where nothing is said";
  MaskedWorld secure(SecureOffer(), PolicyWith("aggregation = [\"secure\"]"));
  EXPECT_EQ(secure.Record().state, SiteRunState::kApproved);
  MaskedWorld alone(WardOffer(), PolicyWith("aggregation = [\"secure\"]"));
  EXPECT_EQ(alone.Record().state, SiteRunState::kDenied);
  EXPECT_THAT(alone.Record().findings, Contains(HasSubstr("aggregation: \"none\"")));
  MaskedWorld none(SecureOffer(), PolicyWith("aggregation = [\"none\"]"));
  EXPECT_EQ(none.Record().state, SiteRunState::kDenied);
}

TEST(MaskedPolicy, TooFewKnownPeersRefuseASecureRunToo) {
  std::string policy = kWardPolicy;
  policy.replace(policy.find("min_known_peers = 2"), 19, "min_known_peers = 3");
  MaskedWorld world(SecureOffer(), policy);
  EXPECT_EQ(world.Record().state, SiteRunState::kDenied);
  EXPECT_THAT(world.Record().findings, Contains(HasSubstr("min_known_peers")));
}

}  // namespace
}  // namespace synod
