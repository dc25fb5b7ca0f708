#include "common/query/keyed_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "tests/support/deterministic_random.h"

namespace synod {
namespace {

using Blocks = std::vector<std::vector<std::uint32_t>>;

Blocks Lists(const BlockedBatch& batch) {
  Blocks lists;
  for (std::size_t i = 0; i < batch.block_count(); ++i)
    lists.emplace_back(batch.block(i).begin(), batch.block(i).end());
  return lists;
}

KeyedBlocks TestBlocks(std::uint32_t units, std::uint64_t seed) {
  std::vector<std::uint64_t> ids(units);
  std::iota(ids.begin(), ids.end(), 1'000'000'007);
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(seed);
  return KeyedBlocks(ids, random);
}

std::vector<std::uint32_t> Without(std::vector<std::uint32_t> units, std::uint32_t unit) {
  std::erase(units, unit);
  return units;
}

// Every second unit, out of order.
std::vector<std::uint32_t> SomeUnits(std::uint32_t units) {
  std::vector<std::uint32_t> drawn;
  for (std::uint32_t i = 0; i < units; i += 2) drawn.push_back(units - 1 - i);
  return drawn;
}

TEST(KeyedBlocks, HoldEveryDrawnUnitOnceWithinTheBound) {
  const KeyedBlocks blocks = TestBlocks(5000, 1);
  for (const std::uint32_t bound : {1U, 3U, 256U, 5000U}) {
    for (const std::uint64_t base :
         {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{7}, std::uint64_t{8192}, ~std::uint64_t{0}}) {
      const BlockedBatch batch = blocks.Group(SomeUnits(5000), base, bound);
      std::vector<std::uint32_t> units;
      for (const auto& block : Lists(batch)) {
        EXPECT_GE(block.size(), 1U);
        EXPECT_LE(block.size(), bound);
        units.insert(units.end(), block.begin(), block.end());
      }
      std::vector<std::uint32_t> expected = SomeUnits(5000);
      std::sort(units.begin(), units.end());
      std::sort(expected.begin(), expected.end());
      EXPECT_EQ(units, expected);
    }
  }
}

TEST(KeyedBlocks, DoNotDependOnTheOrderOfTheDraw) {
  const KeyedBlocks blocks = TestBlocks(1000, 2);
  std::vector<std::uint32_t> drawn = SomeUnits(1000);
  const Blocks one = Lists(blocks.Group(drawn, 9, 16));
  std::reverse(drawn.begin(), drawn.end());
  EXPECT_EQ(Lists(blocks.Group(drawn, 9, 16)), one);
}

// The property that the float error bound rests on, for every unit of a batch and also where blocks are split.
TEST(KeyedBlocks, RemovingOneUnitChangesOnlyTheBlocksOfItsInterval) {
  const KeyedBlocks blocks = TestBlocks(600, 3);
  const std::vector<std::uint32_t> drawn = SomeUnits(600);
  for (const auto& [bound, base] : {std::pair(4U, 16U), {20U, 16U}, {64U, 16U}, {20U, 19U}, {64U, 5U}, {300U, 1U}}) {
    const Blocks with = Lists(blocks.Group(drawn, base, bound));
    for (const std::uint32_t removed : drawn) {
      const Blocks without = Lists(blocks.Group(Without(drawn, removed), base, bound));
      const std::set<std::vector<std::uint32_t>> before(with.begin(), with.end());
      const std::set<std::vector<std::uint32_t>> after(without.begin(), without.end());
      std::vector<std::uint32_t> gone;
      std::vector<std::uint32_t> come;
      for (const auto& block : before) {
        if (!after.contains(block)) gone.insert(gone.end(), block.begin(), block.end());
      }
      for (const auto& block : after) {
        if (!before.contains(block)) come.insert(come.end(), block.begin(), block.end());
      }
      // What changed is one contiguous run of at most bound + 1 units, the same without the removed one.
      EXPECT_LE(gone.size(), bound + 1);
      std::vector<std::uint32_t> expected = Without(gone, removed);
      EXPECT_EQ(expected.size() + 1, gone.size());
      std::sort(expected.begin(), expected.end());
      std::sort(come.begin(), come.end());
      EXPECT_EQ(come, expected);
    }
  }
}

TEST(KeyedBlocks, DifferForAnotherKey) {
  const std::vector<std::uint32_t> drawn = SomeUnits(200);
  EXPECT_NE(Lists(TestBlocks(200, 4).Group(drawn, 4, 64)), Lists(TestBlocks(200, 5).Group(drawn, 4, 64)));
}

TEST(KeyedBlocks, HaveNoBlockForAnEmptyDraw) {
  EXPECT_EQ(TestBlocks(10, 6).Group({}, 8, 4).block_count(), 0U);
}

TEST(KeyedBlocks, AreAsFewAsStayWithinTheBoundButForChance) {
  EXPECT_EQ(KeyedBlocks::BaseBlocks(0.0, 256), 1U);
  EXPECT_EQ(KeyedBlocks::BaseBlocks(225.9, 256), 1U);
  EXPECT_EQ(KeyedBlocks::BaseBlocks(226.0, 256), 2U);
  EXPECT_EQ(KeyedBlocks::BaseBlocks(1024.0, 256), 5U);
  EXPECT_EQ(KeyedBlocks::BaseBlocks(1.0, 1), 6U);
  // 2,048 expected units in at most 256: 10 blocks of 205. With this key none is split, and none is below a half.
  const Blocks blocks = Lists(TestBlocks(4096, 8).Group(SomeUnits(4096), KeyedBlocks::BaseBlocks(2048.0, 256), 256));
  EXPECT_EQ(blocks.size(), 10U);
  for (const auto& block : blocks) EXPECT_GT(block.size(), 128U);
}

TEST(KeyedBlocksDeathTest, RefuseIdsThatAreNotDistinct) {
  const std::vector<std::uint64_t> ids = {7, 7, 7};
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(7);
  const KeyedBlocks blocks(ids, random);
  const std::vector<std::uint32_t> drawn = {0, 1, 2};
  EXPECT_DEATH(blocks.Group(drawn, 1, 2), "not distinct");
}

}  // namespace
}  // namespace synod
