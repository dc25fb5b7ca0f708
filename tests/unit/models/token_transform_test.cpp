#include "models/tabular/token_transform.h"
#include "models/tabular/denoised_counts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tests/unit/models/model_fixture.h"

namespace synod::tabular {
namespace {

using Counts = std::vector<double>;

// The closest point by trying every set of coordinates that may be above zero.
Counts ClosestByForce(const Counts& values, double total) {
  Counts best;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t mask = 1; mask < (std::size_t{1} << values.size()); ++mask) {
    double sum = 0.0;
    double size = 0.0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if ((mask >> i) & 1U) sum += values[i], size += 1.0;
    }
    Counts point(values.size());
    bool feasible = true;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (((mask >> i) & 1U) == 0) continue;
      point[i] = values[i] - (sum - total) / size;
      feasible = feasible && point[i] >= -1e-12;
    }
    const double distance = testing::Distance(point, values);
    if (feasible && distance < least) {
      least = distance;
      best = point;
    }
  }
  return best;
}

TEST(SimplexProjection, IsTheClosestPoint) {
  PublicRandom random(21, "simplex");
  for (int round = 0; round < 500; ++round) {
    Counts values(1 + random.IntegerBelow(6));
    for (double& value : values) value = 20.0 * random.Normal();
    const double total = 0.1 + 50.0 * random.Uniform();
    const Counts projected = ProjectToSimplex(values, total);
    EXPECT_LT(testing::Distance(projected, ClosestByForce(values, total)), 1e-9 * (1.0 + testing::Norm(values)));
  }
}

TEST(SimplexProjection, SumsToTheTotalAndKeepsTheOrder) {
  PublicRandom random(22, "simplex");
  for (const double size : {1e-6, 1.0, 1e4, 1e12, 1e30}) {
    Counts values(200);
    for (double& value : values) value = size * random.Normal();
    const Counts projected = ProjectToSimplex(values, 1000.0);
    EXPECT_NEAR(std::accumulate(projected.begin(), projected.end(), 0.0), 1000.0, 1e-6) << size;
    for (std::size_t i = 1; i < values.size(); ++i) {
      EXPECT_GE(projected[i], 0.0);
      if (values[i - 1] <= values[i]) {
        EXPECT_LE(projected[i - 1], projected[i]);
      }
    }
  }
}

TEST(SimplexProjection, TakesCountsThatAreFarBelowZeroOrFarAbove) {
  for (const double value : {-1e30, -1e18, 1e18, 1e30}) {
    const Counts projected = ProjectToSimplex(Counts{value, value}, 3.0);
    EXPECT_DOUBLE_EQ(projected[0], 1.5);
    EXPECT_DOUBLE_EQ(projected[1], 1.5);
  }
}

std::vector<Column> AwkwardColumns() {
  Column wide = testing::Number("wide", ColumnType::kInteger, 0, 100000);
  Column missing = wide;
  missing.missing_allowed = true;
  missing.special_values = {17, 500};
  Column real = testing::Number("real", ColumnType::kContinuous, -3, 8);
  real.missing_allowed = true;
  Column narrow = testing::Number("narrow", ColumnType::kInteger, 0, 40);
  narrow.missing_allowed = true;
  Column category = testing::Categories("category", 300);
  category.missing_allowed = true;
  return {wide, missing, real, narrow, category, testing::Categories("one", 1)};
}

// What noise, or an evil coordinator, can make of a histogram.
std::vector<Counts> AwkwardCounts(std::size_t cells, PublicRandom& random) {
  std::vector<Counts> all = {Counts(cells, 0.0), Counts(cells, -5.0), Counts(cells, 1e30), Counts(cells, -1e30)};
  Counts spike(cells, 0.0);
  spike[random.IntegerBelow(cells)] = 1e9;
  all.push_back(spike);
  for (const double size : {0.1, 10.0, 1e4, 1e20}) {
    Counts noise(cells);
    for (double& count : noise) count = size * random.Normal();
    all.push_back(noise);
  }
  Counts comb(cells);
  for (std::size_t i = 0; i < cells; i += 2) comb[i] = 1000.0;
  all.push_back(comb);
  return all;
}

void ExpectSound(const PublicGrid& grid, const TokenColumn& column, const TokenOptions& options) {
  ASSERT_LE(column.tokens(), TokenCapacity(grid, options));
  ASSERT_EQ(column.token_of_cell.size(), grid.cells());
  ASSERT_EQ(column.token_of_cell[0], 0);
  for (std::size_t cell = 1; cell < grid.cells(); ++cell) {
    const int step = column.token_of_cell[cell] - column.token_of_cell[cell - 1];
    ASSERT_TRUE(step == 0 || step == 1) << "tokens are runs of cells, in order";
  }
  ASSERT_EQ(column.token_of_cell.back() + 1U, column.tokens()) << "every token has a cell";
  if (grid.has_missing() && grid.value_cells() > 0) {
    ASSERT_NE(column.token_of_cell[grid.missing_cell()], column.token_of_cell[grid.missing_cell() - 1]);
  }
  double tokens = 0.0;
  double cells = 0.0;
  for (const double p : column.probability) {
    ASSERT_GE(p, 0.0);
    tokens += p;
  }
  for (const double p : column.cell_probability) {
    ASSERT_GE(p, 0.0);
    cells += p;
  }
  ASSERT_NEAR(tokens, 1.0, 1e-9);
  ASSERT_NEAR(cells, 1.0, 1e-9);
}

TEST(Tokens, StayWithinTheirCapacityAndSumToOneWhateverTheCountsAre) {
  PublicRandom random(23, "tokens");
  for (const Column& described : AwkwardColumns()) {
    const PublicGrid grid(described);
    for (const std::size_t target : {2U, 6U, 16U, 256U}) {
      for (const double total : {1.0, 300.0, 1e6}) {
        for (const Counts& counts : AwkwardCounts(grid.cells(), random)) {
          SCOPED_TRACE(::testing::Message() << described.name << " target " << target << " total " << total);
          const double sigma = random.IntegerBelow(2) == 0 ? 1e-3 : 25.0;
          ExpectSound(grid, MakeTokens(grid, counts, sigma, total, {target}), {target});
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(Tokens, HeavyCellsStandAlone) {
  Column described = testing::Number("x", ColumnType::kInteger, 0, 10000);
  described.special_values = {777, 3000, 9000};
  const PublicGrid grid(described);
  Counts counts(grid.cells(), 2.0);
  for (const double atom : described.special_values) counts[grid.CellOfNumber(atom)] = 300.0;
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  const TokenColumn column = MakeTokens(grid, counts, 1.0, total, {16});
  for (const double atom : described.special_values) {
    const std::size_t cell = grid.CellOfNumber(atom);
    const std::uint16_t token = column.token_of_cell[cell];
    EXPECT_EQ(std::count(column.token_of_cell.begin(), column.token_of_cell.end(), token), 1);
    EXPECT_NEAR(column.probability[token], 300.0 / total, 1e-3);
  }
}

TEST(Tokens, DoNotSplitAColumnThatIsOnlyNoise) {
  PublicRandom random(24, "tokens");
  const PublicGrid grid(testing::Number("x", ColumnType::kInteger, 0, 10000));
  Counts counts(grid.cells());
  for (double& count : counts) count = 100.0 * random.Normal();
  EXPECT_LE(MakeTokens(grid, counts, 100.0, 200.0, {16}).tokens(), 6U);
}

TEST(Tokens, HaveACapacityThatFollowsFromTheSchemaAlone) {
  for (const Column& described : AwkwardColumns()) {
    const PublicGrid grid(described);
    const std::size_t capacity = TokenCapacity(grid, {16});
    EXPECT_LE(capacity, grid.cells());
    if (!grid.numeric()) {
      EXPECT_EQ(capacity, grid.cells());
    }
    if (grid.numeric() && grid.value_cells() > 32) {
      EXPECT_EQ(capacity, 20U + (grid.has_missing() ? 1U : 0U));
    }
  }
}

TEST(Tokens, DependOnTheHistogramAlone) {
  const auto schema = testing::MixedSchema();
  const std::vector<PublicGrid> grids = GridsOf(*schema);
  std::size_t cells = 0;
  for (const PublicGrid& grid : grids) cells += grid.cells();
  PublicRandom random(25, "tokens");
  std::vector<float> histogram(cells);
  for (float& count : histogram) count = static_cast<float>(10.0 * random.Uniform());
  const auto one = TokenTransform::FromHistogram(grids, histogram, 2.0, {8});
  const auto other = TokenTransform::FromHistogram(GridsOf(*testing::MixedSchema()), histogram, 2.0, {8});
  for (std::size_t j = 0; j < grids.size(); ++j) {
    EXPECT_EQ(one.column(j).token_of_cell, other.column(j).token_of_cell);
    EXPECT_EQ(one.column(j).probability, other.column(j).probability);
  }
}

}  // namespace
}  // namespace synod::tabular
