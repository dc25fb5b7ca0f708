#include <gtest/gtest.h>

#include "tests/unit/coordinator/training_fixture.h"

namespace synod {
namespace {

using testing::Denial;
using testing::RoundPlanOptions;
using testing::TrainingRunTest;

TEST_F(TrainingRunTest, RunsToItsDraftWhenEverySiteAnswers) {
  Begin();
  Work();
  for (int query = 0; query < 4; ++query) AnswerAll(TakeAsks());
  EXPECT_TRUE(drafted_);
  ASSERT_EQ(drafts_asked_.size(), 1u);
  EXPECT_EQ(drafts_asked_[0].participation, *run_->participation());
  EXPECT_EQ(ledger_store_.Load()->size(), 4u);
  EXPECT_EQ(run_->Progress().queries_done, 4u);
}

TEST_F(TrainingRunTest, OneBufferGoesToEverySiteWithContextBeforeParameters) {
  Begin();
  Work();
  ASSERT_EQ(sent_.size(), 3u);
  EXPECT_EQ(sent_[0].second.payload, sent_[1].second.payload);
  EXPECT_EQ(sent_[0].second.payload, sent_[2].second.payload);
  const Bytes& payload = *sent_[0].second.payload;
  ASSERT_EQ(payload.size(), 12u);
  float values[3];
  std::memcpy(values, payload.data(), sizeof(values));
  EXPECT_EQ(values[0], 3.0F);
  EXPECT_EQ(values[1], 1.0F);
  const auto& ask = std::get<QueryAsk>(sent_[0].second.message);
  EXPECT_EQ(ask.context_values, 1u);
  EXPECT_EQ(ask.parameter_values, 2u);
  EXPECT_EQ(owed_.BytesOwed("site-b", ask.name), 4u * 4u);
}

TEST_F(TrainingRunTest, ASiteThatDeniedTheRunIsNeitherAskedNorWaitedFor) {
  record_.decisions["site-b"] = Denial(DenialReason::kPolicy);
  Begin();
  Work();
  const auto asks = TakeAsks();
  ASSERT_EQ(asks.size(), 2u);
  AnswerAll(asks);
  EXPECT_EQ(AskedSites(), (std::set<std::string>{"site-a", "site-c"})) << "the next query came at once";
}

TEST_F(TrainingRunTest, ASiteThatComesBackIsAskedAgainUnderTheSameName) {
  Begin();
  Work();
  const auto asks = TakeAsks();
  Disconnect("site-b");
  Connect("site-b");
  const auto again = TakeAsks();
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].first, "site-b");
  EXPECT_EQ(again[0].second, asks[0].second);
  Answer("site-b", again[0].second);
  Connect("site-b");
  EXPECT_TRUE(TakeAsks().empty()) << "it has answered";
}

TEST_F(TrainingRunTest, AnAbsenceShorterThanTheDeadlineIsWaitedFor) {
  Begin();
  Work();
  const auto asks = TakeAsks();
  Disconnect("site-c");
  Answer("site-a", asks[0].second);
  Answer("site-b", asks[0].second);
  Wait(40.0);
  EXPECT_TRUE(TakeAsks().empty()) << "site-c may come back";
  EXPECT_EQ(Kind(), WaitKind::kAnswers);
  EXPECT_EQ(run_->Waits()[0].sites, std::vector<std::string>{"site-c"});
}

TEST_F(TrainingRunTest, ASiteThatIsAwayForAWholeDeadlineIsNotWaitedForUntilItIsBack) {
  Begin();
  Work();
  const auto asks = TakeAsks();
  Disconnect("site-c");
  Answer("site-a", asks[0].second);
  Answer("site-b", asks[0].second);
  Wait(61.0);
  for (int query = 1; query < 3; ++query) {
    const auto next = TakeAsks();
    ASSERT_EQ(next.size(), 2u) << query;
    EXPECT_EQ(next[0].second.query, static_cast<std::uint32_t>(query));
    AnswerAll(next);
  }
  Connect("site-c");
  EXPECT_EQ(AskedSites(), (std::set<std::string>{"site-a", "site-b", "site-c"}));
}

TEST_F(TrainingRunTest, ASilentSiteCostsOneDeadlineAndNotOneForEachQuery) {
  Begin();
  Work();
  const auto asks = TakeAsks();
  Answer("site-a", asks[0].second);
  Answer("site-b", asks[0].second);
  Wait(61.0);
  const auto next = TakeAsks();
  ASSERT_EQ(next.size(), 3u) << "it is asked all the same";
  Answer("site-a", next[0].second);
  Answer("site-b", next[0].second);
  const auto third = TakeAsks();
  ASSERT_EQ(third.size(), 3u) << "and not waited for";
  // Its late answer shows that it lives: it is waited for again.
  Answer("site-c", next[0].second);
  Answer("site-a", third[0].second);
  Answer("site-b", third[0].second);
  EXPECT_TRUE(TakeAsks().empty());
}

TEST_F(TrainingRunTest, WhileTooFewSitesAreConnectedTheClockStandsStillAndNoRetryIsSpent) {
  Begin();
  Work();
  const auto asks = TakeAsks();
  Disconnect("site-b");
  Disconnect("site-c");
  Answer("site-a", asks[0].second);
  Wait(1000.0);
  EXPECT_EQ(ledger_store_.Load()->size(), 1u) << "asked once, charged once";
  EXPECT_EQ(Kind(), WaitKind::kQuorum);
  EXPECT_EQ(run_->Waits()[0].sites, (std::vector<std::string>{"site-b", "site-c"}));
  Connect("site-b");
  const auto again = TakeAsks();
  ASSERT_EQ(again.size(), 1u);
  Wait(30.0);
  EXPECT_EQ(Kind(), WaitKind::kAnswers);
  Answer("site-b", again[0].second);
  EXPECT_EQ(AskedSites(), (std::set<std::string>{"site-a", "site-b"})) << "site-c was away for long";
}

TEST_F(TrainingRunTest, AtTheDeadlineWithoutEnoughAnswersTheQueryIsAskedAgainAndCharged) {
  Begin();
  Work();
  const auto asks = TakeAsks();
  Answer("site-a", asks[0].second);
  Wait(61.0);
  const auto again = TakeAsks();
  ASSERT_EQ(again.size(), 3u);
  EXPECT_EQ(again[0].second.query, asks[0].second.query);
  EXPECT_EQ(again[0].second.attempt, 1u);
  EXPECT_EQ(ledger_store_.Load()->size(), 2u);
}

TEST_F(TrainingRunTest, WhenThePlanAllowsNoFurtherAttemptTheRunFailsAndNamesTheSites) {
  Begin();
  Work();
  Wait(200.0);
  ASSERT_TRUE(failure_.has_value());
  EXPECT_NE(failure_->message.find("site-b: no answer"), std::string::npos) << failure_->message;
  EXPECT_EQ(ledger_store_.Load()->size(), 2u) << "counts: one answer and one retry";
  Wait(100.0);
  Connect("site-a");
  EXPECT_TRUE(requests_.empty());
}

TEST_F(TrainingRunTest, AWorkerThatEndsIsReplayedAndTheOpenQueryIsAskedUnderItsName) {
  Begin();
  Work();
  AnswerAll(TakeAsks());
  const auto open = TakeAsks();
  ASSERT_EQ(open[0].second.query, 1u);
  Answer("site-a", open[0].second);
  trained_.clear();
  trainer_ = std::make_unique<testing::TestTrainer>(plan_, trainer_log_);
  run_->OnWorkerLost(Failed("killed"));
  EXPECT_EQ(Kind(), WaitKind::kWorker);
  Work();
  ASSERT_EQ(trained_.size(), 2u);
  EXPECT_TRUE(trained_[1].has_sum);
  EXPECT_EQ(trained_[1].words, store_.memory().words.at(0));
  const auto again = TakeAsks();
  ASSERT_EQ(again.size(), 3u);
  EXPECT_EQ(again[0].second, open[0].second);
  EXPECT_EQ(ledger_store_.Load()->size(), 2u) << "no second charge";
}

TEST_F(TrainingRunTest, AWorkerThatEndsAgainAndAgainFailsTheRun) {
  Begin();
  for (unsigned i = 0; i < TrainingRun::kMaxWorkerLosses; ++i) run_->OnWorkerLost(Failed("killed"));
  ASSERT_TRUE(failure_.has_value());
  EXPECT_NE(failure_->message.find("5 times in a row"), std::string::npos) << failure_->message;
}

TEST_F(TrainingRunTest, AFullDiskPausesTheRunAndNothingIsLost) {
  Begin();
  Work();
  const auto asks = TakeAsks();
  store_.memory().fails = true;
  AnswerAll(asks);
  EXPECT_FALSE(failure_.has_value());
  EXPECT_EQ(Kind(), WaitKind::kStorage);
  EXPECT_NE(run_->Waits()[0].text.find("full"), std::string::npos) << run_->Waits()[0].text;
  Wait(20.0);
  store_.memory().fails = false;
  trainer_ = std::make_unique<testing::TestTrainer>(plan_, trainer_log_);
  Wait(6.0);
  const auto again = TakeAsks();
  ASSERT_GE(again.size(), 3u);
  EXPECT_EQ(again.back().second, asks[0].second) << "sites send what they stored under that name";
  EXPECT_EQ(ledger_store_.Load()->size(), 1u);
  for (const char* site : {"site-a", "site-b", "site-c"}) Answer(site, asks[0].second);
  for (int query = 0; query < 3; ++query) AnswerAll(TakeAsks());
  EXPECT_TRUE(drafted_);
}

TEST_F(TrainingRunTest, ARestartFromACheckpointAsksForNothingThatWasAbsorbed) {
  RoundPlanOptions options;
  options.steps = 60;
  Make(options);
  Begin();
  Work();
  while (!store_.checkpoint) AnswerAll(TakeAsks());
  EXPECT_EQ(store_.checkpoint->trained_queries, TrainingRun::kCheckpointQueries);
  AnswerAll(TakeAsks());
  trained_.clear();
  TakeAsks();
  Begin();
  ASSERT_EQ(requests_.size(), 1u);
  EXPECT_EQ(std::get<OpenTrainerRequest>(requests_[0]).checkpoint, (Bytes{1, 2, 3}));
  for (std::uint32_t done = 0; done < TrainingRun::kCheckpointQueries; ++done) {
    Query query;
    query.entry = done == 0 ? 0 : 1;
    const PlanEntry& entry = plan_->entries()[query.entry];
    (void)trainer_->Absorb(query, *SumAccumulator::Decode(testing::GridOfEntry(entry), WordBits::k32,
                                                          testing::TotalOf(*plan_, query.entry, {1}), 1));
  }
  Work();
  EXPECT_EQ(trained_.size(), 2u) << "one step without a sum, one with the sum after the checkpoint";
  for (const auto& [site, name] : TakeAsks()) EXPECT_EQ(name.query, TrainingRun::kCheckpointQueries + 1);
}

TEST_F(TrainingRunTest, AnswersOfStrangersAndOfOtherQueriesCountForNothing) {
  Begin();
  Work();
  const auto asks = TakeAsks();
  const QueryName name = asks[0].second;
  Answer("site-z", name);
  Answer("site-a", {name.run, name.query, name.attempt + 1});
  Answer("site-a", {testing::RunNumber(9), name.query, name.attempt});
  run_->OnAnswer("site-a", name, Bytes(5, 0));
  run_->OnAnswer("site-a", name, Bytes());
  Answer("site-a", name);
  Answer("site-a", name);
  EXPECT_TRUE(TakeAsks().empty());
  EXPECT_EQ(run_->Waits()[0].sites, (std::vector<std::string>{"site-b", "site-c"}));
}

TEST_F(TrainingRunTest, ASiteThatTakesItsApprovalBackIsNotWaitedFor) {
  Begin();
  Work();
  const auto asks = TakeAsks();
  Answer("site-a", asks[0].second);
  Answer("site-b", asks[0].second);
  run_->OnDecision("site-c", Denial(DenialReason::kPerson));
  Work();
  EXPECT_EQ(AskedSites(), (std::set<std::string>{"site-a", "site-b"}));
}

TEST_F(TrainingRunTest, SitesAreToldWhichAnswersTheyMayForget) {
  Begin();
  Work();
  const auto asks = TakeAsks();
  AnswerAll(asks);
  std::set<std::string> told;
  for (const auto& [site, envelope] : sent_) {
    const auto* closed = std::get_if<QueryClosed>(&envelope.message);
    if (closed != nullptr && closed->query == 0) told.insert(site);
  }
  EXPECT_EQ(told.size(), 3u);
}

}  // namespace
}  // namespace synod
