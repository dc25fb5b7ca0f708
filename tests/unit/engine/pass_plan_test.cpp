#include "models/engine/pass_plan.h"

#include <gtest/gtest.h>

namespace synod::engine {
namespace {

TEST(Passes, HoldWholeBlocksWithinTheBound) {
  const std::vector<std::uint32_t> ends = {3, 5, 9, 10, 30, 31, 33};
  for (const std::size_t most : {1U, 4U, 6U, 10U, 100U}) {
    const std::vector<Pass> passes = Passes(ends, most);
    std::size_t block = 0;
    std::uint32_t unit = 0;
    for (const Pass& pass : passes) {
      EXPECT_EQ(pass.first_block, block);
      EXPECT_EQ(pass.first_unit, unit);
      EXPECT_GT(pass.last_block, pass.first_block);
      const bool one_block = pass.last_block == pass.first_block + 1;
      EXPECT_TRUE(one_block || pass.last_unit - pass.first_unit <= most);
      block = pass.last_block;
      unit = pass.last_unit;
      EXPECT_EQ(unit, ends[block - 1]);
    }
    EXPECT_EQ(block, ends.size());
  }
}

TEST(Passes, AreNoneForAnEmptyBatch) {
  EXPECT_TRUE(Passes({}, 10).empty());
}

TEST(UnitsOfEveryPass, HaveRoomForTheUsualBatchInAsFewPassesAsMemoryAllows) {
  EXPECT_EQ(UnitsOfEveryPass(225.0, 100, 512), 270U) << "one pass: the mean and three standard deviations";
  EXPECT_EQ(UnitsOfEveryPass(1024.0, 50, 512), 397U) << "three passes";
  EXPECT_EQ(UnitsOfEveryPass(0.0, 20, 512), 20U) << "a block fits whatever is expected";
  EXPECT_EQ(UnitsOfEveryPass(5.0, 20, 7), 20U);
  EXPECT_EQ(UnitsOfEveryPass(1e6, 20, 512), 512U) << "never more than memory allows";
}

TEST(UnitsPerPass, FollowThePublicBudgetAndAreNeverZero) {
  EXPECT_EQ(UnitsPerPass(1000, 10, 5), 20U);
  EXPECT_EQ(UnitsPerPass(1, 10, 5), 1U);
}

}  // namespace
}  // namespace synod::engine
