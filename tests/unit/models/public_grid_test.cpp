#include "models/tabular/public_grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tests/unit/models/model_fixture.h"

namespace synod::tabular {
namespace {

constexpr double kAlmostOne = 1.0 - 0x1p-53;

// Ranges that are negative, around zero, narrow, wide, tiny, far away or a single value.
Column RandomNumberColumn(PublicRandom& random) {
  const ColumnType types[] = {ColumnType::kContinuous, ColumnType::kInteger, ColumnType::kDatetime};
  const ColumnType type = types[random.IntegerBelow(3)];
  const double widths[] = {0, 1, 5, 127, 128, 129, 1000, 86400, 3e7, 1e9};
  double width = widths[random.IntegerBelow(10)];
  double low = std::floor(width * (random.Uniform() * 4.0 - 2.5));
  if (type == ColumnType::kContinuous && random.IntegerBelow(3) == 0) {
    width *= 1e-4;
    low *= 1e-4;
  }
  Column column = testing::Number("x", type, low, low + width);
  column.missing_allowed = random.IntegerBelow(2) == 0;
  if (type == ColumnType::kContinuous && random.IntegerBelow(2) == 0) {
    column.decimals = static_cast<int>(random.IntegerBelow(4));
    const double scale = std::pow(10.0, column.decimals);
    column.minimum = std::round(column.minimum * scale) / scale;
    column.maximum = std::max(column.minimum, std::round(column.maximum * scale) / scale);
  }
  std::set<double> atoms;
  for (std::uint64_t i = random.IntegerBelow(5); i > 0; --i) {
    Column plain = column;
    plain.missing_allowed = false;
    atoms.insert(testing::AllowedNumber(plain, random) + 0.0);
  }
  // And constants that no measurement can have, between two steps.
  if (column.decimals >= 0 && width > 0.0 && random.IntegerBelow(2) == 0) {
    for (const double part : {0.25, 0.5}) {
      const double between = column.minimum + part * std::pow(10.0, -column.decimals);
      if (between < column.maximum) atoms.insert(between);
    }
  }
  column.special_values.assign(atoms.begin(), atoms.end());
  if (type != ColumnType::kDatetime && random.IntegerBelow(2) == 0) {
    column.scale = low >= 0.0 && random.IntegerBelow(2) == 0 ? ColumnScale::kLog : ColumnScale::kLinear;
  }
  return column;
}

void ExpectDrawnValuesFit(const Column& column, const PublicGrid& grid) {
  for (std::size_t cell = 0; cell < grid.value_cells(); ++cell) {
    for (const double uniform : {0.0, 0.37, 0.5, kAlmostOne}) {
      const double value = grid.NumberInCell(cell, uniform);
      ASSERT_GE(value, column.minimum);
      ASSERT_LE(value, column.maximum);
      if (column.type != ColumnType::kContinuous) {
        ASSERT_EQ(value, std::floor(value));
        ASSERT_EQ(grid.CellOfNumber(value), cell);
      } else if (grid.special(cell)) {
        ASSERT_EQ(grid.CellOfNumber(value), cell);
      } else if (column.decimals >= 0) {
        ASSERT_EQ(grid.CellOfNumber(value), cell);
        const double scaled = value * std::pow(10.0, column.decimals);
        ASSERT_NEAR(scaled, std::round(scaled), 1e-9 * std::max(1.0, std::abs(scaled))) << "digits beyond the decimals";
      } else if (uniform > 0.0 && uniform < 0.9) {  // the ends of a cell are the next cell's by one rounding
        ASSERT_EQ(grid.CellOfNumber(value), cell);
      }
    }
  }
}

void ExpectAllowedValuesHaveCells(const Column& column, const PublicGrid& grid, PublicRandom& random) {
  std::vector<double> values = column.special_values;
  for (int i = 0; i < 100; ++i) values.push_back(testing::AllowedNumber(column, random));
  std::erase_if(values, [](double x) { return std::isnan(x); });
  std::sort(values.begin(), values.end());
  std::size_t before = 0;
  for (const double value : values) {
    const std::size_t cell = grid.CellOfNumber(value);
    ASSERT_LT(cell, grid.value_cells());
    ASSERT_GE(cell, before) << "cells are in the order of their values";
    before = cell;
    if (grid.single(cell)) {
      ASSERT_EQ(grid.NumberInCell(cell, 0.7), value);
    }
  }
  for (const double atom : column.special_values) ASSERT_TRUE(grid.single(grid.CellOfNumber(atom)));
  if (column.missing_allowed) {
    ASSERT_EQ(grid.CellOfNumber(std::nan("")), grid.cells() - 1);
  }
}

TEST(PublicGrid, CoversEveryAllowedValueAndDrawsNoOtherOne) {
  PublicRandom random(11, "grids");
  for (int round = 0; round < 400; ++round) {
    const Column column = RandomNumberColumn(random);
    SCOPED_TRACE(::testing::Message() << "round " << round << " [" << column.minimum << ", " << column.maximum
                                      << "] decimals " << column.decimals);
    ASSERT_TRUE(Schema::Create("s", {column}).ok());
    const PublicGrid grid(column);
    ExpectAllowedValuesHaveCells(column, grid, random);
    ExpectDrawnValuesFit(column, grid);
    if (HasFatalFailure()) return;
  }
}

TEST(PublicGrid, GivesEachWholeNumberExactlyOneCellAndLeavesNoCellEmpty) {
  PublicRandom random(12, "grids");
  for (int round = 0; round < 60; ++round) {
    const double low = std::floor(random.Uniform() * 4000.0 - 3000.0);
    Column column = testing::Number("x", ColumnType::kInteger, low, low + std::floor(random.Uniform() * 2000.0));
    for (int i = 0; i < 3; ++i) {
      column.special_values.push_back(
          std::min(column.maximum, low + std::floor(random.Uniform() * (column.maximum - low + 1.0))));
    }
    const PublicGrid grid(column);
    std::vector<std::size_t> hits(grid.cells());
    std::size_t before = 0;
    for (double value = low; value <= column.maximum; value += 1.0) {
      const std::size_t cell = grid.CellOfNumber(value);
      ASSERT_TRUE(cell == before || cell == before + 1);
      before = cell;
      ++hits[cell];
    }
    EXPECT_EQ(std::count(hits.begin(), hits.end(), 0U), 0);
    for (std::size_t cell = 0; cell < hits.size(); ++cell) EXPECT_EQ(grid.single(cell), hits[cell] == 1);
  }
}

TEST(PublicGrid, ReachesEveryWholeNumberOfACell) {
  const PublicGrid grid(testing::Number("x", ColumnType::kInteger, -700, 900));
  std::set<double> drawn;
  for (std::size_t cell = 0; cell < grid.cells(); ++cell) {
    for (int i = 0; i < 1000; ++i) drawn.insert(grid.NumberInCell(cell, i / 1000.0));
  }
  EXPECT_EQ(drawn.size(), 1601U);
}

// Above 2^53 the next whole number is two away: counting by one would never end.
TEST(PublicGrid, CutsWholeNumbersAtTheEdgeOfWhatDoublesHold) {
  constexpr double kEdge = 9007199254740992.0;
  for (const double sign : {1.0, -1.0}) {
    const double a = sign * kEdge;
    const double b = sign * (kEdge - 20.0);
    const PublicGrid grid(testing::Number("x", ColumnType::kInteger, std::min(a, b), std::max(a, b)));
    EXPECT_EQ(grid.cells(), 21U);
    EXPECT_EQ(grid.NumberInCell(grid.CellOfNumber(a), 0.5), a);
  }
  const PublicGrid all(testing::Number("x", ColumnType::kInteger, -kEdge, kEdge));
  ExpectDrawnValuesFit(testing::Number("x", ColumnType::kInteger, -kEdge, kEdge), all);
}

TEST(PublicGrid, GivesAConstantColumnOneCell) {
  for (const ColumnType type : {ColumnType::kContinuous, ColumnType::kInteger, ColumnType::kDatetime}) {
    Column column = testing::Number("x", type, 7, 7);
    column.special_values = {7};
    const PublicGrid grid(column);
    EXPECT_EQ(grid.cells(), 1U);
    EXPECT_EQ(grid.NumberInCell(0, kAlmostOne), 7.0);
  }
}

TEST(PublicGrid, KeepsAtomsAtBothBoundsApartFromTheirNeighbours) {
  Column column = testing::Number("x", ColumnType::kContinuous, -1, 1);
  column.special_values = {-1, 0, 1};
  const PublicGrid grid(column);
  for (const double atom : column.special_values) {
    const std::size_t cell = grid.CellOfNumber(atom);
    EXPECT_TRUE(grid.single(cell));
    for (const double beside : {std::nextafter(atom, -2.0), std::nextafter(atom, 2.0)}) {
      if (beside < -1 || beside > 1) continue;
      EXPECT_NE(grid.CellOfNumber(beside), cell);
      EXPECT_FALSE(grid.single(grid.CellOfNumber(beside)));
    }
  }
}

TEST(PublicGrid, CountsInTheStepsOfTheDecimals) {
  Column temperature = testing::Number("x", ColumnType::kContinuous, 34, 42);
  temperature.decimals = 1;
  EXPECT_EQ(PublicGrid(temperature).cells(), 81U) << "34.0, 34.1, ... 42.0";
  const PublicGrid fine(temperature);
  for (int i = 0; i <= 80; ++i) {
    const double value = (340.0 + i) / 10.0;
    EXPECT_EQ(fine.CellOfNumber(value), static_cast<std::size_t>(i));
    EXPECT_EQ(fine.NumberInCell(static_cast<std::size_t>(i), 0.9), value);
  }
  EXPECT_EQ(fine.CellOfNumber(36.6399), 26U) << "more digits than the schema states: the nearest step";
  temperature.decimals = 12;
  temperature.maximum = 1e6;
  EXPECT_LT(PublicGrid(temperature).cells(), 200U) << "steps that doubles cannot count are none";
}

TEST(PublicGrid, HasACellForAConstantBetweenTwoSteps) {
  Column column = testing::Number("x", ColumnType::kContinuous, 0, 3);
  column.decimals = 1;
  column.special_values = {1.02, 1.01, 1.0};
  const PublicGrid grid(column);
  EXPECT_EQ(grid.cells(), 33U);
  const std::size_t cells[] = {grid.CellOfNumber(1.0), grid.CellOfNumber(1.01), grid.CellOfNumber(1.02),
                               grid.CellOfNumber(1.1)};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(cells[i] + 1, cells[i + 1]);
    EXPECT_TRUE(grid.special(cells[i]));
  }
  EXPECT_EQ(grid.NumberInCell(cells[1], 0.5), 1.01);
  EXPECT_EQ(grid.NumberInCell(cells[2], 0.5), 1.02);
  EXPECT_EQ(grid.CellOfNumber(1.03), cells[0]) << "no constant of the schema: rounded";
  EXPECT_FALSE(grid.special(cells[3]));
}

// From 0.1 to 1000: a decade has as many cells as any other.
TEST(PublicGrid, CutsALogarithmicColumnEvenlyInTheLogarithm) {
  Column column = testing::Number("x", ColumnType::kContinuous, 0.1, 1000);
  column.scale = ColumnScale::kLog;
  const PublicGrid grid(column);
  EXPECT_EQ(grid.cells(), PublicGrid::kScaleCells);
  for (const double from : {0.1, 1.0, 10.0, 100.0}) {
    const std::size_t cells = grid.CellOfNumber(9.999 * from) - grid.CellOfNumber(1.001 * from);
    EXPECT_NEAR(static_cast<double>(cells), PublicGrid::kScaleCells / 4.0 - 1.0, 1.0) << from;
  }
  for (std::size_t cell = 1; cell < grid.cells(); ++cell) {
    EXPECT_GT(grid.Width(cell), grid.Width(cell - 1));
    EXPECT_NEAR(grid.LogWidth(cell), grid.LogWidth(1), 0.5 * grid.LogWidth(1));
  }
  column.scale = ColumnScale::kLinear;
  const PublicGrid even(column);
  EXPECT_EQ(even.cells(), PublicGrid::kScaleCells);
  EXPECT_NEAR(even.Width(0), even.Width(40), 1e-9);
}

TEST(PublicGrid, StartsALogarithmicColumnAtZeroWithItsSmallestStep) {
  Column column = testing::Number("x", ColumnType::kContinuous, 0, 500);
  column.decimals = 1;
  column.scale = ColumnScale::kLog;
  const PublicGrid grid(column);
  EXPECT_LE(grid.cells(), PublicGrid::kScaleCells + 2);
  EXPECT_TRUE(grid.single(0)) << "0 is a cell of its own";
  EXPECT_LT(grid.CellOfNumber(0.5), grid.CellOfNumber(1.5));
  EXPECT_GT(grid.Width(grid.cells() - 2), 50.0 * grid.Width(1));
}

TEST(PublicGrid, FollowsFromTheSchemaAlone) {
  const auto schema = testing::MixedSchema();
  const std::vector<PublicGrid> grids = GridsOf(*schema);
  const Table one = testing::RandomTable(schema, 50, 1);
  const Table other = testing::RandomTable(schema, 9, 2);
  const auto cells = CellsOf(one, grids);
  ASSERT_EQ(cells.size(), 4U);
  for (std::size_t j = 0; j < cells.size(); ++j) {
    EXPECT_EQ(GridsOf(other.schema())[j].cells(), grids[j].cells());
    for (std::size_t row = 0; row < 50; ++row)
      EXPECT_EQ(one.IsMissing(j, row), grids[j].has_missing() && cells[j][row] == grids[j].missing_cell());
  }
}

}  // namespace
}  // namespace synod::tabular
