#include "models/spline_flow/stage_density.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/spline_flow/stage_world.h"

namespace synod::spline_flow {
namespace {

// A wide column with an atom, missing cells and uneven counts, cut into few bins.
struct WideColumn {
  explicit WideColumn(double sigma = 0.5) {
    Column column = testing::Number("wide", ColumnType::kInteger, 0, 1000);
    column.missing_allowed = true;
    column.special_values = {250};
    const tabular::PublicGrid grid(column);
    PublicRandom random(3, "counts");
    std::vector<double> counts(grid.cells());
    for (double& count : counts) count = std::floor(40.0 * random.Uniform() * random.Uniform());
    counts[grid.CellOfNumber(250)] = 900.0;
    capacity = tabular::TokenCapacity(grid, {8});
    cells = grid.cells();
    base = std::make_unique<ColumnBase>(grid, tabular::MakeTokens(grid, counts, sigma, 3000.0, {8}));
  }
  std::size_t knots() const { return capacity; }

  std::size_t capacity = 0;
  std::size_t cells = 0;
  std::unique_ptr<ColumnBase> base;
};

std::vector<float> RandomOutputs(std::size_t count, double size, std::uint64_t seed) {
  PublicRandom random(seed, "outputs");
  std::vector<float> outputs(count);
  for (float& output : outputs) output = static_cast<float>(size * random.Normal());
  return outputs;
}

double LossOf(const WideColumn& column, std::vector<float> outputs, std::size_t cell) {
  return LossAndGradient(*column.base, cell, 1.0F, column.capacity, outputs);
}

TEST(StageDensity, HasWideBinsAtomsAndMissingCellsInThisTest) {
  const WideColumn column;
  std::size_t wide = 0;
  for (const std::uint8_t own : column.base->wide) wide += own;
  EXPECT_GE(wide, 3U);
  EXPECT_LT(wide, column.base->tokens());
}

TEST(StageDensity, ProbabilitiesOfAllCellsAddUpToOneWhateverTheOutputsAre) {
  const WideColumn column;
  for (const double size : {0.0, 0.3, 1.0, 3.0}) {
    for (const std::size_t knots : {std::size_t{0}, column.knots()}) {
      const std::vector<float> outputs = RandomOutputs(column.capacity + knots, size, 7);
      double sum = 0.0;
      for (std::size_t cell = 0; cell < column.cells; ++cell) sum += std::exp(-LossOf(column, outputs, cell));
      EXPECT_NEAR(sum, 1.0, 1e-5) << size << ", " << knots;
    }
  }
}

TEST(StageDensity, IsTheNoisyDistributionWhereAllOutputsAreZero) {
  const WideColumn column;
  const std::vector<float> zeros(column.capacity + column.knots(), 0.0F);
  for (std::size_t cell = 0; cell < column.cells; ++cell) {
    const ColumnBase& base = *column.base;
    const double share = base.share[base.token_of_cell[cell]] * (base.end[cell] - base.begin[cell]);
    ASSERT_NEAR(std::exp(-LossOf(column, zeros, cell)), share, 1e-6);
    ASSERT_GT(share, 0.0) << "no cell is impossible";
  }
}

TEST(StageDensity, GradientAgreesWithFiniteDifferences) {
  const WideColumn column;
  constexpr float kStep = 1e-2F;
  for (const double size : {0.1, 1.0}) {
    const std::vector<float> outputs = RandomOutputs(column.capacity + column.knots(), size, 9);
    for (std::size_t cell = 0; cell < column.cells; cell += 3) {
      std::vector<float> gradient = outputs;
      LossAndGradient(*column.base, cell, 1.0F, column.capacity, gradient);
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        std::vector<float> up = outputs;
        std::vector<float> down = outputs;
        up[i] += kStep;
        down[i] -= kStep;
        const double expected = (LossOf(column, up, cell) - LossOf(column, down, cell)) / (up[i] - down[i]);
        ASSERT_NEAR(gradient[i], expected, 2e-4) << "cell " << cell << ", output " << i;
      }
    }
  }
}

TEST(StageDensity, GradientScalesWithTheWeight) {
  const WideColumn column;
  const std::vector<float> outputs = RandomOutputs(column.capacity + column.knots(), 0.5, 10);
  std::vector<float> whole = outputs;
  std::vector<float> quarter = outputs;
  EXPECT_EQ(LossAndGradient(*column.base, 11, 1.0F, column.capacity, whole),
            LossAndGradient(*column.base, 11, 0.25F, column.capacity, quarter));
  for (std::size_t i = 0; i < whole.size(); ++i) ASSERT_NEAR(quarter[i], 0.25F * whole[i], 1e-7F);
}

// One softmax, no spline: what is learned about a bin is learned about its neighbours' slopes only.
TEST(StageDensity, OfABinWithOneCellIsTheSoftmaxAlone) {
  const WideColumn column;
  const ColumnBase& base = *column.base;
  const std::vector<float> outputs = RandomOutputs(column.capacity, 1.0, 11);
  for (std::size_t cell = 0; cell < column.cells; ++cell) {
    if (base.wide[base.token_of_cell[cell]] != 0) continue;
    EXPECT_EQ(LogShareInBin(base, {outputs, {}}, cell), 0.0);
  }
}

}  // namespace
}  // namespace synod::spline_flow
