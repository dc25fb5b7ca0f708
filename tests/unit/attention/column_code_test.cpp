#include "models/attention/column_code.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/statistical/chi_square.h"
#include "tests/unit/attention/attention_fixture.h"

namespace synod::attention {
namespace {

using testing::AttentionWorld;
using testing::SmallAttention;

// P(cell) under component weights.
double Probability(const ColumnCode& code, const std::vector<double>& weights, std::size_t cell) {
  double sum = 0.0;
  for (const ColumnCode::Part& part : code.parts(cell)) {
    sum += weights[part.component] * static_cast<double>(part.mass);
  }
  return sum;
}

TEST(ColumnCode, SplitsEveryComponentOverItsCellsAndEveryCellOverItsComponents) {
  const AttentionWorld world(SmallAttention());
  for (const ColumnCode& code : world.codes) {
    std::vector<double> mass(code.components(), 0.0);
    for (std::size_t cell = 0; cell < code.cells(); ++cell) {
      double share = 0.0;
      for (const ColumnCode::Part& part : code.parts(cell)) {
        mass[part.component] += static_cast<double>(part.mass);
        share += static_cast<double>(part.share);
      }
      EXPECT_NEAR(share, 1.0, 1e-5);
    }
    for (const double m : mass) EXPECT_NEAR(m, 1.0, 1e-5) << "a component is a distribution";
    EXPECT_NEAR(std::accumulate(code.base().begin(), code.base().end(), 0.0), 1.0, 1e-9);
  }
}

TEST(ColumnCode, GivesTheNoisySharesWhereTheWeightsAreTheNoisyOnes) {
  const AttentionWorld world(SmallAttention());
  for (std::size_t j = 0; j < world.codes.size(); ++j) {
    const ColumnCode& code = world.codes[j];
    for (std::size_t cell = 0; cell < code.cells(); ++cell) {
      EXPECT_NEAR(Probability(code, code.base(), cell), world.transform.column(j).cell_probability[cell], 2e-4)
          << "column " << j << ", cell " << cell;
    }
  }
}

// The mass of a component in a cell is the integral of its triangle over the cell's part of the quantile: a hundred
// thousand rectangles for each.
TEST(ColumnCode, HoldsTheExactAreasOfItsTriangles) {
  const tabular::PublicGrid grid(testing::Number("x", ColumnType::kContinuous, 0, 1));
  tabular::TokenColumn column;
  const std::size_t cells = grid.cells();
  for (std::size_t cell = 0; cell < cells; ++cell) {
    column.token_of_cell.push_back(static_cast<std::uint16_t>(4 * cell / cells));
    column.cell_probability.push_back(1.0 / static_cast<double>(cells));
  }
  column.probability = {0.25, 0.25, 0.25, 0.25};
  const ColumnCode code(grid, column);
  ASSERT_EQ(code.components(), 4U);
  for (std::size_t m = 0; m < 4; ++m) {
    const auto height = [m](double u) { return std::max(0.0, 1.0 - std::abs(3.0 * u - static_cast<double>(m))); };
    constexpr int kSteps = 100000;
    std::vector<double> area(cells, 0.0);
    for (int i = 0; i < kSteps; ++i) {
      const double u = (i + 0.5) / kSteps;
      area[static_cast<std::size_t>(u * static_cast<double>(cells))] += height(u) / kSteps;
    }
    const double whole = std::accumulate(area.begin(), area.end(), 0.0);
    EXPECT_NEAR(code.base()[m], whole, 1e-4) << "triangles add up to the flat density";
    for (std::size_t cell = 0; cell < cells; ++cell) {
      double mass = 0.0;
      for (const ColumnCode::Part& part : code.parts(cell)) mass += part.component == m ? part.mass : 0.0F;
      EXPECT_NEAR(mass, area[cell] / whole, 1e-4);
    }
  }
}

TEST(ColumnCode, KeepsAtomsApartFromTheMixture) {
  const AttentionWorld world(SmallAttention());
  const tabular::TokenColumn& column = world.transform.column(0);
  const ColumnCode& code = world.codes[0];
  std::vector<std::size_t> count(column.tokens());
  for (const std::uint16_t token : column.token_of_cell) ++count[token];
  std::size_t atoms = 0;
  for (std::size_t cell = 0; cell < code.cells(); ++cell) {
    if (count[column.token_of_cell[cell]] > 1) continue;
    ++atoms;
    ASSERT_EQ(code.parts(cell).size(), 1U);
    EXPECT_EQ(code.parts(cell)[0].mass, 1.0F);
  }
  EXPECT_GE(atoms, 1U) << "the missing cell at least";
}

TEST(ColumnCode, NeverHasMoreComponentsThanTheSchemaAllows) {
  for (const std::uint32_t tokens : {2U, 6U, 40U}) {
    Options options = SmallAttention();
    options.tokens = tokens;
    const AttentionWorld world(options);
    for (std::size_t j = 0; j < world.codes.size(); ++j) {
      EXPECT_LE(world.codes[j].components(), world.shape.slots_of(j));
    }
  }
}

// 5 standard deviations for each of a few components: a false alarm in about 10^5 seeds, and the seed is fixed.
TEST(ColumnCode, DrawsCellsAsTheComponentHoldsThem) {
  const AttentionWorld world(SmallAttention());
  PublicRandom random(61, "cells");
  for (const std::size_t j : {std::size_t{0}, std::size_t{3}}) {
    const ColumnCode& code = world.codes[j];
    for (std::size_t m = 0; m < code.components(); ++m) {
      std::vector<double> expected(code.cells(), 0.0);
      std::vector<double> observed(code.cells(), 0.0);
      for (std::size_t cell = 0; cell < code.cells(); ++cell) {
        for (const ColumnCode::Part& part : code.parts(cell)) {
          if (part.component == m) expected[cell] = 20000.0 * static_cast<double>(part.mass);
        }
      }
      for (int i = 0; i < 20000; ++i) observed[code.DrawCell(m, random.Uniform())] += 1.0;
      for (std::size_t cell = 0; cell < code.cells(); ++cell) {
        if (expected[cell] > 0.0) continue;
        ASSERT_EQ(observed[cell], 0.0) << "a cell outside the component";
      }
      if (std::count_if(expected.begin(), expected.end(), [](double x) { return x > 0.0; }) < 3) continue;
      EXPECT_LT(std::abs(statistical::ChiSquareDeviations(observed, expected)), 5.0) << j << " " << m;
    }
  }
}

TEST(ColumnCode, TakesAnyShares) {
  PublicRandom random(62, "shares");
  const auto schema = testing::MixedSchema();
  const auto grids = tabular::GridsOf(*schema);
  for (const double size : {0.0, 1e-30, 1.0, 1e12, 1e37}) {
    std::vector<float> counts(217 * 4);
    std::size_t cells = 0;
    for (const auto& grid : grids) cells += grid.cells();
    counts.resize(cells);
    for (float& count : counts) count = static_cast<float>(size * (random.Uniform() - 0.5));
    for (const ColumnCode& code : CodesOf(grids, tabular::TokenTransform::FromHistogram(grids, counts, 1.0, {6}))) {
      for (const float log_base : code.log_base()) EXPECT_TRUE(std::isfinite(log_base));
      for (std::size_t cell = 0; cell < code.cells(); ++cell) EXPECT_FALSE(code.parts(cell).empty());
    }
  }
}

}  // namespace
}  // namespace synod::attention
