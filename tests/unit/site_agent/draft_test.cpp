// What a site signs at the end of a run, and what it refuses to sign.
#include <gtest/gtest.h>

#include "common/artefact/signatures.h"
#include "common/crypto/sha256.h"
#include "tests/unit/site_agent/agent_world.h"

namespace synod {
namespace {

using testing::AgentWorld;
using testing::WardOffer;

struct DraftCase {
  Participation participation;
  bool agrees = true;
  std::int64_t dated_after_now = 0;  // seconds
};

void OfferDraft(AgentWorld& world, const DraftCase& draft) {
  const Bytes bytes = {1, 2, 3};
  world.Receive(DraftToSign{world.run}, bytes);
  CheckDraftReply reply;
  reply.agrees = draft.agrees;
  reply.difference = "certificate.entries";
  reply.run = world.run;
  reply.file_digest = Sha256(ByteView(bytes));
  reply.participation = draft.participation;
  reply.created_unix = world.clock.UnixSeconds() + draft.dated_after_now;
  world.Reply(reply);
}

TEST(SiteDraft, IsSignedOverTheCountsOfTheOwnLedger) {
  AgentWorld world;
  world.ProposeAndReview(WardOffer());
  world.AskAndCompute(0, 0, 1);
  DraftCase draft;
  draft.participation.Record(0, 0, 0, true, {0, 1, 2});
  OfferDraft(world, draft);
  const CounterSignature* signature = world.coordinator.Last<CounterSignature>();
  ASSERT_NE(signature, nullptr);
  EXPECT_EQ(signature->attempts, (std::vector<std::uint64_t>{1}));
  const SiteStatement statement{"site-a",
                                world.run,
                                world.Record().plan_hash,
                                signature->attempts,
                                signature->ledger_head,
                                signature->file_digest};
  EXPECT_TRUE(VerifySite(world.agent->context().signing_key.public_key(), statement, signature->signature));
  EXPECT_EQ(world.Record().state, SiteRunState::kSigned);
  world.Receive(world.AskOf(1));
  world.Wait(3.0);
  EXPECT_EQ(world.coordinator.Last<AnswerRefused>()->reason, RefusalReason::kOutsidePlan) << "the counts are final";
}

TEST(SiteDraft, ThatCountsAnAnswerWhichWasNeverGivenIsRefused) {
  AgentWorld world;
  world.ProposeAndReview(WardOffer());
  world.AskAndCompute(0, 0, 1);
  DraftCase draft;
  draft.participation.Record(0, 0, 0, false, {1});
  draft.participation.Record(0, 1, 0, true, {0, 1, 2});  // its answer was to attempt 0
  OfferDraft(world, draft);
  EXPECT_EQ(world.coordinator.Count<CounterSignature>(), 0U);
  EXPECT_EQ(world.coordinator.Count<DraftRefused>(), 1U);
}

TEST(SiteDraft, ThatLeavesOutALateAnswerIsSignedWithTheHigherCount) {
  AgentWorld world;
  world.ProposeAndReview(WardOffer());
  world.AskAndCompute(0, 0, 1);
  world.AskAndCompute(0, 1, 1);
  DraftCase draft;
  draft.participation.Record(0, 0, 0, false, {1});
  draft.participation.Record(0, 1, 0, true, {0, 1, 2});
  OfferDraft(world, draft);
  ASSERT_EQ(world.coordinator.Count<CounterSignature>(), 1U);
  EXPECT_EQ(world.coordinator.Last<CounterSignature>()->attempts, (std::vector<std::uint64_t>{2}));
}

TEST(SiteDraft, ThatTheWorkerDoesNotFindRightIsRefused) {
  AgentWorld world;
  world.ProposeAndReview(WardOffer());
  world.AskAndCompute(0, 0, 1);
  DraftCase draft;
  draft.agrees = false;
  OfferDraft(world, draft);
  EXPECT_EQ(world.coordinator.Count<DraftRefused>(), 1U);
  EXPECT_EQ(world.Record().state, SiteRunState::kApproved);
}

// Who was a member and who was revoked is judged at the file's own date.
TEST(SiteDraft, DatedBeforeTheApprovalOrInTheFutureIsRefused) {
  for (const std::int64_t seconds : {std::int64_t{-3600}, std::int64_t{3600}}) {
    AgentWorld world;
    world.ProposeAndReview(WardOffer());
    world.AskAndCompute(0, 0, 1);
    DraftCase draft;
    draft.participation.Record(0, 0, 0, true, {0, 1, 2});
    draft.dated_after_now = seconds;
    OfferDraft(world, draft);
    EXPECT_EQ(world.coordinator.Count<DraftRefused>(), 1U) << seconds;
    EXPECT_EQ(world.coordinator.Count<CounterSignature>(), 0U) << seconds;
  }
}

TEST(SiteDraft, OfARunThatThisSiteDeniedIsRefused) {
  AgentWorld world("");
  world.ProposeAndReview(WardOffer());
  world.Receive(DraftToSign{world.run}, {1});
  EXPECT_EQ(world.coordinator.Count<DraftRefused>(), 1U);
  EXPECT_EQ(world.worker.Last<CheckDraftRequest>(), nullptr);
}

}  // namespace
}  // namespace synod
