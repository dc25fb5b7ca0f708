// A site whose state folder is put back: it notices, refuses, and goes on only after its loss was counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "site_agent/site_commands.h"
#include "site_agent/site_views.h"
#include "tests/unit/site_agent/agent_world.h"

namespace synod {
namespace {

using testing::AgentWorld;
using ::testing::HasSubstr;
using testing::WardOffer;

const RunOffer& LostOffer() {
  static const RunOffer offer = WardOffer(1.0);
  return offer;
}

class RollbackWorld : public AgentWorld {
 public:
  // A copy of the state as it is on disk, and back to it: as from a backup.
  void Backup() {
    Stop();
    std::filesystem::remove_all(kit + "/backup");
    std::filesystem::copy(kit + "/state", kit + "/backup", std::filesystem::copy_options::recursive);
    Start();
  }
  void PutBack() {
    Stop();
    std::filesystem::remove_all(kit + "/state");
    std::filesystem::copy(kit + "/backup", kit + "/state", std::filesystem::copy_options::recursive);
    Start();
  }
  void BeginAnew() {
    Stop();
    std::filesystem::remove_all(kit + "/state");
    Start();
  }
  void Stop() {
    agent.reset();
    audit.reset();
    worker.requests.clear();
  }
  // The newest head of its own that the site told.
  SignedHead Told() const {
    const auto* heads = coordinator.Last<LedgerHeads>();
    EXPECT_NE(heads, nullptr);
    return heads->heads.front();
  }
  void Show(const SignedHead& head) { Receive(LedgerHeads{{head}}); }
  const SiteState& state() const { return agent->context().state; }
  double held() const { return state().Account("records")->held().rdp; }
  Result<Json> Command(const Json& request) {
    const SiteContext& context = agent->context();
    return AnswerSiteRequest(
        {kit, context.state, context.configuration, context.policy, clock, agent.get(), [] { return Json(); }},
        request);
  }
};

TEST(Rollback, TheOwnHeadIsToldAtTheLinksOpeningBeforeAnApprovalAndAfterEveryAnswer) {
  RollbackWorld world;
  EXPECT_EQ(world.Told().head.rows, 0u);
  world.ProposeAndReview(LostOffer());
  ASSERT_EQ(world.coordinator.Last<RunDecision>()->decision, Decision::kApproved);
  const auto& sent = world.coordinator.sent;
  ASSERT_TRUE(std::holds_alternative<LedgerHeads>(sent[sent.size() - 2].message)) << "before the approval itself";
  ASSERT_EQ(world.Told().head.held.size(), 1u);
  EXPECT_EQ(world.Told().head.held[0].rdp, world.held()) << "the whole plan";
  for (std::uint32_t query = 0; query < 2; ++query) {
    world.AskAndCompute(query, 0, 7);
    EXPECT_EQ(world.Told().head.rows, query + 1);
    EXPECT_EQ(world.Told().head.digest, world.state().ledger().head());
    EXPECT_TRUE(std::holds_alternative<LedgerHeads>(sent.back().message)) << "after the answer, in its slot";
  }
  EXPECT_TRUE(VerifyHead(world.agent->context().signing_key.public_key(), "wards", world.Told()));
}

TEST(Rollback, APutBackLedgerAnswersNothingApprovesNothingAndSaysSoAlsoAfterARestart) {
  RollbackWorld world;
  world.ProposeAndReview(LostOffer());
  world.AskAndCompute(0, 0, 7);
  world.Backup();
  world.AskAndCompute(1, 0, 7);
  const SignedHead lost = world.Told();
  world.PutBack();
  EXPECT_FALSE(world.state().rolled_back()) << "nobody told yet";
  world.Show(lost);
  for (int start = 0; start < 2; ++start) {
    ASSERT_TRUE(world.state().rolled_back());
    world.Receive(world.AskOf(1, 1));
    world.Wait(10.0);
    ASSERT_NE(world.coordinator.Last<AnswerRefused>(), nullptr);
    EXPECT_EQ(world.coordinator.Last<AnswerRefused>()->reason, RefusalReason::kLedgerUnavailable);
    EXPECT_EQ(world.LedgerRows(), 1u);
    EXPECT_THAT(world.Command({{"verb", "ledger"}})->dump(), HasSubstr("rolled back"));
    EXPECT_EQ(world.Command({{"verb", "ledger_verify"}}).error().code, ErrorCode::kVerificationFailed);
    world.coordinator.sent.clear();
    world.Restart();
  }
  world.run = RunId{{9, 9}};
  world.ProposeAndReview(LostOffer());
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->decision, Decision::kDenied);
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->reason, DenialReason::kUnavailable);
}

TEST(Rollback, AnAnswerThatIsBeingComputedIsNotChargedAndDoesNotLeave) {
  RollbackWorld world;
  world.ProposeAndReview(LostOffer());
  world.AskAndCompute(0, 0, 7);
  world.Backup();
  world.AskAndCompute(1, 0, 7);
  const SignedHead lost = world.Told();
  world.PutBack();
  world.Receive(world.AskOf(1, 1));
  world.Reply(OpenSiteReply{"200 rows"});
  const std::size_t answers = world.coordinator.Count<Answer>();
  world.Show(lost);
  world.Reply(AnswerReply{{world.run, 1, 1}, world.WordsOf(7)});
  world.Wait(10.0);
  EXPECT_EQ(world.coordinator.Count<Answer>(), answers);
  EXPECT_EQ(world.LedgerRows(), 1u);
}

TEST(Rollback, RestoreIsRefusedWhereNothingIsWrongAndAsksToBeAccepted) {
  RollbackWorld world;
  EXPECT_EQ(world.Command({{"verb", "ledger_restore"}, {"accept", true}}).error().code, ErrorCode::kRefused);
  world.ProposeAndReview(LostOffer());
  const SignedHead lost = world.Told();
  world.BeginAnew();
  world.Show(lost);
  ASSERT_TRUE(world.state().rolled_back()) << "a ledger begun anew has another id";
  EXPECT_EQ(world.Command({{"verb", "ledger_restore"}}).error().code, ErrorCode::kRefused);
  EXPECT_TRUE(world.state().rolled_back());
}

TEST(Rollback, ARestorationEndsOpenRunsChargesTheirPlansAndTheLossAndTheSiteGoesOn) {
  RollbackWorld world;
  world.ProposeAndReview(LostOffer());
  world.AskAndCompute(0, 0, 7);
  world.Backup();
  world.AskAndCompute(1, 0, 7);
  const SignedHead lost = world.Told();
  const double whole = world.held();
  world.PutBack();
  world.Show(lost);
  const Result<Json> restored = world.Command({{"verb", "ledger_restore"}, {"accept", true}});
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  EXPECT_EQ((*restored)["ended_runs"].size(), 1u);
  EXPECT_FALSE(world.state().rolled_back());
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->reason, DenialReason::kUnavailable);
  EXPECT_EQ(world.Record().state, SiteRunState::kDenied);
  const double after = world.held();
  EXPECT_GE(after, 2.0 * whole) << "this copy's open plan, and what the lost one held";
  EXPECT_LT(after, 2.0 * whole * (1 + 1e-9));
  EXPECT_NE(world.Told().head.ledger, lost.head.ledger) << "it is another ledger from here on";
  EXPECT_EQ(world.Told().head.held[0].rdp, after);
  world.Show(lost);
  EXPECT_FALSE(world.state().rolled_back()) << "what was counted is not held against it again";
  EXPECT_TRUE(world.Command({{"verb", "ledger_verify"}}).ok());
  world.Restart();
  EXPECT_EQ(world.held(), after);
  EXPECT_FALSE(world.state().rolled_back());
  world.Receive(world.AskOf(2));
  EXPECT_EQ(world.worker.Last<OpenSiteRequest>(), nullptr) << "the run has ended here";
  world.run = RunId{{9, 9}};
  world.ProposeAndReview(LostOffer());
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->decision, Decision::kApproved) << "within what is left";
  world.AskAndCompute(0, 0, 7);
  EXPECT_EQ(world.LedgerRows(), 3u);
}

TEST(Rollback, APutBackRestorationIsNoticedToo) {
  RollbackWorld world;
  world.ProposeAndReview(LostOffer());
  world.Backup();
  world.AskAndCompute(0, 0, 7);
  const SignedHead lost = world.Told();
  world.PutBack();
  world.Show(lost);
  ASSERT_TRUE(world.Command({{"verb", "ledger_restore"}, {"accept", true}}).ok());
  const SignedHead restored = world.Told();
  world.PutBack();
  world.Show(restored);
  EXPECT_TRUE(world.state().rolled_back());
}

TEST(Rollback, ADataSetThatIsRegisteredAnewCarriesWhatTheLostLedgerHeld) {
  RollbackWorld world;
  world.ProposeAndReview(LostOffer());
  const double whole = world.held();
  const SignedHead lost = world.Told();
  world.BeginAnew();
  world.Show(lost);
  ASSERT_TRUE(world.Command({{"verb", "ledger_restore"}, {"accept", true}}).ok());
  EXPECT_GE(world.held(), whole) << "its id is new, its records are not";
  EXPECT_LT(world.held(), whole * (1 + 1e-9));
}

TEST(Rollback, HeadsThatProveNothingChangeNothing) {
  RollbackWorld world;
  world.ProposeAndReview(LostOffer());
  SignedHead forged = world.Told();
  forged.head.rows = 1000;
  world.Show(forged);
  const SigningKey stranger = SigningKey::Generate();
  world.Show(SignHead(stranger, "wards", forged.head));
  world.Show(SignHead(world.agent->context().signing_key, "other", forged.head));
  LedgerHead of_peer = forged.head;
  of_peer.site = "site-b";
  world.Show(SignHead(stranger, "wards", of_peer));
  EXPECT_FALSE(world.state().rolled_back());
  EXPECT_TRUE(world.state().peer_heads().kept().empty());
}

TEST(Rollback, HeadsOfOtherSitesAreKeptAndToldAtTheNextLink) {
  RollbackWorld world;
  testing::HandClock clock;
  const SigningKey peer =
      Trust::Load(testing::WardKits().sites.at("site-b") + "/trust", clock)->LoadSigningKey().value();
  LedgerHead head;
  head.site = "site-b";
  head.rows = 12;
  world.Show(SignHead(peer, "wards", head));
  head.rows = 11;
  world.Show(SignHead(peer, "wards", head));
  world.coordinator.sent.clear();
  world.Restart();
  const auto* told = world.coordinator.Last<LedgerHeads>();
  ASSERT_EQ(told->heads.size(), 2u);
  EXPECT_EQ(told->heads[0].head.site, "site-a");
  EXPECT_EQ(told->heads[1].head.rows, 12u);
}

TEST(Rollback, ManyLedgersOfOneSiteAreToldBehindTheOthersAndNoneThatIsDatedAhead) {
  RollbackWorld world;
  const auto head_of = [&](const std::string& site, std::uint8_t ledger, std::int64_t signed_unix) {
    const Trust trust = Trust::Load(testing::WardKits().sites.at(site) + "/trust", world.clock).value();
    LedgerHead head;
    head.site = site;
    head.ledger.bytes.fill(ledger);
    head.rows = 12;
    head.signed_unix = signed_unix;
    return SignHead(trust.LoadSigningKey().value(), "wards", head);
  };
  const std::int64_t now = world.clock.UnixSeconds();
  for (std::uint8_t ledger = 1; ledger <= HeadBook::kMaxLedgers; ++ledger) {
    world.Show(head_of("site-b", ledger, std::numeric_limits<std::int64_t>::max()));
  }
  EXPECT_TRUE(world.state().peer_heads().kept().empty());
  world.Show(head_of("site-c", 1, now - 3600));
  for (std::uint8_t ledger = 1; ledger <= HeadBook::kMaxLedgers; ++ledger) {
    world.Show(head_of("site-b", ledger, now));
  }
  world.coordinator.sent.clear();
  world.Restart();
  const auto* told = world.coordinator.Last<LedgerHeads>();
  ASSERT_EQ(told->heads.size(), 2u + HeadBook::kMaxLedgers);
  EXPECT_EQ(told->heads[1].head.site, "site-b");
  EXPECT_EQ(told->heads[2].head.site, "site-c") << "before the second ledger of site-b";
}

}  // namespace
}  // namespace synod
