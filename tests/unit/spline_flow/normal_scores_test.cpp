#include "models/spline_flow/normal_scores.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/spline_flow/stage_world.h"

namespace synod::spline_flow {
namespace {

TEST(NormalScore, KnowsTheTable) {
  EXPECT_DOUBLE_EQ(NormalScore(0.5), 0.0);
  EXPECT_NEAR(NormalScore(0.975), 1.959963984540054, 1e-14);
  EXPECT_NEAR(NormalScore(0.001), -3.090232306167813, 1e-13);
  EXPECT_NEAR(NormalScore(1e-20), -9.262340089798408, 1e-12);
}

TEST(NormalScore, IsTheInverseOfTheShare) {
  for (double score = -6.0; score <= 6.0; score += 0.01) {
    const double tail = score > 0.0 ? 1e-15 / std::exp(-0.5 * score * score) : 1e-15;
    ASSERT_NEAR(NormalScore(NormalShare(score)), score, 1e-12 + 40.0 * tail);
  }
}

TEST(NormalScores, FindEveryCellAgainFromThePlaceInItsInterval) {
  const testing::StageWorld world(testing::MixedSchema(), testing::SmallSpline(), 2000);
  const NormalScores scores(world.parts.grids, world.transform);
  for (std::size_t j = 0; j < scores.columns(); ++j) {
    for (std::size_t cell = 0; cell < world.parts.grids[j].cells(); ++cell) {
      // Cells without any count own a ten-thousandth at most: their middle may be beyond the outermost float.
      for (const double position : {0.25, 0.5, 0.75}) {
        ASSERT_EQ(scores.CellOf(j, scores.ScoreOf(j, cell, position)), cell) << "column " << j;
      }
    }
  }
}

TEST(NormalScores, TakeAnyNumberAsAScore) {
  const testing::StageWorld world(testing::MixedSchema(), testing::SmallSpline());
  const NormalScores scores(world.parts.grids, world.transform);
  for (const float score : {-INFINITY, -1e30F, -9.0F, 9.0F, 1e30F, INFINITY, std::nanf("")}) {
    for (std::size_t j = 0; j < scores.columns(); ++j) {
      EXPECT_LT(scores.CellOf(j, score), world.parts.grids[j].cells());
    }
  }
}

TEST(NormalScores, LengthsOfAColumnAddUpToOne) {
  const testing::StageWorld world(testing::MixedSchema(), testing::SmallSpline());
  const NormalScores scores(world.parts.grids, world.transform);
  for (std::size_t j = 0; j < scores.columns(); ++j) {
    double sum = 0.0;
    for (std::size_t cell = 0; cell < world.parts.grids[j].cells(); ++cell) sum += std::exp(scores.LogLength(j, cell));
    EXPECT_NEAR(sum, 1.0, 1e-12);
  }
}

}  // namespace
}  // namespace synod::spline_flow
