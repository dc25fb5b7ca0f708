// Some schedules for every build; ten thousand: many_schedules_test.cpp.
#include "tests/unit/secure_agg/schedules.h"

namespace synod::secure_agg::testing {
namespace {

TEST(Schedules, OfFewSites) {
  RunSchedules(1'000'000, 200, 7);
}
TEST(Schedules, OfThirtySites) {
  RunSchedules(2'000'000, 3, 30);
}

TEST(Schedules, WithoutFaultsOpenTheSumOfAllAtOnce) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Schedule schedule;
    schedule.world.seed = seed;
    schedule.world.sites = 3 + static_cast<std::uint32_t>(seed % 4);
    schedule.world.quorum = schedule.world.sites;
    const Outcome outcome = Simulate(schedule);
    EXPECT_TRUE(outcome.broken.empty());
    EXPECT_EQ(outcome.opened, 1u);
    EXPECT_EQ(outcome.failed, 0u);
  }
}

// Connections break all the time, but nobody leaves: every site is in the sum all the same.
TEST(Schedules, ConnectionsThatBreakCostNoSite) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Schedule schedule;
    schedule.world.seed = seed;
    schedule.world.sites = 5;
    schedule.world.quorum = 5;
    schedule.loss = 0.08;
    schedule.repeat = 0.2;
    const Outcome outcome = Simulate(schedule);
    EXPECT_TRUE(outcome.broken.empty());
    EXPECT_EQ(outcome.opened, 1u) << seed;
    EXPECT_EQ(outcome.failed, 0u) << seed;
  }
}

}  // namespace
}  // namespace synod::secure_agg::testing
