// The order in which a site's worker is asked, and what happens when it is lost.
#include "site_agent/compute_queue.h"

#include <gtest/gtest.h>

#include <cmath>

namespace synod {
namespace {

// What was asked, in order: "review", "open 1", "answer 1.3.0", "draft", "end".
class FakeWorker final : public WorkerPort {
 public:
  Status Send(const WorkerRequest& request) override {
    if (fails_to_start) return Failed("cannot start");
    if (const auto* open = std::get_if<OpenSiteRequest>(&request)) {
      log.push_back("open " + std::to_string(open->run.bytes[0]));
    } else if (const auto* answer = std::get_if<AnswerRequest>(&request)) {
      log.push_back("answer " + std::to_string(answer->name.run.bytes[0]) + "." + std::to_string(answer->name.query) +
                    "." + std::to_string(answer->name.attempt));
    } else {
      log.push_back(std::holds_alternative<ReviewRequest>(request) ? "review" : "draft");
    }
    return {};
  }
  void End() override { log.push_back("end"); }
  std::vector<std::string> log;
  bool fails_to_start = false;
};

RunId RunOf(std::uint8_t number) {
  RunId run;
  run.bytes[0] = number;
  return run;
}

ComputeQueue::AnswerJob AnswerOf(std::uint8_t run, std::uint32_t query, std::uint32_t attempt = 0, double until = 1e9) {
  auto records = std::make_shared<OpenSiteRequest>();
  records->run = RunOf(run);
  return {records, {RunOf(run), query, attempt}, std::make_shared<const Query>(), until};
}

using Log = std::vector<std::string>;

struct Bench {
  FakeWorker worker;
  ComputeQueue queue{worker};
  std::vector<ComputeEvent> Reply(WorkerReply reply, double now = 0.0) {
    std::vector<ComputeEvent> events = queue.OnReply(std::move(reply), now);
    for (ComputeEvent& event : queue.Advance(now)) events.push_back(std::move(event));
    return events;
  }
};

TEST(ComputeQueue, OpensTheRecordsOnceAndAnswersInOrder) {
  Bench bench;
  bench.queue.Answer(AnswerOf(1, 0));
  EXPECT_TRUE(bench.queue.Advance(0).empty());
  EXPECT_TRUE(std::holds_alternative<RecordsOpened>(bench.Reply(OpenSiteReply{"report"}).at(0)));
  const std::vector<ComputeEvent> events = bench.Reply(AnswerReply{{RunOf(1), 0, 0}, {7}});
  EXPECT_EQ(std::get<Computed>(events.at(0)).words, Bytes{7});
  bench.queue.Answer(AnswerOf(1, 1));
  bench.queue.Advance(0);
  EXPECT_EQ(bench.worker.log, (Log{"open 1", "answer 1.0.0", "answer 1.1.0"}));
}

TEST(ComputeQueue, AnswersGoBeforeDraftsAndDraftsBeforeReviews) {
  Bench bench;
  bench.queue.Review(RunOf(3), {});
  bench.queue.CheckDraft(RunOf(2), {}, {}, {});
  bench.queue.Answer(AnswerOf(1, 0));
  bench.queue.Advance(0);
  bench.Reply(OpenSiteReply{});
  bench.Reply(AnswerReply{{RunOf(1), 0, 0}, {}});
  bench.Reply(CheckDraftReply{});
  EXPECT_EQ(bench.worker.log, (Log{"open 1", "answer 1.0.0", "draft", "review"}));
}

TEST(ComputeQueue, ALaterAttemptReplacesTheOneThatWaits) {
  Bench bench;
  bench.queue.Review(RunOf(9), {});
  bench.queue.Advance(0);
  bench.queue.Answer(AnswerOf(1, 0, 0));
  bench.queue.Answer(AnswerOf(1, 0, 1));
  bench.Reply(ReviewReply{});
  bench.Reply(OpenSiteReply{});
  EXPECT_EQ(bench.worker.log, (Log{"review", "open 1", "answer 1.0.1"}));
  EXPECT_EQ(bench.queue.waiting(), 0U);
}

TEST(ComputeQueue, ASecondRunWaitsAndGetsItsOwnRecords) {
  Bench bench;
  bench.queue.Answer(AnswerOf(1, 0));
  bench.queue.Answer(AnswerOf(2, 0));
  bench.queue.Advance(0);
  bench.Reply(OpenSiteReply{});
  bench.Reply(AnswerReply{{RunOf(1), 0, 0}, {}});
  EXPECT_EQ(bench.worker.log, (Log{"open 1", "answer 1.0.0", "open 2"}));
}

TEST(ComputeQueue, ALostWorkerIsReplacedAfterAPauseAndTheJobIsAskedAgain) {
  Bench bench;
  bench.queue.Answer(AnswerOf(1, 0));
  bench.queue.Advance(0);
  bench.Reply(OpenSiteReply{});
  EXPECT_TRUE(bench.queue.OnLost(Failed("killed"), 5.0).empty());
  EXPECT_TRUE(bench.queue.Advance(5.0).empty());
  EXPECT_EQ(bench.worker.log.size(), 2U) << "not at once";
  EXPECT_NEAR(bench.queue.next_timer(), 5.2, 1e-9);
  bench.queue.Advance(5.2);
  bench.Reply(OpenSiteReply{}, 5.3);
  EXPECT_EQ(bench.worker.log, (Log{"open 1", "answer 1.0.0", "open 1", "answer 1.0.0"}));
}

TEST(ComputeQueue, ThreeLossesOverOneJobAreItsEndAndTheNextOneGoesOn) {
  Bench bench;
  bench.queue.Answer(AnswerOf(1, 4));
  bench.queue.Review(RunOf(2), {});
  double now = 0.0;
  std::vector<ComputeEvent> events;
  for (int i = 0; i < 3; ++i) {
    bench.queue.Advance(now);
    events = bench.queue.OnLost(Failed("killed"), now);
    now += 100.0;
  }
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<NotComputed>(events[0]).name.query, 4U);
  bench.queue.Advance(now);
  EXPECT_EQ(bench.worker.log.back(), "review");
}

TEST(ComputeQueue, AWorkerThatCannotBeStartedIsTriedWithGrowingPauses) {
  Bench bench;
  bench.worker.fails_to_start = true;
  bench.queue.Review(RunOf(1), {});
  EXPECT_TRUE(bench.queue.Advance(0.0).empty());
  EXPECT_NEAR(bench.queue.next_timer(), 0.2, 1e-9);
  EXPECT_TRUE(bench.queue.Advance(0.2).empty());
  EXPECT_NEAR(bench.queue.next_timer(), 0.6, 1e-9);
  const std::vector<ComputeEvent> events = bench.queue.Advance(0.61);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_FALSE(std::get<Reviewed>(events[0]).reply.ok());
}

TEST(ComputeQueue, RecordsThatCannotBeOpenedAreTriedAgainWhileTheQueryHasTime) {
  Bench bench;
  bench.queue.Answer(AnswerOf(1, 0, 0, 15.0));
  bench.queue.Advance(0.0);
  std::vector<ComputeEvent> events = bench.Reply(FailedReply{BadInput("no such file")}, 1.0);
  EXPECT_TRUE(std::holds_alternative<RecordsNotOpened>(events.at(0)));
  bench.queue.Advance(11.0);
  EXPECT_EQ(bench.worker.log, (Log{"open 1", "open 1"}));
  bench.Reply(FailedReply{BadInput("no such file")}, 12.0);
  events = bench.queue.Advance(15.0);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<NotComputed>(events[0]).error.code, ErrorCode::kTimeout);
}

TEST(ComputeQueue, AForgottenRunEndsItsComputationAtOnce) {
  Bench bench;
  bench.queue.Answer(AnswerOf(1, 0));
  bench.queue.Advance(0.0);
  bench.Reply(OpenSiteReply{});
  bench.queue.Forget(RunOf(1));
  EXPECT_EQ(bench.worker.log.back(), "end");
  EXPECT_TRUE(bench.queue.OnReply(AnswerReply{{RunOf(1), 0, 0}, {}}, 1.0).empty()) << "too late";
  bench.queue.Forget(RunOf(1));
  EXPECT_EQ(bench.worker.log.size(), 3U) << "nothing more to end";
}

TEST(ComputeQueue, ForgettingARunLeavesOtherRunsAlone) {
  Bench bench;
  bench.queue.Answer(AnswerOf(1, 0));
  bench.queue.Advance(0.0);
  bench.Reply(OpenSiteReply{});
  bench.queue.Answer(AnswerOf(2, 0));
  bench.queue.Review(RunOf(3), {});
  bench.queue.Forget(RunOf(3));
  bench.queue.Forget(RunOf(2));
  EXPECT_EQ(bench.worker.log, (Log{"open 1", "answer 1.0.0"}));
  EXPECT_EQ(bench.queue.waiting(), 0U);
  EXPECT_TRUE(bench.queue.asked());
}

TEST(ComputeQueue, AReplyToSomethingElseIsAFailureAndEndsTheWorker) {
  Bench bench;
  bench.queue.Answer(AnswerOf(1, 0));
  bench.queue.Advance(0.0);
  bench.Reply(OpenSiteReply{});
  const std::vector<ComputeEvent> events = bench.Reply(AnswerReply{{RunOf(1), 0, 1}, {}});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<NotComputed>(events[0]));
  EXPECT_EQ(bench.worker.log.back(), "end");
}

TEST(ComputeQueue, AnIdleWorkerIsEndedAndOneWithRecordsIsNot) {
  Bench bench;
  bench.queue.Review(RunOf(1), {});
  bench.queue.Advance(0.0);
  bench.Reply(ReviewReply{}, 1.0);
  EXPECT_NEAR(bench.queue.next_timer(), 11.0, 1e-9);
  bench.queue.Advance(11.0);
  EXPECT_EQ(bench.worker.log.back(), "end");
  bench.queue.Answer(AnswerOf(1, 0));
  bench.queue.Advance(12.0);
  bench.Reply(OpenSiteReply{}, 12.0);
  bench.Reply(AnswerReply{{RunOf(1), 0, 0}, {}}, 12.0);
  bench.queue.Advance(1000.0);
  EXPECT_NE(bench.worker.log.back(), "end");
  EXPECT_TRUE(std::isinf(bench.queue.next_timer()));
}

}  // namespace
}  // namespace synod
