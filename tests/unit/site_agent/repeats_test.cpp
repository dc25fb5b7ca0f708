// A coordinator that says the same thing again and again: it costs the site no memory, and nobody else their turn.
#include <gtest/gtest.h>

#include "tests/unit/site_agent/agent_world.h"
#include "tests/unit/store/store_fixture.h"

namespace synod {
namespace {

using testing::AgentWorld;
using testing::FileLimit;
using testing::WardOffer;

const RunOffer& RepeatedOffer() {
  static const RunOffer offer = WardOffer();
  return offer;
}

TEST(SiteRepeats, AThousandAsksOfAStoredAnswerWithinASlotAreReadOnceAndAnsweredOnce) {
  AgentWorld world;
  world.ProposeAndReview(RepeatedOffer());
  world.AskAndCompute(0, 0, 7);
  ASSERT_EQ(world.coordinator.Count<Answer>(), 1U);
  world.clock.seconds = 2000.01;
  world.Receive(world.AskOf(0));
  // Whoever reads the store from here on finds nothing, and would refuse.
  SiteState& state = world.agent->context().state;
  ASSERT_TRUE(state.ledger_store().ForgetAnswers(state.datasets().Find("records")->id, world.run, UINT32_MAX).ok());
  for (int i = 1; i < 1000; ++i) world.Receive(world.AskOf(0));
  EXPECT_EQ(world.coordinator.Count<Answer>(), 1U);
  world.Wait(0.05);
  EXPECT_EQ(world.coordinator.Count<Answer>(), 2U);
  EXPECT_EQ(world.coordinator.LastAnswer(), world.WordsOf(7));
  EXPECT_EQ(world.coordinator.Count<AnswerRefused>(), 0U);
}

TEST(SiteRepeats, EveryStoredAnswerOfARunAskedForWithinASlotLeavesTheLastOne) {
  AgentWorld world;
  world.ProposeAndReview(RepeatedOffer());
  world.AskAndCompute(0, 0, 1);
  world.AskAndCompute(0, 1, 2);
  ASSERT_EQ(world.coordinator.Count<Answer>(), 2U);
  world.clock.seconds = 2000.01;
  for (int i = 0; i < 100; ++i) {
    world.Receive(world.AskOf(0, 0));
    world.Receive(world.AskOf(0, 1));
  }
  world.Wait(0.05);
  EXPECT_EQ(world.coordinator.Count<Answer>(), 3U);
  EXPECT_EQ(world.coordinator.LastAnswer(), world.WordsOf(2));
}

TEST(SiteRepeats, AProposalThatTheDiskDoesNotTakeWaitsOnceAndLeavesTheOthersTheirPlace) {
  AgentWorld world;
  world.ProposeAndReview(RepeatedOffer());
  const RunId approved = world.run;
  const RetryList& retries = world.agent->context().retries;
  {
    const FileLimit full(1);
    world.run.bytes[0] = 99;
    for (std::size_t i = 0; i < RetryList::kMaxActions + 10; ++i) world.Propose(RepeatedOffer());
    EXPECT_EQ(retries.size(), 1U);
    for (std::size_t i = 0; i < RetryList::kMaxActions + 10; ++i) {
      world.Receive(RunNotice{approved, RunPhase::kAborted});
    }
    EXPECT_EQ(retries.size(), 2U);
    world.Wait(RetryList::kRetrySeconds);
    EXPECT_EQ(retries.size(), 2U) << "still full";
  }
  EXPECT_EQ(world.agent->context().state.runs().Find(world.run), nullptr);
  world.Wait(RetryList::kRetrySeconds);
  EXPECT_EQ(retries.size(), 0U);
  EXPECT_EQ(world.agent->context().state.runs().Find(approved)->state, SiteRunState::kEnded);
  ASSERT_NE(world.agent->context().state.runs().Find(world.run), nullptr);
  EXPECT_EQ(world.Record().state, SiteRunState::kReviewing);
}

TEST(SiteRepeats, ProposalsOfManyRunsThatTheDiskDoesNotTakeAreKeptUpToANumber) {
  AgentWorld world;
  constexpr std::size_t kRuns = ProposalDesk::kMaxUnstored + 5;
  {
    const FileLimit full(1);
    for (std::size_t i = 0; i < kRuns; ++i) {
      world.run.bytes[0] = static_cast<std::uint8_t>(i);
      world.Propose(RepeatedOffer());
    }
    EXPECT_EQ(world.coordinator.Count<RunDecision>(), kRuns - ProposalDesk::kMaxUnstored);
    EXPECT_EQ(world.coordinator.Last<RunDecision>()->reason, DenialReason::kUnavailable);
  }
  world.Wait(RetryList::kRetrySeconds);
  EXPECT_EQ(world.agent->context().state.runs().runs().size(), ProposalDesk::kMaxUnstored);
}

}  // namespace
}  // namespace synod
