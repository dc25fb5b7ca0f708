// Thousands of schedules of loss, repetition, reordering, restarts and failing disks: one seed each, printed where a
// promise breaks. The promises are in round_world.cpp.
#include <gtest/gtest.h>

#include "tests/unit/site_agent/round_world.h"

namespace synod {
namespace {

using testing::RoundWorld;
using testing::WorldOptions;

struct Tally {
  int finished = 0;
  int undisturbed = 0;
  std::uint64_t restarts = 0;
  std::uint64_t stored_answers_sent = 0;
};

Tally RunSchedules(std::uint64_t first, std::uint64_t count, const WorldOptions& options) {
  testing::RoundPlanOptions plan_options;
  plan_options.retries = 4;
  const auto plan = testing::RoundPlan(plan_options);
  Tally tally;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    RoundWorld world(plan, seed, options);
    world.Run();
    if (::testing::Test::HasFailure()) {
      ADD_FAILURE() << "seed " << seed;
      return tally;
    }
    tally.finished += world.finished() ? 1 : 0;
    tally.restarts += world.restarts();
    tally.stored_answers_sent += world.stored_answers_sent();
    if (options.fresh_answers || world.lost_an_attempt() || !world.finished()) continue;
    // Nobody's attempt was lost: whatever else happened, the sums are those of a run where nothing did.
    ++tally.undisturbed;
    RoundWorld calm(plan, seed, {.fresh_answers = false, .steps = 0});
    calm.Run();
    EXPECT_EQ(world.sums(), calm.sums()) << "seed " << seed;
  }
  return tally;
}

TEST(Schedules, WithoutTroubleRunToTheEnd) {
  const Tally tally = RunSchedules(1, 50, {.fresh_answers = false, .steps = 0});
  EXPECT_EQ(tally.finished, 50);
  EXPECT_EQ(tally.undisturbed, 50);
}

TEST(Schedules, OfLossRepetitionAndReordering) {
  const Tally tally = RunSchedules(1'000, 1'000, {.loss_percent = 15, .repeat_percent = 20, .deadline_percent = 1});
  EXPECT_GT(tally.finished, 500);
  EXPECT_GT(tally.stored_answers_sent, 100U) << "answers were asked for again";
}

TEST(Schedules, OfRestartsAtAnyStep) {
  const Tally tally = RunSchedules(10'000, 1'000, {.loss_percent = 5, .repeat_percent = 10, .restart_percent = 10});
  EXPECT_GT(tally.finished, 900);
  EXPECT_GT(tally.restarts, 5'000U);
  EXPECT_GT(tally.stored_answers_sent, 100U);
}

TEST(Schedules, OfRestartsWithoutALostAttemptGiveTheSumsOfACalmRun) {
  const Tally tally = RunSchedules(
      20'000, 500, {.loss_percent = 5, .repeat_percent = 10, .restart_percent = 10, .fresh_answers = false});
  EXPECT_GT(tally.undisturbed, 300);
}

TEST(Schedules, OfDisksThatFail) {
  const Tally tally = RunSchedules(
      30'000, 1'000, {.repeat_percent = 10, .restart_percent = 3, .deadline_percent = 1, .disk_percent = 10});
  EXPECT_GT(tally.finished, 500);
}

TEST(Schedules, OfEverythingAtOnce) {
  const Tally tally = RunSchedules(40'000, 1'000,
                                   {.loss_percent = 20,
                                    .repeat_percent = 20,
                                    .restart_percent = 10,
                                    .deadline_percent = 3,
                                    .disk_percent = 5,
                                    .steps = 300});
  EXPECT_GT(tally.finished, 100);
  EXPECT_LT(tally.finished, 1'000) << "some runs give up, and keep their promises, too";
}

TEST(Schedules, OnSqlite) {
  const Tally tally =
      RunSchedules(50'000, 12, {.loss_percent = 10, .repeat_percent = 10, .restart_percent = 10, .sqlite = true});
  EXPECT_GT(tally.finished, 8);
}

}  // namespace
}  // namespace synod
