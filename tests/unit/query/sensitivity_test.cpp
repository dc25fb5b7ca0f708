// Attacks on the sensitivity: the integers that two neighbouring batches lead to, told apart by adding the same noise
// to both, must never differ by more than Delta.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "common/privacy/noise_arithmetic.h"
#include "common/query/clipped_summer.h"
#include "common/query/grid.h"
#include "common/query/keyed_blocks.h"
#include "common/query/noise_share.h"
#include "common/query/public_random.h"
#include "common/query/sum_accumulator.h"
#include "tests/support/deterministic_random.h"

namespace synod {
namespace {

using Row = std::vector<float>;

// Sums rows block by block in float32, as the engine may do at worst: one after the other.
NoisySum Answer(const std::vector<Row>& rows, const std::vector<std::vector<std::uint32_t>>& blocks, const Grid& grid) {
  ClippedSummer summer(grid.dimension(), grid.clip());
  for (const std::vector<std::uint32_t>& block : blocks) {
    if (block.empty()) continue;
    Row sum(grid.dimension());
    for (const std::uint32_t unit : block) {
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += rows[unit][i];
    }
    summer.AddBlock(sum, static_cast<std::uint32_t>(block.size()));
  }
  SecretRandom noise = SecretRandomForTestsOnly::FromSeed(99);
  SumAccumulator total(grid, WordBits::k64);
  total.Add(NoiseShare::Make(grid, 64, 1).value().Add(grid.Encode(std::move(summer).Finish()), noise));
  return std::move(total).Finish();
}

// The L2 distance of the two answers in grid units.
double Distance(const NoisySum& a, const NoisySum& b, const Grid& grid) {
  double square = 0.0;
  for (std::size_t i = 0; i < a.values().size(); ++i) {
    square += std::pow((a.values()[i] - b.values()[i]) * grid.gamma(), 2);
  }
  return std::sqrt(square);
}

// A row of norm just below `clip`, as the engine's clip would leave it.
Row Clipped(Row row, double clip) {
  double square = 0.0;
  for (const float value : row) square += static_cast<double>(value) * value;
  const double factor = clip / std::sqrt(square) * (1.0 - 1e-6);
  for (float& value : row) value = static_cast<float>(value * factor);
  return row;
}

std::vector<std::uint32_t> Numbers(std::uint32_t from, std::uint32_t to) {
  std::vector<std::uint32_t> numbers(to - from);
  std::iota(numbers.begin(), numbers.end(), from);
  return numbers;
}

// Sum of 256 rows with and without its first row, which changes the rounding of every later addition.
double LossOfFirstRow(const std::vector<Row>& rows, const Grid& grid) {
  const NoisySum with = Answer(rows, {Numbers(0, 256)}, grid);
  const NoisySum without = Answer(rows, {Numbers(1, 256)}, grid);
  return Distance(with, without, grid);
}

TEST(Sensitivity, HoldsForRandomBatchesAtEveryDimensionAndClip) {
  PublicRandom random(1, "sensitivity");
  for (const std::uint64_t dimension : {1U, 2U, 17U, 300U}) {
    for (const double clip : {0.01, 1.0, 37.5}) {
      const Grid grid = Grid::Make(ChooseGamma(clip, dimension), clip, dimension).value();
      for (int round = 0; round < 10; ++round) {
        std::vector<Row> rows(256, Row(dimension));
        for (Row& row : rows) {
          random.FillNormal(row);
          row = Clipped(row, clip);
        }
        EXPECT_LE(LossOfFirstRow(rows, grid), grid.sensitivity());
      }
    }
  }
}

TEST(Sensitivity, HoldsForAlignedRowsThatRoundTheSameWay) {
  for (const std::uint64_t dimension : {1U, 64U, 1000U}) {
    const Grid grid = Grid::Make(ChooseGamma(1.0, dimension), 1.0, dimension).value();
    for (int pattern = 0; pattern < 64; ++pattern) {
      // Last bits that make each addition round up, or down, or to even, and a first row of another size and sign.
      Row row(dimension, 1.0F + static_cast<float>(2 * pattern + 1) * 0x1p-23F);
      std::vector<Row> rows(256, Clipped(row, 1.0));
      for (float& value : row) value = pattern % 2 == 0 ? value : -value;
      rows[0] = Clipped(row, 1.0);
      EXPECT_LE(LossOfFirstRow(rows, grid), grid.sensitivity());
    }
  }
}

TEST(Sensitivity, HoldsWhereEveryCoordinateCrossesARoundingBoundary) {
  // The sum sits just below one half in every coordinate; a row of almost no size moves all of them by one.
  constexpr std::uint64_t kDimension = 10'000;
  const Grid grid = Grid::Make(ChooseGamma(1.0, kDimension), 1.0, kDimension).value();
  const auto half = static_cast<float>(0.5 / grid.gamma());
  const std::vector<Row> rows = {Row(kDimension, half), Row(kDimension, half * 0x1p-20F)};
  const double moved = Distance(Answer(rows, {{0, 1}}, grid), Answer(rows, {{0}}, grid), grid);
  EXPECT_EQ(moved, 100.0) << "the attack works: sqrt(d) grid units for next to nothing";
  EXPECT_LE(moved, grid.sensitivity());

  // The same with a row of full norm on top: the bound is not far above what can be reached.
  std::vector<Row> full = {Row(kDimension, half), Clipped(Row(kDimension, 1.0F), 1.0)};
  const double reached = Distance(Answer(full, {{0, 1}}, grid), Answer(full, {{0}}, grid), grid);
  EXPECT_LE(reached, grid.sensitivity());
  EXPECT_GE(reached, 0.97 * grid.sensitivity());
}

TEST(Sensitivity, HoldsWhenABlockIsSplit) {
  PublicRandom random(2, "sensitivity");
  constexpr std::uint64_t kDimension = 50;
  const Grid grid = Grid::Make(ChooseGamma(1.0, kDimension), 1.0, kDimension).value();
  std::vector<Row> rows(kMostRowsPerBlock + 1, Row(kDimension));
  for (Row& row : rows) {
    random.FillUniform(row);  // all positive: partial sums are large
    row = Clipped(row, 1.0);
  }
  std::vector<std::uint64_t> ids(rows.size());
  std::iota(ids.begin(), ids.end(), 0);
  SecretRandom key = SecretRandomForTestsOnly::FromSeed(5);
  const KeyedBlocks blocks(ids, key);
  const auto grouped = [&](std::vector<std::uint32_t> drawn) {
    const BlockedBatch batch = blocks.Group(drawn, 1, kMostRowsPerBlock);
    std::vector<std::vector<std::uint32_t>> lists;
    for (std::size_t i = 0; i < batch.block_count(); ++i)
      lists.emplace_back(batch.block(i).begin(), batch.block(i).end());
    return lists;
  };
  const auto all = grouped(Numbers(0, kMostRowsPerBlock + 1));
  EXPECT_GE(all.size(), 2U);
  for (std::uint32_t removed = 0; removed <= kMostRowsPerBlock; removed += 32) {
    std::vector<std::uint32_t> fewer = Numbers(0, kMostRowsPerBlock + 1);
    fewer.erase(fewer.begin() + removed);
    const double distance = Distance(Answer(rows, all, grid), Answer(rows, grouped(fewer), grid), grid);
    EXPECT_LE(distance, grid.sensitivity());
  }
}

TEST(Grid, RoundsOnceToNearestEven) {
  const Grid grid = Grid::Make(1.0, 8.0, 6).value();
  const std::vector<Row> rows = {{0.5F, 1.5F, 2.5F, -0.5F, -1.5F, 0.50001F}, {0, 0, 0, 0, 0, 0}};
  const NoisySum rounded = Answer(rows, {{0}}, grid);
  const NoisySum zero = Answer(rows, {{1}}, grid);
  const std::vector<double> expected = {0.0, 2.0, 2.0, 0.0, -2.0, 1.0};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(rounded.values()[i] - zero.values()[i], expected[i]) << i;
}

TEST(Grid, RefusesWhatAPlanMustNotSay) {
  EXPECT_TRUE(Grid::Make(0x1p20, 1.0, 1000).ok());
  for (const double gamma : {0.0, -1.0, 3.0, 0x1p41, 0x1p-41, double{NAN}, double{INFINITY}}) {
    EXPECT_FALSE(Grid::Make(gamma, 1.0, 1000).ok()) << gamma;
  }
  for (const double clip : {0.0, -1.0, double{NAN}, double{INFINITY}, 1e12}) {
    EXPECT_FALSE(Grid::Make(0x1p40, clip, 1000).ok()) << clip;
  }
  EXPECT_FALSE(Grid::Make(1.0, 1.0, 0).ok());
}

TEST(GridDeathTest, RefusesASumOfAnotherQueryOrBeyondTheIntegers) {
  const Grid grid = Grid::Make(0x1p40, 1.0, 1).value();
  const auto sum = [](float value, std::size_t dimension, double clip) {
    ClippedSummer summer(dimension, clip);
    summer.AddBlock(Row(dimension, value), 2);
    return std::move(summer).Finish();
  };
  EXPECT_DEATH(grid.Encode(sum(1.0F, 2, 1.0)), "another query");
  EXPECT_DEATH(grid.Encode(sum(1.0F, 1, 2.0)), "another query");
  const Grid coarse = Grid::Make(0x1p40, 0x1p21, 1).value();
  EXPECT_DEATH(coarse.Encode(sum(0x1p22F, 1, 0x1p21)), "beyond the integers");
}

}  // namespace
}  // namespace synod
