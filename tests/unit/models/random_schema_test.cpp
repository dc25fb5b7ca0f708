// Schemas of every awkward kind, noisy histograms of every awkward kind: whatever comes out satisfies the schema, to
// the last digit of its file.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "common/data/csv_writer.h"
#include "common/data/load_table.h"
#include "models/family_table.h"
#include "models/independent_columns/options.h"
#include "models/independent_columns/plan.h"
#include "models/tabular/histogram_sum.h"
#include "models/tabular/token_transform.h"
#include "tests/support/shared_data.h"
#include "tests/unit/models/model_fixture.h"

namespace synod {
namespace {

// Bounds that are far apart, close, equal, negative, around zero; decimals or none; special values on and between the
// steps; every scale.
Column RandomNumber(std::size_t index, PublicRandom& random) {
  const ColumnType types[] = {ColumnType::kContinuous, ColumnType::kContinuous, ColumnType::kInteger,
                              ColumnType::kDatetime};
  const double widths[] = {0, 1, 12, 127, 128, 300, 5000, 86400, 2e9};
  const ColumnType type = types[random.IntegerBelow(4)];
  const double width = widths[random.IntegerBelow(9)];
  const double low = random.IntegerBelow(3) == 0 ? 0.0 : std::floor(width * (3.0 * random.Uniform() - 1.5));
  Column column = testing::Number(fmt::format("n{}", index), type, low, low + width);
  column.missing_allowed = random.IntegerBelow(3) == 0;
  if (type == ColumnType::kContinuous && random.IntegerBelow(4) != 0) {
    column.decimals = static_cast<int>(random.IntegerBelow(random.IntegerBelow(2) == 0 ? 4 : 13));
  }
  if (type != ColumnType::kDatetime && random.IntegerBelow(2) == 0) {
    column.scale = low >= 0.0 && random.IntegerBelow(2) == 0 ? ColumnScale::kLog : ColumnScale::kLinear;
  }
  std::set<double> special;
  for (std::uint64_t i = random.IntegerBelow(5); i > 0; --i) {
    double value = low + width * random.Uniform();
    if (type != ColumnType::kContinuous) value = std::floor(value);
    if (type == ColumnType::kContinuous && random.IntegerBelow(2) == 0) value = std::round(10.0 * value) / 10.0;
    if (value >= column.minimum && value <= column.maximum) special.insert(value + 0.0);
  }
  column.special_values.assign(special.begin(), special.end());
  return column;
}

std::vector<Column> RandomColumns(std::size_t count, PublicRandom& random) {
  std::vector<Column> columns;
  for (std::size_t i = 0; i < count; ++i) {
    if (random.IntegerBelow(3) != 0) {
      columns.push_back(RandomNumber(i, random));
      continue;
    }
    const std::size_t sizes[] = {1, 2, 3, 24, 1000};
    columns.push_back(testing::Categories(fmt::format("c{}", i), sizes[random.IntegerBelow(5)]));
    columns.back().missing_allowed = random.IntegerBelow(3) == 0;
  }
  return columns;
}

// What noise, or whoever sends it, can make of a histogram.
std::vector<float> EvilHistogram(std::size_t cells, PublicRandom& random) {
  std::vector<float> counts(cells, 0.0F);
  const float sizes[] = {0.0F, 1.0F, 50.0F, 1e6F, 3e38F};
  const float size = sizes[random.IntegerBelow(5)];
  for (float& count : counts) {
    count = std::clamp(static_cast<float>(random.Normal()), -1.0F, 1.0F) * size;
    if (random.IntegerBelow(3) == 0) count = -size;
  }
  if (random.IntegerBelow(2) == 0) counts[random.IntegerBelow(cells)] = 4.0F * std::min(size, 5e37F);
  return counts;
}

GeneratorModel ModelOf(const Schema& schema, std::vector<float> counts, double sigma) {
  GeneratorModel model;
  model.family = "independent_columns";
  model.options = independent_columns::Options{1}.ToJson();
  model.state = {{"sigma", sigma}};
  model.layout = independent_columns::LayoutFor(schema, tabular::GridsOf(schema)).value();
  model.parameters = std::move(counts);
  return model;
}

void ExpectRowsThatLoadAgain(const std::shared_ptr<const Schema>& schema, PublicRandom& random, std::size_t rows) {
  const std::vector<tabular::PublicGrid> grids = tabular::GridsOf(*schema);
  const double sigmas[] = {0.0, 1e-3, 20.0, 1e5};
  const GeneratorModel model =
      ModelOf(*schema, EvilHistogram(tabular::HistogramSize(grids), random), sigmas[random.IntegerBelow(4)]);
  const auto no_compute = []() -> Result<ComputeModule*> { return Failed("not needed"); };
  const auto generator = OpenGenerator(schema, model, no_compute);
  ASSERT_TRUE(generator.ok()) << generator.error().message;
  const Result<Table> drawn = (*generator)->Block(random.NextWord64(), 0, rows, {});
  ASSERT_TRUE(drawn.ok()) << drawn.error().message;
  const std::string path = testing::TemporaryFolder() + "/rows.csv";
  ASSERT_TRUE(WriteTable(path, *drawn).ok());
  const Result<LoadedTable> again = LoadTable(path, schema);
  ASSERT_TRUE(again.ok()) << again.error().message;
  ASSERT_TRUE(again->report.clean()) << again->report.Lines()[1];
  ASSERT_EQ(again->table.rows(), rows);
  // And each value comes back into the cell that it was drawn in: training on samples sees the same histogram.
  const auto before = tabular::CellsOf(*drawn, grids);
  const auto after = tabular::CellsOf(again->table, grids);
  const std::vector<std::size_t> columns = tabular::ModelledColumns(*schema);
  for (std::size_t j = 0; j < grids.size(); ++j) {
    const Column& column = schema->columns()[columns[j]];
    const bool exact = column.type != ColumnType::kContinuous || column.decimals >= 0;
    if (exact && !column.is_whole_days()) {
      ASSERT_EQ(before[j], after[j]) << column.name;
    }
  }
}

TEST(RandomSchemas, WhateverTheNoiseEveryRowSatisfiesTheSchema) {
  PublicRandom random(81, "schemas");
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    const std::size_t count = 1 + random.IntegerBelow(8);
    ExpectRowsThatLoadAgain(testing::SchemaOf(RandomColumns(count, random)), random, 64);
    if (HasFatalFailure()) return;
  }
}

TEST(RandomSchemas, OneColumnAndTwoHundred) {
  PublicRandom random(82, "schemas");
  for (const std::size_t count : {1U, 1U, 1U, 200U}) {
    ExpectRowsThatLoadAgain(testing::SchemaOf(RandomColumns(count, random)), random, 20);
    if (HasFatalFailure()) return;
  }
}

TEST(RandomSchemas, ColumnsThatAreAlwaysMissingOrAlwaysTheSame) {
  PublicRandom random(83, "schemas");
  Column missing = testing::Number("missing", ColumnType::kContinuous, 0, 9);
  missing.missing_allowed = true;
  const Column one = testing::Number("one", ColumnType::kContinuous, 4, 4);
  Column whole = testing::Number("whole", ColumnType::kInteger, 7, 7);
  whole.special_values = {7};
  const auto schema = testing::SchemaOf({missing, one, whole, testing::Categories("category", 1)});
  ExpectRowsThatLoadAgain(schema, random, 100);
  const std::vector<tabular::PublicGrid> grids = tabular::GridsOf(*schema);
  std::vector<float> counts(tabular::HistogramSize(grids), 0.0F);
  counts[grids[0].missing_cell()] = 500.0F;
  for (std::size_t i = grids[0].cells(); i < counts.size(); ++i) counts[i] = 500.0F;
  const auto transform = tabular::TokenTransform::FromHistogram(grids, counts, 5.0, {});
  EXPECT_GT(transform.column(0).cell_probability[grids[0].missing_cell()], 0.99);
  for (std::size_t j = 1; j < grids.size(); ++j) EXPECT_EQ(transform.column(j).cell_probability, std::vector{1.0});
}

}  // namespace
}  // namespace synod
