#include "models/tabular/histogram_sum.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/unit/models/model_fixture.h"

namespace synod::tabular {
namespace {

using testing::Blocks;
using testing::Distance;
using testing::Norm;
using testing::Reveal;

std::vector<std::uint32_t> FirstUnits(std::size_t count) {
  std::vector<std::uint32_t> units(count);
  std::iota(units.begin(), units.end(), 0U);
  return units;
}

std::vector<double> SumOf(const testing::MaskedWorld& world, const std::vector<std::uint32_t>& units, double clip) {
  return Reveal(HistogramSum(world.grids, world.cells, world.units, Blocks(units, 256), clip), clip);
}

TEST(HistogramSum, GivesAUnitOfOneRowTheNormOfTheSquareRootOfTheColumnsExactly) {
  const testing::MaskedWorld world;
  const double clip = std::sqrt(4.0);
  for (std::uint32_t unit = 0; unit < world.units.size(); ++unit) {
    const std::vector<double> sum = SumOf(world, {unit}, clip);
    std::size_t ones = 0;
    for (const double value : sum) {
      EXPECT_TRUE(value == 0.0 || value == 1.0);
      ones += value == 1.0 ? 1 : 0;
    }
    EXPECT_EQ(ones, 4U);
  }
}

// The square root of 3 or 7 is not a double: the clip must not bite for that.
TEST(HistogramSum, IsNotClippedByTheRoundingOfASquareRoot) {
  for (std::size_t k = 1; k <= 12; ++k) {
    std::vector<Column> columns;
    for (std::size_t j = 0; j < k; ++j) columns.push_back(testing::Categories(fmt::format("c{}", j), 3));
    const auto table = std::make_shared<const Table>(testing::RandomTable(testing::SchemaOf(columns), 5, k));
    const std::vector<PublicGrid> grids = GridsOf(table->schema());
    const double clip = std::sqrt(static_cast<double>(k));
    const std::vector<double> sum = Reveal(
        HistogramSum(grids, CellsOf(*table, grids), UnitTable::Records(table), Blocks(FirstUnits(5), 2), clip), clip);
    EXPECT_EQ(std::accumulate(sum.begin(), sum.end(), 0.0), 5.0 * static_cast<double>(k));
  }
}

TEST(HistogramSum, GivesASubjectOfManyRowsNoMoreThanOneRow) {
  const testing::MaskedWorld world(3);
  const double clip = std::sqrt(4.0);
  bool some_have_many = false;
  for (std::uint32_t unit = 0; unit < world.units.size(); ++unit) {
    const std::vector<double> sum = SumOf(world, {unit}, clip);
    EXPECT_LE(Norm(sum), clip * (1.0 + 1e-6));
    EXPECT_NEAR(std::accumulate(sum.begin(), sum.end(), 0.0), 4.0, 1e-6) << "each column counts a subject once";
    some_have_many = some_have_many || world.units.rows(unit).size() == 3;
  }
  EXPECT_TRUE(some_have_many);
}

TEST(HistogramSum, MovesByNoMoreThanTheClipWhenAUnitComesOrGoes) {
  for (const std::size_t most_rows : {1U, 3U}) {
    const testing::MaskedWorld world(most_rows);
    const double clip = std::sqrt(4.0);
    const std::vector<std::uint32_t> all = FirstUnits(world.units.size());
    const std::vector<double> with = SumOf(world, all, clip);
    for (std::size_t gone = 0; gone < all.size(); ++gone) {
      std::vector<std::uint32_t> rest = all;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(gone));
      EXPECT_LE(Distance(with, SumOf(world, rest, clip)), clip * 1.008);
    }
  }
}

TEST(HistogramSum, ScalesEveryUnitDownToASmallerClip) {
  const testing::MaskedWorld world(3);
  for (std::uint32_t unit = 0; unit < world.units.size(); ++unit) {
    EXPECT_LE(Norm(SumOf(world, {unit}, 0.5)), 0.5 * (1.0 + 1e-6));
  }
}

TEST(HistogramSum, OfNobodyIsZero) {
  const testing::MaskedWorld world;
  const std::vector<double> sum = SumOf(world, {}, 2.0);
  EXPECT_EQ(sum.size(), HistogramSize(world.grids));
  EXPECT_EQ(Norm(sum), 0.0);
}

}  // namespace
}  // namespace synod::tabular
