// A site's part in secure aggregation, through kills, full disks and cut links.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/site_agent/masked_world.h"

namespace synod {
namespace {

using testing::HoldFromShares;
using testing::HoldFromSurvivors;
using ::testing::IsEmpty;
using testing::MaskedWorld;
using testing::Release;

TEST(MaskedAnswers, GiveTheirWordsToTheSumAndToNobody) {
  MaskedWorld world;
  world.AskComputeAndSend(0);
  EXPECT_TRUE(world.SumIsExact());
  EXPECT_EQ(world.LedgerRows(), 1U);
  EXPECT_TRUE(world.HasPromise(0));
  EXPECT_EQ(world.coordinator.Count<Answer>(), 0U);
  const Bytes words = world.WordsOf(MaskedWorld::kOwnByte);
  for (const Envelope& envelope : world.coordinator.sent) {
    if (envelope.payload != nullptr) {
      EXPECT_NE(*envelope.payload, words);
    }
  }
  EXPECT_THAT(world.database().Query("SELECT id FROM ledger_answers").value(), IsEmpty()) << "nothing is kept";
  EXPECT_TRUE(world.agent->last_problem().empty()) << world.agent->last_problem();
}

TEST(MaskedAnswers, GoOnForQueryAfterQuery) {
  MaskedWorld world;
  world.AskComputeAndSend(0);
  ASSERT_TRUE(world.SumIsExact());
  world.Receive(QueryClosed{world.run, 0});
  world.Ask(0, 1);
  EXPECT_EQ((world.Wait(3.0), world.Refusal()), RefusalReason::kReplayed) << "the coordinator has its sum";
  world.AskComputeAndSend(1);
  EXPECT_TRUE(world.SumIsExact());
  EXPECT_EQ(world.LedgerRows(), 2U);
}

TEST(MaskedAnswers, AreChargedWhenWordsAreThereAndWantedWhicheverComesFirst) {
  MaskedWorld words_first;
  HoldFromShares(words_first);
  words_first.Ask(0);
  words_first.Compute(0);
  EXPECT_EQ(words_first.LedgerRows(), 0U);
  Release(words_first);
  EXPECT_EQ(words_first.LedgerRows(), 1U);
  words_first.EndSlot();
  EXPECT_TRUE(words_first.SumIsExact());
  MaskedWorld wanted_first;
  wanted_first.Ask(0);
  EXPECT_TRUE(wanted_first.LastStep<secure_agg::ShareBundle>().has_value());
  EXPECT_EQ(wanted_first.LedgerRows(), 0U);
  wanted_first.Compute(0);
  EXPECT_EQ(wanted_first.LedgerRows(), 1U);
}

TEST(MaskedAnswers, OfAnAttemptThatEndsBeforeItsInputCostNothing) {
  MaskedWorld world;
  HoldFromShares(world);
  world.Ask(0);
  world.Step({{world.run, 0, 0}, secure_agg::AttemptClosed{}});
  world.Compute(0);
  EXPECT_EQ(world.LedgerRows(), 0U);
  EXPECT_EQ(world.Chunks(), 0U);
  world.Receive(world.AskOf(0));
  world.Wait();
  EXPECT_EQ(world.Refusal(), RefusalReason::kReplayed) << "its keys are gone";
  world.held = nullptr;
  world.AskComputeAndSend(0, 1);
  EXPECT_TRUE(world.SumIsExact());
  EXPECT_EQ(world.LedgerRows(), 1U);
}

TEST(MaskedAnswers, AreChargedBeforeTheyLeaveAndPromisedBeforeTheyAreSigned) {
  MaskedWorld world;
  std::vector<FailPoint> points;
  world.fail_points.watch = [&](FailPoint point) {
    points.push_back(point);
    if (point == FailPoint::kSiteAfterCharge) {
      EXPECT_EQ(world.Chunks(), 0U);
    }
    if (point == FailPoint::kSiteBeforeAnswerSent) {
      EXPECT_EQ(world.LedgerRows(), 1U);
      EXPECT_EQ(world.Chunks(), 0U);
    }
    if (point == FailPoint::kSiteAfterPromise) {
      EXPECT_FALSE(world.LastStep<secure_agg::ConsistencySignature>().has_value());
    }
  };
  world.AskComputeAndSend(0);
  ASSERT_TRUE(world.SumIsExact());
  std::erase_if(points, [](FailPoint point) {
    return point == FailPoint::kSiteBeforeStepSent || point == FailPoint::kSiteAfterStepSent;
  });
  EXPECT_THAT(points, ::testing::ElementsAre(FailPoint::kSiteBeforeCharge, FailPoint::kSiteAfterCharge,
                                             FailPoint::kSiteBeforeAnswerSent, FailPoint::kSiteAfterAnswerSent,
                                             FailPoint::kSiteBeforePromise, FailPoint::kSiteAfterPromise));
}

TEST(MaskedAnswers, BeginToLeaveAtTheEndOfAPublicSlot) {
  MaskedWorld world;
  world.clock.seconds = 2000.01;
  world.Ask(0);
  world.Compute(0);
  EXPECT_EQ(world.LedgerRows(), 1U) << "charged at once";
  EXPECT_EQ(world.Chunks(), 0U);
  EXPECT_NEAR(world.agent->next_timer(), 2000.05, 1e-9);
  world.EndSlot();
  EXPECT_EQ(world.Chunks(), 1U);
}

// ---- Kills.

TEST(MaskedAnswers, OfANameThatAKillCutOffAreRefusedForEverAndTheNextAttemptIsCharged) {
  MaskedWorld world;
  world.Ask(0);
  world.Compute(0);
  world.Restart();
  world.Receive(world.AskOf(0));
  world.Wait();
  EXPECT_EQ(world.Refusal(), RefusalReason::kReplayed);
  EXPECT_EQ(world.Chunks(), 0U);
  EXPECT_TRUE(world.worker.requests.empty()) << "nothing is computed for it";
  world.AskComputeAndSend(0, 1);
  EXPECT_TRUE(world.SumIsExact());
  EXPECT_EQ(world.LedgerRows(), 2U);
}

TEST(MaskedAnswers, OfANameThatWasNotChargedMayBeginAgainAfterAKill) {
  MaskedWorld world;
  HoldFromShares(world);
  world.Ask(0);
  world.Restart();
  EXPECT_EQ(world.LedgerRows(), 0U);
  world.held = nullptr;
  world.AskComputeAndSend(0);
  EXPECT_TRUE(world.SumIsExact());
  EXPECT_EQ(world.LedgerRows(), 1U);
}

TEST(MaskedAnswers, NoSecondSurvivorSetIsSignedAfterAKill) {
  MaskedWorld world;
  world.AskComputeAndSend(0);
  ASSERT_TRUE(world.HasPromise(0));
  world.Restart();
  EXPECT_TRUE(world.HasPromise(0));
  const std::size_t sent = world.coordinator.sent.size();
  world.Step({{world.run, 0, 0}, secure_agg::SurvivorList{{0, 1}}});
  world.Step({{world.run, 0, 0}, secure_agg::SurvivorList{{0, 1, 2}}});
  EXPECT_EQ(world.coordinator.sent.size(), sent) << "its keys died with the process";
  SqlitePromiseStore& promises = world.agent->context().state.promises();
  EXPECT_FALSE(promises.Keep({world.run, 0, 0}, Digest{1}).ok());
  EXPECT_TRUE(promises.Keep({world.run, 0, 1}, Digest{1}).ok());
}

TEST(MaskedAnswers, OnePromiseAnAttemptEvenWhereTheLedgerWasLost) {
  MaskedWorld world;
  ASSERT_TRUE(world.agent->context().state.promises().Keep({world.run, 0, 0}, Digest{1}).ok());
  world.Ask(0);
  EXPECT_EQ(world.Steps(), 0U) << "this name had an attempt before";
  EXPECT_FALSE(world.agent->last_problem().empty());
}

TEST(MaskedAnswers, PromisesAreForgottenWhenTheRunHasEndedHere) {
  MaskedWorld world;
  world.AskComputeAndSend(0);
  world.Receive(QueryClosed{world.run, 0});
  EXPECT_TRUE(world.HasPromise(0));
  world.Receive(RunNotice{world.run, RunPhase::kSigning});
  EXPECT_TRUE(world.HasPromise(0));
  world.Receive(RunNotice{world.run, RunPhase::kPublished});
  EXPECT_FALSE(world.HasPromise(0));
  world.Receive(world.AskOf(0));
  world.Wait();
  EXPECT_EQ(world.Refusal(), RefusalReason::kOutsidePlan) << "a run that ended answers nothing";
}

TEST(MaskedAnswers, ADenialInTheMiddleKeepsPromisesAndSendsNothingMore) {
  MaskedWorld world;
  HoldFromSurvivors(world);
  world.AskComputeAndSend(0);
  ASSERT_TRUE(world.agent->Deny(world.run, "").ok());
  const std::size_t sent = world.coordinator.sent.size();
  Release(world);
  EXPECT_EQ(world.coordinator.sent.size(), sent);
  EXPECT_FALSE(world.HasPromise(0));
  EXPECT_FALSE(world.opened.has_value());
}

struct Killed {};

TEST(MaskedAnswers, AKillAtAnyPointCostsOneAttemptAtMost) {
  struct Case {
    FailPoint point;
    std::uint64_t charged;  // of the attempt that was cut off
    bool promised;
  };
  const Case cases[] = {{FailPoint::kSiteBeforeStepSent, 0, false},   {FailPoint::kSiteAfterStepSent, 0, false},
                        {FailPoint::kSiteBeforeCharge, 0, false},     {FailPoint::kSiteAfterCharge, 1, false},
                        {FailPoint::kSiteBeforeAnswerSent, 1, false}, {FailPoint::kSiteAfterAnswerSent, 1, false},
                        {FailPoint::kSiteBeforePromise, 1, false},    {FailPoint::kSiteAfterPromise, 1, true}};
  for (const Case& at : cases) {
    SCOPED_TRACE(FailPointName(at.point));
    MaskedWorld world;
    world.fail_points.watch = [&](FailPoint point) {
      if (point == at.point) throw Killed{};
    };
    EXPECT_THROW(world.AskComputeAndSend(0), Killed);
    world.fail_points.watch = nullptr;
    world.server.reset();
    world.routed = world.coordinator.sent.size();
    world.Restart();
    EXPECT_EQ(world.LedgerRows(), at.charged);
    EXPECT_EQ(world.HasPromise(0), at.promised);
    world.AskComputeAndSend(0, 1);
    EXPECT_TRUE(world.SumIsExact());
    EXPECT_EQ(world.LedgerRows(), at.charged + 1);
  }
}

// ---- Disks.

TEST(MaskedAnswers, WithoutADurableChargeNothingLeaves) {
  MaskedWorld world;
  world.Ask(0);
  const std::size_t steps = world.Steps();
  world.FillDisk("ledger_rows");
  world.Compute(0);
  world.EndSlot();
  EXPECT_EQ(world.Chunks(), 0U);
  EXPECT_EQ(world.Steps(), steps);
  EXPECT_EQ(world.Refusal(), std::nullopt) << "not within a moment";
  world.Wait(2.0);
  EXPECT_EQ(world.Refusal(), RefusalReason::kLedgerUnavailable);
  EXPECT_FALSE(world.agent->last_problem().empty());
  world.ClearDisk();
  world.AskComputeAndSend(0, 1);
  EXPECT_TRUE(world.SumIsExact());
  EXPECT_EQ(world.LedgerRows(), 1U);
}

TEST(MaskedAnswers, WithoutADurablePromiseNothingIsSigned) {
  MaskedWorld world;
  world.FillDisk("promises");
  world.AskComputeAndSend(0);
  EXPECT_FALSE(world.LastStep<secure_agg::ConsistencySignature>().has_value());
  EXPECT_FALSE(world.opened.has_value());
  EXPECT_FALSE(world.agent->last_problem().empty());
  world.ClearDisk();
  world.Step({{world.run, 0, 0}, secure_agg::SurvivorList{{0, 1, 2}}});
  EXPECT_FALSE(world.LastStep<secure_agg::ConsistencySignature>().has_value()) << "the attempt is over";
  EXPECT_EQ(world.LedgerRows(), 1U);
}

}  // namespace
}  // namespace synod
