#include <gtest/gtest.h>

#include "common/core/hex.h"
#include "common/wire/codec.h"
#include "coordinator/operator_desk.h"
#include "coordinator/run_director.h"
#include "tests/support/shared_data.h"
#include "tests/unit/coordinator/run_fixture.h"
#include "tests/unit/coordinator/test_kits.h"

namespace synod {
namespace {

using testing::HandBook;
using testing::RunNumber;
using testing::TestKits;

constexpr const char* kSpecification =
    "[run]\nname = \"demo\"\nsites = 3\n[schema]\nfile = \"schema.toml\"\n[model]\nfamily = \"independent_columns\"\n"
    "[privacy]\nepsilon = 3.0\ndelta = 1e-5\nunits = 900\n";
constexpr const char* kSchema = "name = \"demo\"\n[[column]]\nname = \"age\"\ntype = \"integer\"\nmin = 0\nmax = 9\n";

class HandTraining final : public TrainingStore {
 public:
  RoundStore& rounds() override { return rounds_; }
  Result<RoundHistory> LoadHistory() const override { return RoundHistory{}; }
  Result<std::optional<TrainingCheckpoint>> LoadCheckpoint() const override {
    return std::optional<TrainingCheckpoint>();
  }
  Status SaveCheckpoint(const TrainingCheckpoint&) override { return {}; }
  Status Forget() override { return {}; }

 private:
  ForgetfulRoundStore rounds_;
};

class RunDirectorTest : public ::testing::Test {
 protected:
  RunDirectorTest()
      : trust_(Trust::Load(TestKits().coordinator + "/trust", SystemClock()).value()),
        key_(trust_.LoadSigningKey().value()),
        sites_(hand_.clock) {
    EventLog::Settings settings;
    settings.file = testing::TemporaryFolder() + "/director.log";
    log_ = EventLog::Open(settings, hand_.clock).value();
    ledger_.emplace(Ledger::Open(ledger_store_).value());
    const auto to_site = [this](const std::string& site, Envelope envelope) {
      sent_.emplace_back(site, std::move(envelope));
    };
    const auto file_of = [](const RunId&) { return std::string("/nowhere/file.synod"); };
    signing_.emplace(SigningDesk::Ports{*hand_.book, hand_.store, sites_, trust_, key_, hand_.clock, hand_.fail_points,
                                        *log_, to_site, file_of, [](const RunRecord&) {}});
    director_.emplace(RunDirector::Ports{
        *hand_.book,
        *signing_,
        *ledger_,
        sites_,
        owed_,
        trust_,
        hand_.clock,
        hand_.fail_points,
        *log_,
        {[this](WorkerRequest request) { resolver_.push_back(std::move(request)); }, [this] { ++resolver_kills_; }},
        {[this](WorkerRequest request) { trainer_.push_back(std::move(request)); }, [this] { ++trainer_kills_; }},
        [](const RunId&) -> Result<std::unique_ptr<TrainingStore>> {
          return std::unique_ptr<TrainingStore>(new HandTraining());
        },
        to_site,
        [] { return RunDirector::Traffic(); }});
    operators_.emplace(
        OperatorDesk::Ports{*hand_.book, *director_, sites_, trust_, hand_.clock, *log_,
                            [this](PeerId, Envelope envelope) { replies_.push_back(std::move(envelope)); }, file_of});
    for (const char* site : {"site-a", "site-b", "site-c"}) Connect(site);
  }

  void Connect(const std::string& site) {
    Hello hello;
    hello.unix_seconds = hand_.clock.UnixSeconds();
    sites_.Opened(site, ++peer_, hello);
    director_->OnSiteConnected(site);
  }
  RunSubmission SubmissionOf(std::uint8_t number) {
    return {RunNumber(number), "operator", kSpecification, kSchema, {}};
  }
  // Submitted and resolved to a plan for the roster that the worker was given.
  RunId Propose(std::uint8_t number) {
    EXPECT_TRUE(director_->Submit(SubmissionOf(number)).ok());
    director_->Advance();
    Resolve();
    return RunNumber(number);
  }
  void Resolve() {
    ASSERT_EQ(resolver_.size(), 1u);
    const auto request = std::get<ResolveRequest>(resolver_[0]);
    resolver_.clear();
    const std::shared_ptr<const Plan> plan = testing::RoundPlan();
    PlanFacts facts = plan->facts();
    facts.roster = request.roster;
    ResolveReply reply;
    reply.offer.plan = Plan::Create(facts, plan->entries()).value().CanonicalText();
    director_->OnResolverReply(std::move(reply));
    director_->Advance();
  }
  RunDecision Approve(const RunId& run, const std::string& site, const std::string& signed_by = "") {
    RunDecision decision;
    decision.run = run;
    decision.plan_hash = hand_.book->Find(run)->plan->Hash();
    decision.decision = Decision::kApproved;
    Bytes message(run.bytes.begin(), run.bytes.end());
    message.insert(message.end(), decision.plan_hash.begin(), decision.plan_hash.end());
    message.insert(message.end(), site.begin(), site.end());
    const std::string kit = TestKits().sites.at(signed_by.empty() ? site : signed_by);
    const Trust own = Trust::Load(kit + "/trust", SystemClock()).value();
    decision.signature = own.LoadSigningKey()->Sign("synod.approval", message);
    return decision;
  }
  Status Say(const std::string& site, const Message& message) {
    const Status status = director_->OnSiteMessage(site, {message, nullptr});
    director_->Advance();
    return status;
  }
  RunState StateOf(const RunId& run) { return hand_.book->Find(run)->state; }
  template <typename T>
  std::size_t Sent(const std::string& site) const {
    std::size_t count = 0;
    for (const auto& [to, envelope] : sent_) count += to == site && std::holds_alternative<T>(envelope.message) ? 1 : 0;
    return count;
  }
  OperatorReply Ask(Role role, OperatorVerb verb, const RunId& run = {}, const std::string& payload = "") {
    replies_.clear();
    operators_->OnRequest(1, {"test", role, "somebody"}, {7, verb, run}, AsBytes(payload));
    return std::get<OperatorReply>(replies_.at(0).message);
  }

  HandBook hand_;
  Trust trust_;
  SigningKey key_;
  SiteBook sites_;
  OwedAnswers owed_;
  InMemoryLedgerStore ledger_store_;
  std::optional<Ledger> ledger_;
  std::unique_ptr<EventLog> log_;
  std::optional<SigningDesk> signing_;
  std::optional<RunDirector> director_;
  std::optional<OperatorDesk> operators_;
  std::vector<WorkerRequest> resolver_;
  std::vector<WorkerRequest> trainer_;
  std::vector<std::pair<std::string, Envelope>> sent_;
  std::vector<Envelope> replies_;
  int resolver_kills_ = 0;
  int trainer_kills_ = 0;
  PeerId peer_ = 0;
};

TEST_F(RunDirectorTest, TheRosterIsEverySiteWithTheFingerprintOfItsKey) {
  ASSERT_TRUE(director_->Submit(SubmissionOf(1)).ok());
  director_->Advance();
  const auto& request = std::get<ResolveRequest>(resolver_.at(0));
  ASSERT_EQ(request.roster.size(), 3u);
  for (const RosterSite& site : request.roster) {
    EXPECT_EQ(site.key_fingerprint, KeyFingerprint(trust_.Keys().sites.at(site.id)));
  }
}

TEST_F(RunDirectorTest, ARunThatEverySiteSignedForStarts) {
  const RunId run = Propose(1);
  EXPECT_EQ(Sent<RunProposal>("site-b"), 1u);
  for (const char* site : {"site-a", "site-b", "site-c"}) {
    EXPECT_EQ(StateOf(run), RunState::kProposed);
    ASSERT_TRUE(Say(site, Approve(run, site)).ok());
  }
  EXPECT_EQ(StateOf(run), RunState::kRunning);
  ASSERT_EQ(trainer_.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<OpenTrainerRequest>(trainer_[0]));
}

TEST_F(RunDirectorTest, AnApprovalThatTheSiteDidNotSignBreaksTheProtocol) {
  const RunId run = Propose(1);
  EXPECT_FALSE(Say("site-a", Approve(run, "site-a", /*signed_by=*/"site-b")).ok());
  RunDecision unsigned_one = Approve(run, "site-a");
  unsigned_one.signature = {};
  EXPECT_FALSE(Say("site-a", unsigned_one).ok());
  EXPECT_FALSE(Say("site-b", Approve(run, "site-a")).ok()) << "an approval of somebody else, repeated";
  EXPECT_TRUE(hand_.book->Find(run)->decisions.empty());
}

TEST_F(RunDirectorTest, AnApprovalOfAnotherPlanCountsForNothingAndTheProposalIsSentAgain) {
  const RunId run = Propose(1);
  RunDecision other = Approve(run, "site-a");
  other.plan_hash[0] ^= 1;
  EXPECT_TRUE(Say("site-a", other).ok());
  EXPECT_TRUE(hand_.book->Find(run)->decisions.empty());
  EXPECT_EQ(Sent<RunProposal>("site-a"), 2u);
}

TEST_F(RunDirectorTest, ASiteThatComesLaterGetsTheProposal) {
  sites_.Closed("site-c", *sites_.Link("site-c").peer, "gone");
  Propose(1);
  EXPECT_EQ(Sent<RunProposal>("site-c"), 0u);
  Connect("site-c");
  EXPECT_EQ(Sent<RunProposal>("site-c"), 1u);
}

TEST_F(RunDirectorTest, ASiteMaySendOnlyWhatSitesSend) {
  for (const Message& message : {Message(RunProposal{}), Message(QueryAsk{}), Message(OperatorRequest{}),
                                 Message(RunNotice{}), Message(DraftToSign{}), Message(OperatorReply{})}) {
    EXPECT_FALSE(Say("site-a", message).ok()) << MessageName(message);
  }
}

TEST_F(RunDirectorTest, MessagesAboutRunsThatNobodyKnowsAreHarmless) {
  RunDecision decision;
  decision.run = RunNumber(9);
  EXPECT_TRUE(Say("site-a", decision).ok());
  EXPECT_TRUE(Say("site-a", Answer{{RunNumber(9), 0, 0}}).ok());
  EXPECT_TRUE(Say("site-a", AnswerRefused{{RunNumber(9), 0, 0}, RefusalReason::kOutsidePlan}).ok());
  EXPECT_TRUE(Say("site-a", CounterSignature{RunNumber(9), {}, {}, {}, {}}).ok());
  EXPECT_TRUE(Say("site-a", DraftRefused{RunNumber(9), {}}).ok());
}

TEST_F(RunDirectorTest, AnAbortedRunEndsItsWorkerAndTellsItsSites) {
  const RunId run = Propose(1);
  for (const char* site : {"site-a", "site-b", "site-c"}) ASSERT_TRUE(Say(site, Approve(run, site)).ok());
  ASSERT_TRUE(director_->Abort(run, "operator").ok());
  EXPECT_EQ(StateOf(run), RunState::kAborted);
  EXPECT_EQ(trainer_kills_, 1);
  const auto& last = std::get<RunNotice>(sent_.back().second.message);
  EXPECT_EQ(last.phase, RunPhase::kAborted);
}

TEST_F(RunDirectorTest, ASpecificationThatCannotBeResolvedFailsTheRunWithTheWorkersReason) {
  ASSERT_TRUE(director_->Submit(SubmissionOf(1)).ok());
  director_->Advance();
  director_->OnResolverReply(FailedReply{BadInput("run.toml:3: epsilon cannot be met")});
  EXPECT_EQ(StateOf(RunNumber(1)), RunState::kFailed);
  EXPECT_EQ(hand_.book->Find(RunNumber(1))->failure->message, "run.toml:3: epsilon cannot be met");
}

TEST_F(RunDirectorTest, AWorkerThatEndsWhileItResolvesIsAskedAgainAndNotForEver) {
  ASSERT_TRUE(director_->Submit(SubmissionOf(1)).ok());
  director_->Advance();
  for (unsigned loss = 1; loss < TrainingRun::kMaxWorkerLosses; ++loss) {
    director_->OnResolverLost(Failed("killed"));
    director_->Advance();
    EXPECT_EQ(resolver_.size(), loss + 1);
  }
  director_->OnResolverLost(Failed("killed"));
  EXPECT_EQ(StateOf(RunNumber(1)), RunState::kFailed);
}

TEST_F(RunDirectorTest, WhileTheDiskIsFullNothingMovesAndAfterwardsItGoesOn) {
  ASSERT_TRUE(director_->Submit(SubmissionOf(1)).ok());
  hand_.store.full = true;
  director_->Advance();
  EXPECT_TRUE(resolver_.empty());
  const RunSight sight = director_->Sight(*hand_.book->Find(RunNumber(1)));
  EXPECT_EQ(sight.waits.back().kind, WaitKind::kStorage);
  EXPECT_NE(sight.waits.back().text.find("disk full"), std::string::npos) << sight.waits.back().text;
  hand_.store.full = false;
  hand_.clock.now += 6.0;
  director_->Advance();
  EXPECT_EQ(resolver_.size(), 1u);
}

TEST_F(RunDirectorTest, MistakesOfASubmissionAreNamedAtOnce) {
  RunSubmission submission = SubmissionOf(1);
  submission.sites = {"site-a", "site-x"};
  EXPECT_NE(director_->Submit(submission).error().message.find("site-x"), std::string::npos);
  submission.sites = {"site-a", "site-b"};
  EXPECT_NE(director_->Submit(submission).error().message.find("sites = 3"), std::string::npos);
  submission = SubmissionOf(1);
  submission.specification += "unknown = 1\n";
  EXPECT_EQ(director_->Submit(submission).error().code, ErrorCode::kBadInput);
  submission = SubmissionOf(1);
  submission.schema = "[[column]]\nname = 3\n";
  EXPECT_EQ(director_->Submit(submission).error().code, ErrorCode::kBadInput);
  EXPECT_TRUE(hand_.book->InOrder().empty());
}

TEST_F(RunDirectorTest, ViewersMayLookAndNothingElse) {
  const RunId run = Propose(1);
  for (const OperatorVerb verb :
       {OperatorVerb::kRunList, OperatorVerb::kRunShow, OperatorVerb::kRunWhy, OperatorVerb::kRunWatch}) {
    EXPECT_EQ(Ask(Role::kViewer, verb, run).error_code, 0) << OperatorVerbName(verb);
  }
  for (const OperatorVerb verb : {OperatorVerb::kRunSubmit, OperatorVerb::kRunAbort, OperatorVerb::kRunFetch}) {
    EXPECT_EQ(Ask(Role::kViewer, verb, run).error_code, static_cast<int>(ErrorCode::kRefused));
    EXPECT_EQ(OperatorDesk::PayloadLimit(Role::kViewer, {1, verb, run}), 0u);
  }
  EXPECT_EQ(StateOf(run), RunState::kProposed);
}

TEST_F(RunDirectorTest, SubmissionsThatAreNoSubmissionsAreRefusedWithoutACrash) {
  for (const char* payload : {"", "{", "[]", "{}", "{\"specification\": 3}", "{\"specification\": \"a\"}",
                              "{\"specification\": \"a\", \"schema\": \"b\", \"sites\": [1]}",
                              "{\"specification\": \"a\", \"schema\": \"b\", \"sites\": 5}",
                              "{\"specification\": \"a\", \"schema\": \"b\", \"other\": 1}"}) {
    EXPECT_NE(Ask(Role::kOperator, OperatorVerb::kRunSubmit, RunNumber(1), payload).error_code, 0) << payload;
  }
  EXPECT_NE(Ask(Role::kOperator, OperatorVerb::kRunSubmit, RunId{}, "{}").error_code, 0);
}

TEST_F(RunDirectorTest, AnErrorThatRepeatsWhatItsOperatorWroteCanBeSent) {
  const auto submission = [](const std::string& site) {
    const Json sites = Json::array({site});
    return Json{{"specification", kSpecification}, {"schema", kSchema}, {"sites", sites}}.dump();
  };
  std::string long_one;
  for (int i = 0; i < 5'000; ++i) long_one += "\xC3\xA4";
  // With one byte before them or with two: one of the cuts is within a character.
  for (const std::string& site : {std::string("a\x01"), "a" + long_one, "ab" + long_one}) {
    const OperatorReply reply = Ask(Role::kOperator, OperatorVerb::kRunSubmit, RunNumber(1), submission(site));
    EXPECT_NE(reply.error_code, 0);
    EXPECT_NE(reply.message.find("site a"), std::string::npos) << reply.message;
    const Result<Bytes> bytes = EncodeControl(reply);
    EXPECT_TRUE(bytes.ok()) << bytes.error().message;
  }
}

TEST_F(RunDirectorTest, AWatchReportsChangesAndEndsWithTheRun) {
  const RunId run = Propose(1);
  EXPECT_TRUE(Ask(Role::kOperator, OperatorVerb::kRunWatch, run).more);
  replies_.clear();
  operators_->Tick();
  EXPECT_TRUE(replies_.empty()) << "nothing changed";
  ASSERT_TRUE(director_->Abort(run, "operator").ok());
  hand_.clock.now += 1.0;
  operators_->Tick();
  ASSERT_EQ(replies_.size(), 1u);
  EXPECT_FALSE(std::get<OperatorReply>(replies_[0].message).more);
  hand_.clock.now += 1.0;
  operators_->Tick();
  EXPECT_EQ(replies_.size(), 1u);
}

}  // namespace
}  // namespace synod
