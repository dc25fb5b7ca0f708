// Ten thousand schedules, four hundred a test, and one with a hundred sites.
#include "tests/unit/secure_agg/schedules.h"

namespace synod::secure_agg::testing {
namespace {

class TenThousandSchedules : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(TenThousandSchedules, KeepTheRules) {
  RunSchedules(GetParam(), 400, 6);
}
INSTANTIATE_TEST_SUITE_P(Seeds, TenThousandSchedules, ::testing::Range<std::uint64_t>(0, 10000, 400));

TEST(HundredSites, KeepTheRules) {
  Schedule schedule;
  schedule.world = {.sites = 100, .quorum = 90, .dimension = 5, .seed = 1};
  schedule.attempts = 1;
  schedule.silent_loss = 0.002;
  schedule.loss = 0.01;
  schedule.repeat = 0.05;
  const Outcome outcome = Simulate(schedule);
  EXPECT_TRUE(outcome.broken.empty());
  EXPECT_EQ(outcome.opened + outcome.failed, 1u);
}

}  // namespace
}  // namespace synod::secure_agg::testing
