// A site's agent from proposal to signature, through restarts, against a coordinator that does what it must not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/artefact/signatures.h"
#include "common/consortium/consortium_folder.h"
#include "common/crypto/sha256.h"
#include "site_agent/site_views.h"
#include "tests/unit/site_agent/agent_world.h"

namespace synod {
namespace {

using testing::AgentWorld;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::kWardPolicy;
using testing::WardOffer;

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

const RunOffer& Offer() {
  static const RunOffer offer = WardOffer();
  return offer;
}

TEST(SiteAgent, ApprovesWhatItsPolicyAllowsWithASignatureThatVerifies) {
  AgentWorld world;
  world.Propose(Offer());
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->decision, Decision::kWaiting);
  ASSERT_NE(world.worker.Last<ReviewRequest>(), nullptr);
  world.Reply(world.GoodReview());
  const RunDecision* decision = world.coordinator.Last<RunDecision>();
  ASSERT_EQ(decision->decision, Decision::kApproved) << ::testing::PrintToString(world.Record().findings);
  const PublicKey key = world.agent->context().signing_key.public_key();
  EXPECT_TRUE(
      key.Verify("synod.approval", ApprovalStatement(world.run, decision->plan_hash, "site-a"), decision->signature));
  EXPECT_GT(world.agent->context().state.Account("records")->held().rdp, 0.0) << "the whole plan is held";
}

TEST(SiteAgent, AnEmptyPolicyRefusesAndTellsNobodyWhy) {
  AgentWorld world("");
  world.ProposeAndReview(Offer());
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->decision, Decision::kDenied);
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->reason, DenialReason::kPolicy);
  EXPECT_FALSE(world.Record().findings.empty());
}

TEST(SiteAgent, APlanThatItResolvesOtherwiseIsRefusedWhateverItsEpsilon) {
  AgentWorld world;
  world.Propose(Offer());
  ReviewReply review = world.GoodReview();
  review.plan_matches = false;
  review.difference = "entries[0].site_variance";
  world.Reply(review);
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->reason, DenialReason::kPlanMismatch);
  EXPECT_THAT(world.Record().findings, Contains(HasSubstr("site_variance")));
}

TEST(SiteAgent, ARosterWithAnotherKeyForThisSiteOrAStrangerIsRefused) {
  const Plan plan = Plan::FromCanonicalText(Offer().plan).value();
  for (const std::size_t member : {0U, 2U}) {
    AgentWorld world;
    PlanFacts facts = plan.facts();
    facts.roster[member].key_fingerprint[0] ^= 1;
    RunOffer offer = Offer();
    offer.plan = Plan::Create(facts, plan.entries()).value().CanonicalText();
    world.ProposeAndReview(offer);
    EXPECT_EQ(world.coordinator.Last<RunDecision>()->reason, DenialReason::kNotOnRoster) << member;
  }
}

TEST(SiteAgent, GarbageIsMalformedAndIsNotKept) {
  AgentWorld world;
  RunProposal proposal;
  proposal.run = world.run;
  world.Receive(proposal, Bytes{1, 2, 3});
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->reason, DenialReason::kMalformed);
  const std::string text = Offer().ToJsonText();
  world.Receive(proposal, Bytes(text.begin(), text.end()));  // another hash than the plan's
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->reason, DenialReason::kMalformed);
  EXPECT_EQ(world.agent->context().state.runs().Find(world.run), nullptr);
  EXPECT_TRUE(world.worker.requests.empty());
}

TEST(SiteAgent, ASecondRunOverTheLifetimeBudgetIsRefusedWithNumbers) {
  AgentWorld world(Replaced(kWardPolicy, "epsilon = 8.0", "epsilon = 2.5"));
  world.ProposeAndReview(Offer());
  ASSERT_EQ(world.Record().state, SiteRunState::kApproved) << ::testing::PrintToString(world.Record().findings);
  world.run.bytes[0] = 99;
  world.ProposeAndReview(Offer());
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->reason, DenialReason::kBudget);
  EXPECT_THAT(world.Record().findings, Contains(HasSubstr("is left")));
}

TEST(SiteAgent, ARunThatEndedGivesBackWhatWasNeverCharged) {
  AgentWorld world(Replaced(kWardPolicy, "epsilon = 8.0", "epsilon = 2.5"));
  world.ProposeAndReview(Offer());
  world.Receive(RunNotice{world.run, RunPhase::kAborted});
  EXPECT_EQ(world.agent->context().state.Account("records")->held().answers, 0U);
  world.run.bytes[0] = 99;
  world.ProposeAndReview(Offer());
  EXPECT_EQ(world.Record().state, SiteRunState::kApproved);
  world.AskAndCompute(0, 0, 1);
  world.Receive(RunNotice{world.run, RunPhase::kFailed});
  EXPECT_EQ(world.agent->context().state.Account("records")->held().answers, 1U);
  const double held = world.agent->context().state.Account("records")->held().rdp;
  world.Restart();
  EXPECT_DOUBLE_EQ(world.agent->context().state.Account("records")->held().rdp, held) << "and after a restart";
}

TEST(SiteAgent, APersonDecidesWhereThePolicySaysSo) {
  AgentWorld world(Replaced(kWardPolicy, "automatic", "person"));
  world.ProposeAndReview(Offer());
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->decision, Decision::kWaiting);
  EXPECT_EQ(world.Record().state, SiteRunState::kWaiting);
  world.Restart();
  ASSERT_TRUE(world.agent->Approve(world.run).ok());
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->decision, Decision::kApproved);
  EXPECT_EQ(world.Record().decided_by, "person");
}

TEST(SiteAgent, APersonCannotApproveWhatThePolicyForbidsMeanwhile) {
  AgentWorld world(Replaced(kWardPolicy, "automatic", "person"));
  world.ProposeAndReview(Offer());
  world.WritePolicy(Replaced(Replaced(kWardPolicy, "automatic", "person"), "max_epsilon = 2.0", "max_epsilon = 1.0"));
  ASSERT_TRUE(world.agent->Reload().ok());
  EXPECT_EQ(world.Record().state, SiteRunState::kDenied);
  EXPECT_FALSE(world.agent->Approve(world.run).ok());
}

TEST(SiteAgent, AnswersOnceChargesOnceAndSendsTheSameBytesAgain) {
  AgentWorld world;
  world.ProposeAndReview(Offer());
  world.AskAndCompute(0, 0, 7);
  ASSERT_EQ(world.coordinator.Count<Answer>(), 1U);
  EXPECT_EQ(world.LedgerRows(), 1U);
  const Bytes first = world.coordinator.LastAnswer();
  world.Restart();
  world.Receive(world.AskOf(0));
  world.Wait();
  EXPECT_EQ(world.coordinator.Count<Answer>(), 2U);
  EXPECT_EQ(world.coordinator.LastAnswer(), first);
  EXPECT_EQ(world.LedgerRows(), 1U) << "without a second charge";
  EXPECT_TRUE(world.worker.requests.empty());
}

TEST(SiteAgent, AnAnswerLeavesAtTheEndOfAPublicSlot) {
  AgentWorld world;
  world.ProposeAndReview(Offer());
  world.clock.seconds = 2000.01;
  world.Receive(world.AskOf(0));
  world.Reply(OpenSiteReply{});
  world.Reply(AnswerReply{{world.run, 0, 0}, world.WordsOf(1)});
  EXPECT_EQ(world.LedgerRows(), 1U) << "charged at once";
  EXPECT_EQ(world.coordinator.Count<Answer>(), 0U);
  EXPECT_NEAR(world.agent->next_timer(), 2000.05, 1e-9);
  world.Wait(0.05);
  EXPECT_EQ(world.coordinator.Count<Answer>(), 1U);
}

TEST(SiteAgent, QueriesOutsideThePlanReplayedOrMalformedAreRefusedWithTheirReason) {
  AgentWorld world;
  const auto refusal = [&] {
    world.Wait(3.0);
    const AnswerRefused* refused = world.coordinator.Last<AnswerRefused>();
    return refused == nullptr ? std::nullopt : std::optional(refused->reason);
  };
  world.Receive(world.AskOf(0));
  EXPECT_EQ(refusal(), RefusalReason::kOutsidePlan) << "not proposed";
  world.ProposeAndReview(Offer());
  QueryAsk ask = world.AskOf(0);
  ask.entry = 7;
  world.Receive(ask);
  EXPECT_EQ(refusal(), RefusalReason::kOutsidePlan);
  ask = world.AskOf(0);
  ask.parameter_values = 3;
  world.Receive(ask, Bytes(8));
  EXPECT_EQ(refusal(), RefusalReason::kMalformed);
  ask.context_values = ~std::uint64_t{0};
  world.Receive(ask, Bytes(8));
  EXPECT_EQ(refusal(), RefusalReason::kMalformed);
  world.Receive(world.AskOf(0));
  world.Reply(OpenSiteReply{});
  world.Reply(AnswerMalformedReply{{world.run, 0, 0}});
  EXPECT_EQ(refusal(), RefusalReason::kMalformed);
  EXPECT_EQ(world.LedgerRows(), 0U) << "nothing was charged for any of them";
  world.AskAndCompute(0, 1, 1);
  world.Receive(QueryClosed{world.run, 0});
  world.Receive(world.AskOf(0, 1));
  EXPECT_EQ(refusal(), RefusalReason::kReplayed);
  EXPECT_EQ(world.LedgerRows(), 1U);
}

TEST(SiteAgent, AnAbortEndsTheWorkerAndTheComputationUncharged) {
  AgentWorld world;
  world.ProposeAndReview(Offer());
  world.Receive(world.AskOf(0));
  world.Reply(OpenSiteReply{});
  const int ends = world.worker.ends;
  world.Receive(RunNotice{world.run, RunPhase::kAborted});
  EXPECT_EQ(world.worker.ends, ends + 1);
  world.Reply(AnswerReply{{world.run, 0, 0}, world.WordsOf(1)});
  world.Wait();
  EXPECT_EQ(world.LedgerRows(), 0U);
  EXPECT_EQ(world.coordinator.Count<Answer>(), 0U);
}

TEST(SiteAgent, ADenialInTheMiddleOfARunStopsItForGood) {
  AgentWorld world;
  world.ProposeAndReview(Offer());
  world.Receive(world.AskOf(0));
  world.Reply(OpenSiteReply{});
  ASSERT_TRUE(world.agent->Deny(world.run, "the board met").ok());
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->reason, DenialReason::kPerson);
  world.Reply(AnswerReply{{world.run, 0, 0}, world.WordsOf(1)});
  world.Receive(world.AskOf(0, 1));
  world.Wait();
  EXPECT_EQ(world.coordinator.Count<Answer>(), 0U);
  EXPECT_EQ(world.LedgerRows(), 0U);
  world.Propose(Offer());
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->decision, Decision::kDenied);
}

TEST(SiteAgent, AWorkerThatIsLostThriceOverAQueryIsSilence) {
  AgentWorld world;
  world.ProposeAndReview(Offer());
  world.Receive(world.AskOf(0));
  const std::size_t sent = world.coordinator.sent.size();
  for (int i = 0; i < 3; ++i) {
    world.agent->OnWorkerLost(Failed("the worker ended"));
    world.Wait(40.0 / 3);
  }
  EXPECT_EQ(world.coordinator.sent.size(), sent) << "no reason is given";
  EXPECT_FALSE(world.agent->last_problem().empty()) << "but the administrator sees it";
  world.AskAndCompute(0, 1, 1);
  EXPECT_EQ(world.coordinator.Count<Answer>(), 1U);
}

TEST(SiteAgent, ADecisionIsToldAgainWhenTheRunIsProposedAgain) {
  AgentWorld world;
  world.ProposeAndReview(Offer());
  const Signature signature = world.coordinator.Last<RunDecision>()->signature;
  world.Restart();
  world.coordinator.sent.clear();
  world.Propose(Offer());
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->decision, Decision::kApproved);
  EXPECT_EQ(world.coordinator.Last<RunDecision>()->signature, signature);
  EXPECT_TRUE(world.worker.requests.empty()) << "no second review";
}

TEST(SiteAgent, AReviewThatARestartCutOffIsTakenUp) {
  AgentWorld world;
  world.Propose(Offer());
  world.Restart();
  ASSERT_NE(world.worker.Last<ReviewRequest>(), nullptr);
  world.Reply(world.GoodReview());
  EXPECT_EQ(world.Record().state, SiteRunState::kApproved);
}

// ---- A coordinator that is revoked.

// What the consortium's root signs when it revokes the coordinator.
TrustBundle WithoutCoordinator() {
  const std::string folder = testing::TemporaryFolder() + "/consortium";
  std::filesystem::copy(testing::WardKits().consortium, folder, std::filesystem::copy_options::recursive);
  ConsortiumFolder consortium = ConsortiumFolder::Open(folder).value();
  EXPECT_TRUE(consortium.Revoke({"wards", Role::kCoordinator, "coordinator"}, 1'800'000'000).ok());
  return consortium.bundle();
}

// A site whose link asks its trust in the coordinator's certificate, as the daemon's does.
class RevokingWorld : public AgentWorld {
 public:
  explicit RevokingWorld(const std::string& policy = kWardPolicy) : AgentWorld(policy) {
    coordinator.trusted = [this, leaf = X509Certificate::FromFile(testing::WardKits().coordinator + "/trust/own.crt")] {
      return agent->context().trust.CheckPeer(*leaf, {Role::kCoordinator}, clock.UnixSeconds()).ok();
    };
  }
  std::string bundle_file() const { return kit + "/trust/bundle.json"; }
  void Write(const TrustBundle& bundle) {
    EXPECT_TRUE(WriteFileAtomically(bundle_file(), AsBytes(bundle.ToJsonText())).ok());
  }
  void Push(const TrustBundle& bundle) {
    const std::string text = bundle.ToJsonText();
    Receive(TrustUpdate{}, Bytes(text.begin(), text.end()));
  }
};

TEST(SiteTrust, ARevokedCoordinatorLosesItsLinkAtAReloadBeforeAnythingIsSaidToIt) {
  RevokingWorld world(Replaced(kWardPolicy, "automatic", "person"));
  world.ProposeAndReview(Offer());
  ASSERT_TRUE(world.agent->Reload().ok());
  ASSERT_TRUE(world.coordinator.connected) << "nothing has changed";
  world.WritePolicy(kWardPolicy);
  world.Write(WithoutCoordinator());
  const std::size_t sent = world.coordinator.sent.size();
  ASSERT_TRUE(world.agent->Reload().ok());
  EXPECT_FALSE(world.coordinator.connected);
  EXPECT_EQ(world.coordinator.sent.size(), sent) << "the run that waited is decided, and nobody is told";
}

TEST(SiteTrust, ARevokedCoordinatorLosesItsLinkWithTheUpdateAlsoWhereThatCannotBeWritten) {
  for (const bool written : {true, false}) {
    RevokingWorld world;
    const std::string first_written = world.bundle_file() + ".tmp";
    if (!written) std::filesystem::create_directory(first_written);
    world.Push(WithoutCoordinator());
    EXPECT_FALSE(world.coordinator.connected) << written;
    if (!written) std::filesystem::remove(first_written);
    ASSERT_TRUE(world.agent->Reload().ok());
    EXPECT_EQ(world.agent->context().trust.revocations().revoked.size(), 1U)
        << "also with the older list in the folder";
    world.coordinator.connected = true;
    ASSERT_TRUE(world.agent->Reload().ok());
    EXPECT_FALSE(world.coordinator.connected) << written;
  }
}

// ---- Data sets.

TEST(SiteDataset, WithAnotherFileCannotBeUsedUntilThatIsAccepted) {
  AgentWorld world;
  const DatasetId id = world.agent->context().state.datasets().Find("records")->id;
  world.WriteSite("other.csv");
  ASSERT_TRUE(world.agent->Reload().ok());
  world.ProposeAndReview(Offer());
  EXPECT_EQ(world.Record().state, SiteRunState::kDenied);
  EXPECT_THAT(world.Record().findings, Contains(HasSubstr("dataset accept")));
  ASSERT_TRUE(world.agent->AcceptDataset("records").ok());
  world.run.bytes[0] = 50;
  world.ProposeAndReview(Offer());
  EXPECT_EQ(world.Record().state, SiteRunState::kApproved);
  EXPECT_EQ(world.agent->context().state.datasets().Find("records")->id, id) << "the account stays";
}

TEST(SiteDataset, ALargerBudgetInThePolicyDoesNotWidenOneThatIsRegistered) {
  AgentWorld world(Replaced(kWardPolicy, "epsilon = 8.0", "epsilon = 1.0"));
  world.WritePolicy(kWardPolicy);
  ASSERT_TRUE(world.agent->Reload().ok());
  world.ProposeAndReview(Offer());
  EXPECT_EQ(world.Record().state, SiteRunState::kDenied);
  EXPECT_EQ(world.agent->context().state.Account("records")->budget().epsilon, 1.0);
}

TEST(SiteLedger, VerifiesAfterARun) {
  AgentWorld world;
  world.ProposeAndReview(Offer());
  world.AskAndCompute(0, 0, 1);
  world.AskAndCompute(0, 1, 1);
  const Result<Json> verified = VerifyLedger(world.agent->context().state);
  ASSERT_TRUE(verified.ok()) << verified.error().message;
  EXPECT_EQ(verified->at("rows"), 2U);
}

}  // namespace
}  // namespace synod
