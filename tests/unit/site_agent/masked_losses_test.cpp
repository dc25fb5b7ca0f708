// A site's part in secure aggregation when its worker or its link is lost in the middle.
#include <gtest/gtest.h>

#include "tests/unit/site_agent/masked_world.h"

namespace synod {
namespace {

using testing::HoldFromShares;
using testing::MaskedWorld;
using testing::Release;
using testing::SecureOfferOf;

// ---- Workers.

TEST(MaskedLosses, AWorkerThatIsLostThriceIsSilenceAndCostsNothing) {
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

TEST(MaskedLosses, AWorkerThatIsLostOnceComputesAgainForTheSameAttempt) {
  MaskedWorld world;
  world.Ask(0);
  world.agent->OnWorkerLost(Failed("the worker ended"));
  world.Wait(1.0);
  world.Compute(0);
  world.EndSlot();
  EXPECT_TRUE(world.SumIsExact());
  EXPECT_EQ(world.LedgerRows(), 1U);
}

TEST(MaskedLosses, AWorkerThatIsLostAfterItComputedChangesNothing) {
  MaskedWorld world;
  HoldFromShares(world);
  world.Ask(0);
  world.Compute(0);
  world.agent->OnWorkerLost(Failed("the worker ended"));
  Release(world);
  world.EndSlot();
  EXPECT_TRUE(world.SumIsExact());
  EXPECT_EQ(world.LedgerRows(), 1U);
}

TEST(MaskedLosses, WordsOfAnotherLengthAreNotMasked) {
  MaskedWorld world;
  world.Ask(0);
  world.Reply(OpenSiteReply{});
  world.Reply(AnswerReply{{world.run, 0, 0}, Bytes(8)});
  world.EndSlot();
  EXPECT_EQ(world.LedgerRows(), 0U);
  EXPECT_EQ(world.Chunks(), 0U);
}

TEST(MaskedLosses, AQueryThatTheWorkerFindsMalformedIsRefusedUncharged) {
  MaskedWorld world;
  world.Ask(0);
  world.Reply(OpenSiteReply{});
  world.Reply(AnswerMalformedReply{{world.run, 0, 0}});
  world.Wait();
  EXPECT_EQ(world.Refusal(), RefusalReason::kMalformed);
  EXPECT_EQ(world.LedgerRows(), 0U);
}

// ---- Links.

TEST(MaskedLosses, GoOnAtTheGrantedChunkWithTheSameBytesWhenTheLinkIsBack) {
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

TEST(MaskedLosses, WaitForTheLinkToTakeMore) {
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

TEST(MaskedLosses, AMessageThatALinkLostIsSentAgainAndTheAttemptIsTheSame) {
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

TEST(MaskedLosses, AnAttemptThatHearsNothingIsGivenUpUncharged) {
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
