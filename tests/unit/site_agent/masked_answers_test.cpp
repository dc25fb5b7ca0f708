// A site's part in secure aggregation, through kills, full disks and cut links.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/site_agent/masked_world.h"

namespace synod {
namespace {

using ::testing::IsEmpty;
using testing::MaskedWorld;
using testing::SecureOfferOf;

template <typename Body>
bool Is(const secure_agg::CoordinatorMessage& message) {
  return std::holds_alternative<Body>(message.body);
}

// Everything that comes after the grant is late.
void HoldFromSurvivors(MaskedWorld& world) {
  world.held = [](const secure_agg::CoordinatorMessage& message) { return Is<secure_agg::SurvivorList>(message); };
}
void HoldFromShares(MaskedWorld& world) {
  world.held = [](const secure_agg::CoordinatorMessage& message) { return Is<secure_agg::ShareList>(message); };
}
void Release(MaskedWorld& world) {
  world.held = nullptr;
  world.Route();
}

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

// ---- Workers.

TEST(MaskedAnswers, AWorkerThatIsLostThriceIsSilenceAndCostsNothing) {
  MaskedWorld world;
  world.Ask(0);
  const std::size_t sent = world.coordinator.sent.size();
  for (int i = 0; i < 3; ++i) {
    world.agent->OnWorkerLost(Failed("the worker ended"));
    world.Wait(1.0);
  }
  EXPECT_EQ(world.coordinator.sent.size(), sent) << "no reason is given";
  EXPECT_FALSE(world.agent->last_problem().empty()) << "but the administrator sees it";
  EXPECT_EQ(world.LedgerRows(), 0U);
  world.AskComputeAndSend(0, 1);
  EXPECT_TRUE(world.SumIsExact());
}

TEST(MaskedAnswers, AWorkerThatIsLostOnceComputesAgainForTheSameAttempt) {
  MaskedWorld world;
  world.Ask(0);
  world.agent->OnWorkerLost(Failed("the worker ended"));
  world.Wait(1.0);
  world.Compute(0);
  world.EndSlot();
  EXPECT_TRUE(world.SumIsExact());
  EXPECT_EQ(world.LedgerRows(), 1U);
}

TEST(MaskedAnswers, WordsOfAnotherLengthAreNotMasked) {
  MaskedWorld world;
  world.Ask(0);
  world.Reply(OpenSiteReply{});
  world.Reply(AnswerReply{{world.run, 0, 0}, Bytes(8)});
  world.EndSlot();
  EXPECT_EQ(world.LedgerRows(), 0U);
  EXPECT_EQ(world.Chunks(), 0U);
}

TEST(MaskedAnswers, AQueryThatTheWorkerFindsMalformedIsRefusedUncharged) {
  MaskedWorld world;
  world.Ask(0);
  world.Reply(OpenSiteReply{});
  world.Reply(AnswerMalformedReply{{world.run, 0, 0}});
  world.Wait();
  EXPECT_EQ(world.Refusal(), RefusalReason::kMalformed);
  EXPECT_EQ(world.LedgerRows(), 0U);
}

// ---- Links.

TEST(MaskedAnswers, GoOnAtTheGrantedChunkWithTheSameBytesWhenTheLinkIsBack) {
  MaskedWorld world(SecureOfferOf(1'500'000));  // six chunks of 32-bit words
  ASSERT_EQ(world.PlanOf().entries()[0].word_bits, 32U);
  world.coordinator.counts = true;
  world.lost_chunks_from = 2;
  world.AskComputeAndSend(0);
  EXPECT_EQ(world.Chunks(), 4U) << "no more than the window waits in the link";
  std::map<std::uint32_t, Bytes> first;
  for (const Envelope& envelope : world.coordinator.sent) {
    if (const auto* chunk = std::get_if<AggregationChunk>(&envelope.message)) first[chunk->index] = *envelope.payload;
  }
  const std::size_t sent = world.coordinator.sent.size();
  world.CutLink();
  world.Wait(1.0);
  EXPECT_EQ(world.coordinator.sent.size(), sent);
  world.lost_chunks_from = SIZE_MAX;
  world.coordinator.counts = false;
  world.OpenLink();
  world.EndSlot();
  std::uint32_t expected = 2;
  for (std::size_t i = sent; i < world.coordinator.sent.size(); ++i) {
    const auto* chunk = std::get_if<AggregationChunk>(&world.coordinator.sent[i].message);
    if (chunk == nullptr) continue;
    EXPECT_EQ(chunk->index, expected++);
    if (first.contains(chunk->index)) {
      EXPECT_EQ(*world.coordinator.sent[i].payload, first[chunk->index]);
    }
  }
  EXPECT_EQ(expected, 6U);
  EXPECT_TRUE(world.SumIsExact());
  EXPECT_EQ(world.LedgerRows(), 1U) << "without a second charge";
}

TEST(MaskedAnswers, WaitForTheLinkToTakeMore) {
  MaskedWorld world(SecureOfferOf(1'500'000));
  world.coordinator.counts = true;
  world.AskComputeAndSend(0);
  ASSERT_EQ(world.Chunks(), 4U);
  world.Wait(0.02);
  EXPECT_EQ(world.Chunks(), 4U);
  EXPECT_LE(world.agent->next_timer(), world.clock.seconds + 0.0101);
  world.coordinator.queued -= 1U << 20;
  world.EndSlot();
  EXPECT_EQ(world.Chunks(), 5U);
  world.coordinator.counts = false;
  world.coordinator.queued = 0;
  world.EndSlot();
  EXPECT_EQ(world.Chunks(), 6U);
  EXPECT_TRUE(world.SumIsExact());
}

TEST(MaskedAnswers, AMessageThatALinkLostIsSentAgainAndTheAttemptIsTheSame) {
  MaskedWorld world;
  HoldFromShares(world);
  world.Ask(0);
  const auto bundle = world.LastStep<secure_agg::ShareBundle>();
  ASSERT_TRUE(bundle.has_value());
  world.CutLink();
  world.to_site.clear();  // what was on its way is lost
  world.held = nullptr;
  const std::size_t steps = world.Steps();
  world.OpenLink();
  EXPECT_GT(world.Steps(), steps);
  EXPECT_EQ(world.LastStep<secure_agg::ShareBundle>(), bundle) << "the same bytes";
  world.Receive(world.AskOf(0));  // a coordinator that asks again changes nothing
  world.Compute(0);
  world.EndSlot();
  EXPECT_TRUE(world.SumIsExact());
  EXPECT_EQ(world.LedgerRows(), 1U);
}

TEST(MaskedAnswers, AnAttemptThatHearsNothingIsGivenUpUncharged) {
  MaskedWorld world;
  HoldFromShares(world);
  world.Ask(0);
  EXPECT_LE(world.agent->next_timer(), world.clock.seconds + 60.0);
  world.Wait(61.0);
  Release(world);
  world.Compute(0);
  EXPECT_EQ(world.LedgerRows(), 0U);
  EXPECT_EQ(world.agent->next_timer(), std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace synod
