#include <gtest/gtest.h>

#include "tests/unit/coordinator/run_fixture.h"

namespace synod {
namespace {

using testing::Approval;
using testing::Denial;
using testing::HandBook;
using testing::RunNumber;
using testing::Submission;
using testing::Summary;

constexpr std::array kAllStates = {RunState::kSubmitted, RunState::kResolving, RunState::kProposed,
                                   RunState::kRunning,   RunState::kSigning,   RunState::kPublished,
                                   RunState::kFailed,    RunState::kAborted,   RunState::kRefused};

TEST(RunStates, EveryOpenStateMayFailAndBeAborted) {
  for (const RunState state : kAllStates) {
    EXPECT_EQ(MayFollow(state, RunState::kFailed), !IsTerminal(state)) << RunStateName(state);
    EXPECT_EQ(MayFollow(state, RunState::kAborted), !IsTerminal(state)) << RunStateName(state);
  }
}

TEST(RunStates, PublishedIsReachedThroughSigningAlone) {
  for (const RunState state : kAllStates) {
    EXPECT_EQ(MayFollow(state, RunState::kPublished), state == RunState::kSigning) << RunStateName(state);
  }
}

TEST(RunStates, NamesAreReadBack) {
  for (const RunState state : kAllStates) EXPECT_EQ(*RunStateFromName(RunStateName(state)), state);
  EXPECT_FALSE(RunStateFromName("Running").ok());
}

TEST(RunBook, TheSameSubmissionTwiceIsOneRun) {
  HandBook hand;
  ASSERT_TRUE(hand.book->Submit(Submission(1), Summary()).ok());
  const int writes = hand.store.writes;
  const auto again = hand.book->Submit(Submission(1), Summary());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->run(), RunNumber(1));
  EXPECT_EQ(hand.book->InOrder().size(), 1u);
  EXPECT_EQ(hand.store.writes, writes);
}

TEST(RunBook, OneIdNeverStandsForTwoSubmissions) {
  HandBook hand;
  ASSERT_TRUE(hand.book->Submit(Submission(1), Summary()).ok());
  for (int field = 0; field < 4; ++field) {
    RunSubmission other = Submission(1);
    if (field == 0) other.specification += "#";
    if (field == 1) other.schema += "#";
    if (field == 2) other.sites = {"site-a"};
    if (field == 3) other.submitter = "somebody-else";
    const auto refused = hand.book->Submit(other, Summary());
    ASSERT_FALSE(refused.ok()) << field;
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
  }
}

TEST(RunBook, AChangeThatIsNotDurableHasNotHappened) {
  HandBook hand;
  const RunId run = hand.Propose(1);
  hand.store.full = true;
  EXPECT_FALSE(hand.book->Submit(Submission(2), Summary()).ok());
  EXPECT_EQ(hand.book->Find(RunNumber(2)), nullptr);
  EXPECT_FALSE(hand.book->TakeDecision(run, "site-a", Approval()).ok());
  EXPECT_TRUE(hand.book->Find(run)->decisions.empty());
  EXPECT_FALSE(hand.book->Abort(run, "operator").ok());
  EXPECT_EQ(hand.StateOf(run), RunState::kProposed);
  hand.store.full = false;
  EXPECT_TRUE(hand.book->TakeDecision(run, "site-a", Approval()).ok());
}

TEST(RunBook, ARunStartsWhenEverySiteHasDecidedAndEnoughApproved) {
  HandBook hand;
  const RunId run = hand.Propose(1);
  ASSERT_TRUE(hand.book->TakeDecision(run, "site-a", Approval()).ok());
  ASSERT_TRUE(hand.book->TakeDecision(run, "site-b", Approval()).ok());
  EXPECT_EQ(hand.book->NextToStart(), nullptr) << "site-c has not decided";
  SiteDecision waiting;
  ASSERT_TRUE(hand.book->TakeDecision(run, "site-c", waiting).ok());
  EXPECT_EQ(hand.book->NextToStart(), nullptr) << "a person of site-c has to decide";
  ASSERT_TRUE(hand.book->TakeDecision(run, "site-c", Denial(DenialReason::kPerson)).ok());
  ASSERT_NE(hand.book->NextToStart(), nullptr);
  EXPECT_EQ(hand.book->NextToStart()->run(), run);
}

TEST(RunBook, ASiteThatReviewsOnceMoreHasNotTakenItsApprovalBack) {
  HandBook hand;
  const RunId run = hand.ProposeAndApprove(1);
  EXPECT_FALSE(*hand.book->TakeDecision(run, "site-a", SiteDecision{}));
  EXPECT_TRUE(hand.book->Find(run)->Approved("site-a"));
  ASSERT_TRUE(hand.book->Start(run).ok());
  EXPECT_TRUE(*hand.book->TakeDecision(run, "site-a", Denial(DenialReason::kPerson)));
  EXPECT_FALSE(hand.book->Find(run)->Approved("site-a"));
}

TEST(RunBook, ARunThatEverySiteRefusesForItsBudgetHasSpentTheBudget) {
  HandBook hand;
  const RunId run = hand.Propose(1);
  for (const char* site : {"site-a", "site-b"}) (void)hand.book->TakeDecision(run, site, Denial(DenialReason::kBudget));
  ASSERT_EQ(hand.StateOf(run), RunState::kRefused);
  EXPECT_EQ(hand.book->Find(run)->failure->code, ErrorCode::kBudgetExhausted);
}

TEST(RunBook, DenialsThatLeaveTooFewSitesRefuseTheRunAndNameEachReason) {
  HandBook hand;
  const RunId run = hand.Propose(1);
  ASSERT_TRUE(hand.book->TakeDecision(run, "site-a", Denial(DenialReason::kPolicy)).ok());
  EXPECT_EQ(hand.StateOf(run), RunState::kProposed) << "two of three are enough";
  ASSERT_TRUE(hand.book->TakeDecision(run, "site-c", Denial(DenialReason::kBudget)).ok());
  ASSERT_EQ(hand.StateOf(run), RunState::kRefused);
  const std::string message = hand.book->Find(run)->failure->message;
  EXPECT_NE(message.find("site-a: policy"), std::string::npos) << message;
  EXPECT_NE(message.find("site-c: budget"), std::string::npos) << message;
  EXPECT_EQ(hand.book->Find(run)->failure->code, ErrorCode::kRefused);
}

TEST(RunBook, ASiteThatIsNotOnTheRosterHasNoSay) {
  HandBook hand;
  const RunId run = hand.Propose(1);
  EXPECT_FALSE(hand.book->TakeDecision(run, "site-x", Approval()).ok());
  EXPECT_TRUE(hand.book->Find(run)->decisions.empty());
}

TEST(RunBook, ASiteThatWaitsMayChangeWhatItWaitsForAndOneThatDecidedDoesNotWaitAgain) {
  HandBook hand;
  const RunId run = hand.Propose(1);
  SiteDecision waits;
  EXPECT_TRUE(*hand.book->TakeDecision(run, "site-a", waits));
  waits.reason = DenialReason::kPerson;
  EXPECT_TRUE(*hand.book->TakeDecision(run, "site-a", waits));
  EXPECT_FALSE(*hand.book->TakeDecision(run, "site-a", waits));
  EXPECT_EQ(hand.book->Find(run)->decisions.at("site-a").reason, DenialReason::kPerson);
  EXPECT_TRUE(*hand.book->TakeDecision(run, "site-a", Approval()));
  EXPECT_FALSE(*hand.book->TakeDecision(run, "site-a", waits));
  EXPECT_EQ(hand.book->Find(run)->decisions.at("site-a").decision, Decision::kApproved);
}

TEST(RunBook, OneRunTrainsAndTheOthersQueueInOrder) {
  HandBook hand;
  const RunId first = hand.ProposeAndApprove(1);
  const RunId second = hand.ProposeAndApprove(2);
  const RunId third = hand.ProposeAndApprove(3);
  ASSERT_EQ(hand.book->NextToStart()->run(), first);
  ASSERT_TRUE(hand.book->Start(first).ok());
  EXPECT_EQ(hand.book->NextToStart(), nullptr);
  EXPECT_FALSE(hand.book->Start(second).ok());
  ASSERT_TRUE(hand.book->TakeDraft(first, {1, 2, 3}, Digest{}, {"site-a"}).ok());
  EXPECT_EQ(hand.book->NextToStart()->run(), second) << "signing does not occupy the trainer";
  ASSERT_TRUE(hand.book->Abort(second, "operator").ok());
  EXPECT_EQ(hand.book->NextToStart()->run(), third);
}

TEST(RunBook, EverythingIsThereAfterARestart) {
  HandBook hand;
  const RunId run = hand.ProposeAndApprove(1);
  ASSERT_TRUE(hand.book->Start(run).ok());
  Digest digest{};
  digest.fill(9);
  ASSERT_TRUE(hand.book->TakeDraft(run, {1, 2, 3}, digest, {"site-a", "site-b"}).ok());
  SiteSignature signature;
  signature.site = "site-a";
  signature.attempts = {1, 4};
  ASSERT_TRUE(*hand.book->TakeSignature(run, signature));
  const RunId failed = hand.Propose(2);
  ASSERT_TRUE(hand.book->Fail(failed, Failed("why", "what to do")).ok());
  hand.Reopen();
  ASSERT_NE(hand.book, nullptr);
  const RunRecord& record = *hand.book->Find(run);
  EXPECT_EQ(record.state, RunState::kSigning);
  EXPECT_EQ(record.file_digest, digest);
  EXPECT_EQ(record.MissingSignatures(), std::vector<std::string>{"site-b"});
  EXPECT_EQ(record.signatures.at("site-a").attempts, (std::vector<std::uint64_t>{1, 4}));
  EXPECT_TRUE(record.Approved("site-c"));
  EXPECT_EQ(record.decisions.at("site-c").signature, Approval().signature);
  EXPECT_EQ(*record.plan, *testing::RoundPlan());
  EXPECT_EQ(record.submission, Submission(1));
  EXPECT_EQ(hand.book->Find(failed)->failure->message, "why");
  EXPECT_EQ(hand.book->Find(failed)->failure->hint, "what to do");
}

TEST(RunBook, ARunThatWasBeingResolvedIsResolvedAgain) {
  HandBook hand;
  ASSERT_TRUE(hand.book->Submit(Submission(1), Summary()).ok());
  ASSERT_TRUE(hand.book->BeginResolving(RunNumber(1)).ok());
  hand.Reopen();
  EXPECT_EQ(hand.StateOf(RunNumber(1)), RunState::kSubmitted);
}

TEST(RunBook, ALateSignatureCompletesAFileThatWasPublishedWithoutIt) {
  HandBook hand;
  const RunId run = hand.ProposeAndApprove(1);
  ASSERT_TRUE(hand.book->Start(run).ok());
  ASSERT_TRUE(hand.book->TakeDraft(run, {1}, Digest{}, {"site-a", "site-b"}).ok());
  ASSERT_TRUE(hand.book->TakeSignature(run, {"site-a", {1, 3}, {}, {}}).ok());
  ASSERT_TRUE(hand.book->MarkPublished(run).ok());
  EXPECT_FALSE(hand.book->Find(run)->complete);
  ASSERT_TRUE(*hand.book->TakeSignature(run, {"site-b", {1, 3}, {}, {}}));
  ASSERT_TRUE(hand.book->MarkPublished(run).ok());
  EXPECT_TRUE(hand.book->Find(run)->complete);
  EXPECT_FALSE(*hand.book->TakeSignature(run, {"site-b", {1, 3}, {}, {}}));
}

TEST(RunBook, WhatHasEndedStaysEnded) {
  HandBook hand;
  const RunId run = hand.ProposeAndApprove(1);
  ASSERT_TRUE(hand.book->Abort(run, "operator").ok());
  EXPECT_TRUE(hand.book->Abort(run, "operator").ok()) << "saying it twice is no error";
  EXPECT_FALSE(hand.book->Start(run).ok());
  EXPECT_FALSE(hand.book->Fail(run, Failed("late")).ok());
  EXPECT_FALSE(hand.book->TakeDraft(run, {}, Digest{}, {}).ok());
  EXPECT_FALSE(*hand.book->TakeDecision(run, "site-a", Denial(DenialReason::kPerson)));
  EXPECT_EQ(hand.book->Find(run)->aborted_by, "operator");
}

TEST(RunRecord, ADamagedRowIsAnErrorAndNoCrash) {
  HandBook hand;
  const RunId run = hand.ProposeAndApprove(1);
  const Json good = RecordToJson(*hand.book->Find(run));
  for (const auto& [key, value] : good.items()) {
    for (const Json& bad : {Json(), Json("text"), Json(-1), Json::array({1}), Json::object({{"a", 1}})}) {
      Json damaged = good;
      if (bad.is_null()) {
        damaged.erase(key);
      } else {
        damaged[key] = bad;
      }
      RunRecord record;
      record.plan_text = hand.book->Find(run)->plan_text;
      (void)FillFromJson(damaged, record);
    }
    Json without = good;
    without.erase(key);
    RunRecord record;
    EXPECT_FALSE(FillFromJson(without, record).ok()) << key;
  }
}

}  // namespace
}  // namespace synod
