#include "models/spline_flow/stage_generator.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "models/family_table.h"
#include "tests/unit/spline_flow/stage_world.h"

namespace synod::spline_flow {
namespace {

using testing::OpenStages;
using testing::SmallSpline;
using testing::StageWorld;

bool SameRows(const Table& a, const Table& b, std::size_t rows) {
  for (std::size_t j = 0; j < a.schema().columns().size(); ++j) {
    for (std::size_t row = 0; row < rows; ++row) {
      if (a.IsMissing(j, row) != b.IsMissing(j, row)) return false;
      if (a.IsMissing(j, row)) continue;
      const bool numeric = a.schema().columns()[j].is_numeric();
      if (numeric && a.column(j).numbers[row] != b.column(j).numbers[row]) return false;
      if (!numeric && a.column(j).codes[row] != b.column(j).codes[row]) return false;
    }
  }
  return true;
}

// Three columns with every kind of cell, all of whose rows can be listed.
std::shared_ptr<const Schema> Countable() {
  Column whole = testing::Number("whole", ColumnType::kInteger, 0, 40);
  whole.missing_allowed = true;
  Column kind = testing::Categories("kind", 3);
  kind.missing_allowed = true;
  Column label = testing::Categories("label", 2);
  label.role = ColumnRole::kLabel;
  return testing::SchemaOf({label, whole, kind});
}

Table AllRows(const std::shared_ptr<const Schema>& schema) {
  std::vector<ColumnCells> cells(3);
  std::size_t rows = 0;
  for (std::uint16_t label = 0; label < 2; ++label) {
    for (int whole = 0; whole <= 41; ++whole) {
      for (std::uint16_t kind = 0; kind < 4; ++kind, ++rows) {
        cells[0].codes.push_back(label);
        cells[1].numbers.push_back(whole == 41 ? std::nan("") : whole);
        cells[2].codes.push_back(kind);
      }
    }
  }
  return Table::Create(schema, std::move(cells), rows).value();
}

TEST(StageLikelihood, OfAllPossibleRowsAddsUpToOne) {
  for (const bool shared : {true, false}) {
    for (const LabelPlace place : {LabelPlace::kFirst, LabelPlace::kLast}) {
      for (const double size : {0.0, 0.5, 2.0}) {
        Options options = SmallSpline();
        options.shared = shared;
        options.label = place;
        options.slopes = shared ? Slopes::kLearned : Slopes::kSmooth;
        options.tokens = 4;
        const StageWorld world(Countable(), options);
        const auto generator = OpenStages(world.schema, world.Model(size)).value();
        const RowLikelihoods logs = generator->likelihood()->LogLikelihood(AllRows(world.schema)).value();
        double sum = 0.0;
        for (const double own : logs.rows) sum += std::exp(own);
        EXPECT_NEAR(sum, 1.0, 1e-5) << shared << size;
      }
    }
  }
}

// A continuous column: the density times the width of the steps, by the middle of each.
TEST(StageLikelihood, OfAContinuousColumnIntegratesToOne) {
  const auto schema = testing::SchemaOf({testing::Number("x", ColumnType::kContinuous, -2, 6)});
  Options options = SmallSpline();
  options.slopes = Slopes::kLearned;
  const StageWorld world(schema, options);
  const auto generator = OpenStages(schema, world.Model(1.0)).value();
  constexpr std::size_t kSteps = 400000;
  std::vector<ColumnCells> cells(1);
  for (std::size_t i = 0; i < kSteps; ++i) {
    cells[0].numbers.push_back(-2.0 + 8.0 * (static_cast<double>(i) + 0.5) / kSteps);
  }
  const Table table = Table::Create(schema, std::move(cells), kSteps).value();
  const RowLikelihoods logs = generator->likelihood()->LogLikelihood(table).value();
  double sum = 0.0;
  for (const double own : logs.rows) sum += std::exp(own) * 8.0 / kSteps;
  EXPECT_NEAR(sum, 1.0, 2e-3);
}

TEST(StageLikelihood, PartsOfColumnsAddUpToTheMeanOfTheRows) {
  const StageWorld world(testing::MixedSchema(), SmallSpline());
  const auto generator = OpenStages(world.schema, world.Model(0.7)).value();
  const RowLikelihoods logs = generator->likelihood()->LogLikelihood(*world.table).value();
  ASSERT_EQ(logs.rows.size(), world.table->rows());
  ASSERT_EQ(logs.columns, (std::vector<std::size_t>{0, 1, 2, 3}));
  double rows = 0.0;
  double columns = 0.0;
  for (const double own : logs.rows) rows += own / static_cast<double>(logs.rows.size());
  for (const double own : logs.column_means) columns += own;
  EXPECT_NEAR(rows, columns, 1e-9);
  EXPECT_FALSE(generator->likelihood()->Measure().empty());
}

TEST(StageLikelihood, RefusesRowsOfAnotherSchemaAndTakesATableWithoutRows) {
  const StageWorld world(testing::MixedSchema(), SmallSpline());
  const auto generator = OpenStages(world.schema, world.Model(0.7)).value();
  const StageWorld other(Countable(), SmallSpline());
  EXPECT_FALSE(generator->likelihood()->LogLikelihood(*other.table).ok());
  const Table nobody = testing::RandomTable(world.schema, 0, 1);
  EXPECT_TRUE(generator->likelihood()->LogLikelihood(nobody)->rows.empty());
}

// What is drawn has the probability that the likelihood says: with 40,000 rows a cell of probability p is off by at
// most 5 standard deviations; 328 cells, false alarm below 1e-3.
TEST(StageGenerator, DrawsRowsAsOftenAsTheirLikelihoodSays) {
  Options options = SmallSpline();
  options.tokens = 4;
  options.slopes = Slopes::kLearned;
  const StageWorld world(Countable(), options);
  const auto generator = OpenStages(world.schema, world.Model(0.8)).value();
  const Table all = AllRows(world.schema);
  const RowLikelihoods logs = generator->likelihood()->LogLikelihood(all).value();
  std::vector<double> counts(all.rows(), 0.0);
  constexpr double kRows = 10 * 4096.0;
  for (std::uint64_t block = 0; block < 10; ++block) {
    const Table drawn = generator->Block(3, block, 4096, {}).value();
    for (std::size_t row = 0; row < 4096; ++row) {
      const double whole = drawn.column(1).numbers[row];
      const std::size_t place = std::isnan(whole) ? 41 : static_cast<std::size_t>(whole);
      counts[(drawn.column(0).codes[row] * 42 + place) * 4 + drawn.column(2).codes[row]] += 1.0;
    }
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = kRows * std::exp(logs.rows[i]);
    ASSERT_NEAR(counts[i], expected, 5.0 * std::sqrt(expected) + 5.0) << i;
  }
}

TEST(StageGenerator, DrawsTheSameRowsForTheSameSeedAndBeginsALongBlockLikeAShortOne) {
  const StageWorld world(testing::MixedSchema(), SmallSpline());
  const auto generator = OpenStages(world.schema, world.Model(0.7)).value();
  const Table whole = generator->Block(7, 3, Generator::kBlockRows, {}).value();
  for (const std::size_t rows :
       {std::size_t{0}, std::size_t{1}, std::size_t{17}, std::size_t{257}, std::size_t{4096}}) {
    const Table part = generator->Block(7, 3, rows, {}).value();
    EXPECT_EQ(part.rows(), rows);
    EXPECT_TRUE(SameRows(whole, part, rows));
  }
  EXPECT_FALSE(SameRows(whole, generator->Block(8, 3, 500, {}).value(), 500));
  EXPECT_FALSE(SameRows(whole, generator->Block(7, 4, 500, {}).value(), 500));
}

TEST(StageGenerator, MeetsConditionsExactlyWhereverTheyStand) {
  const StageWorld world(testing::MixedSchema(), SmallSpline());
  const auto generator = OpenStages(world.schema, world.Model(0.3)).value();
  const GivenValue first[] = {{0, 617.0, 0}, {1, 0.0, 3}};
  const Table rows = generator->Block(1, 0, 300, first).value();
  const GivenValue behind[] = {{2, 0.0, 1}, {3, 1.0, 0}};
  const Table more = generator->Block(1, 0, 20, behind).value();
  for (std::size_t row = 0; row < 300; ++row) {
    ASSERT_EQ(rows.column(0).numbers[row], 617.0);
    ASSERT_TRUE(rows.IsMissing(1, row));
  }
  for (std::size_t row = 0; row < 20; ++row) {
    ASSERT_EQ(more.column(2).codes[row], 1);
    ASSERT_EQ(more.column(3).numbers[row], 1.0);
  }
}

// Bayes: what rejection draws before the given column is what the likelihood says. 20,000 rows and 42 cells within 5
// standard deviations: false alarm below 1e-4.
TEST(StageGenerator, GivenALaterColumnDrawsTheEarlierOnesFromTheirPosterior) {
  Options options = SmallSpline();
  options.tokens = 4;
  const StageWorld world(Countable(), options);
  const auto generator = OpenStages(world.schema, world.Model(1.0)).value();
  const Table all = AllRows(world.schema);
  const RowLikelihoods logs = generator->likelihood()->LogLikelihood(all).value();
  std::vector<double> posterior(42, 0.0);
  double total = 0.0;
  for (std::size_t i = 0; i < logs.rows.size(); ++i) {
    if (all.column(0).codes[i] != 1) continue;
    posterior[i / 4 % 42] += std::exp(logs.rows[i]);
    total += std::exp(logs.rows[i]);
  }
  const GivenValue given[] = {{0, 0.0, 1}};
  std::vector<double> counts(42, 0.0);
  for (std::uint64_t block = 0; block < 5; ++block) {
    const Table drawn = generator->Block(4, block, 4000, given).value();
    for (std::size_t row = 0; row < 4000; ++row) {
      const double whole = drawn.column(1).numbers[row];
      counts[std::isnan(whole) ? 41 : static_cast<std::size_t>(whole)] += 1.0;
    }
  }
  for (std::size_t i = 0; i < 42; ++i) {
    const double expected = 20000.0 * posterior[i] / total;
    ASSERT_NEAR(counts[i], expected, 5.0 * std::sqrt(expected) + 5.0) << i;
  }
}

TEST(StageGenerator, SaysThatAConditionIsTooRare) {
  const StageWorld world(testing::SchemaOf({testing::Categories("a", 2), testing::Categories("b", 2)}), SmallSpline());
  GeneratorModel model = world.Model(0.0);
  model.state["offsets"][3] = -60.0;  // the second value of b is next to impossible
  const auto generator = OpenStages(world.schema, model).value();
  const GivenValue given[] = {{1, 0.0, 1}};
  const Result<Table> rows = generator->Block(1, 0, 5, given);
  ASSERT_FALSE(rows.ok());
  EXPECT_NE(rows.error().message.find("too rare"), std::string::npos);
}

TEST(StageGenerator, RefusesConditionsThatTheSchemaDoesNotAllow) {
  const StageWorld world(testing::MixedSchema(), SmallSpline());
  const auto generator = OpenStages(world.schema, world.Model(0.5)).value();
  const double infinity = std::numeric_limits<double>::infinity();
  const GivenValue wrong[] = {{9, 0.0, 0}, {0, -1.0, 0}, {0, 1.5, 0},    {0, infinity, 0},
                              {1, 0.0, 4}, {2, 0.0, 2},  {3, 5.0001, 0}, {3, std::nan(""), 0}};
  for (const GivenValue& value : wrong) {
    const Result<Table> rows = generator->Block(1, 0, 5, std::span(&value, 1));
    ASSERT_FALSE(rows.ok());
    EXPECT_EQ(rows.error().code, ErrorCode::kBadInput);
  }
  const GivenValue twice[] = {{2, 0.0, 0}, {2, 0.0, 1}};
  EXPECT_FALSE(generator->Block(1, 0, 5, twice).ok());
}

// Shifts every column's shares far from the noisy ones; 30,000 rows, 42 cells, 4.5 standard deviations of a share plus
// what one fit on 32,768 rows leaves: false alarm below 1e-3.
TEST(StageSampler, CalibrationBringsOneWaysBackToTheNoisyShares) {
  Options options = SmallSpline();
  const StageWorld world(Countable(), options, 4000);
  const std::vector<ColumnBase> bases = BasesOf(world.parts.grids, world.transform);
  const StageShape shape(world.parts.grids, world.parts.label, options);
  StageSampler sampler(shape, bases, world.RandomParameters(0.8), std::vector<float>(shape.outputs(), 0.0F));
  const auto farthest = [&](const StageSampler& drawn) {
    PublicRandom random(5, "draws");
    std::vector<std::vector<double>> shares;
    for (const ColumnBase& base : bases) shares.emplace_back(base.tokens(), 0.0);
    constexpr std::size_t kTiles = 120;
    const std::vector<std::int32_t> free(3, StageSampler::kFree);
    std::vector<double> uniforms(StageSampler::kTileRows * 3 * StageSampler::kUniformsPerColumn);
    std::vector<std::uint16_t> cells(StageSampler::kTileRows * 3);
    std::vector<double> weights(StageSampler::kTileRows);
    for (std::size_t tile = 0; tile < kTiles; ++tile) {
      for (double& uniform : uniforms) uniform = random.Uniform();
      drawn.DrawTile(uniforms, free, cells, weights);
      for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::size_t column = shape.stages[i % 3].column;
        shares[column][bases[column].token_of_cell[cells[i]]] += 1.0 / (kTiles * StageSampler::kTileRows);
      }
    }
    double worst = 0.0;
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t v = 0; v < shares[j].size(); ++v) {
        worst = std::max(worst, std::abs(shares[j][v] - bases[j].share[v]));
      }
    }
    return worst;
  };
  EXPECT_GT(farthest(sampler), 0.05);
  sampler.Calibrate(1, 10, 32768);
  EXPECT_LT(farthest(sampler), 0.015);
}

TEST(StageGenerator, RefusesADamagedModelAndDoesNotCrash) {
  const StageWorld world(testing::MixedSchema(), SmallSpline());
  const GeneratorModel good = world.Model(0.5);
  ASSERT_TRUE(OpenStages(world.schema, good).ok());
  const auto refuses = [&](const char* what, auto damage) {
    GeneratorModel model = good;
    damage(model);
    const Result<std::unique_ptr<Generator>> opened = OpenStages(world.schema, model);
    ASSERT_FALSE(opened.ok()) << what;
    EXPECT_EQ(opened.error().code, ErrorCode::kBadInput) << what;
  };
  refuses("state is a list", [](GeneratorModel& m) { m.state = Json::array(); });
  refuses("state is nothing", [](GeneratorModel& m) { m.state = Json(); });
  refuses("no histogram", [](GeneratorModel& m) { m.state.erase("histogram"); });
  refuses("no offsets", [](GeneratorModel& m) { m.state.erase("offsets"); });
  refuses("a further key", [](GeneratorModel& m) { m.state["more"] = 1; });
  refuses("another key", [](GeneratorModel& m) {
    m.state["more"] = m.state["offsets"];
    m.state.erase("offsets");
  });
  refuses("a count is a text", [](GeneratorModel& m) { m.state["histogram"][3] = "1"; });
  refuses("a count is NaN", [](GeneratorModel& m) { m.state["histogram"][3] = std::nan(""); });
  refuses("sigma is zero", [](GeneratorModel& m) { m.state["histogram"][0] = 0.0; });
  refuses("a count too few", [](GeneratorModel& m) { m.state["histogram"].erase(0); });
  refuses("an offset too few", [](GeneratorModel& m) { m.state["offsets"].erase(0); });
  refuses("an offset is beyond a float", [](GeneratorModel& m) { m.state["offsets"][0] = 1e300; });
  refuses("a parameter too few", [](GeneratorModel& m) { m.parameters.pop_back(); });
  refuses("a parameter too many", [](GeneratorModel& m) { m.parameters.push_back(0.0F); });
  refuses("a parameter is NaN", [](GeneratorModel& m) { m.parameters[5] = std::nanf(""); });
  refuses("options of another network", [](GeneratorModel& m) { m.options["hidden"] = 9; });
  refuses("options are nothing", [](GeneratorModel& m) { m.options = Json(); });
  EXPECT_FALSE(OpenStages(testing::SchemaOf({testing::Categories("kind", 3)}), good).ok());
}

TEST(StageGenerator, StaysWithinTheSchemaWithTheWorstNumbersThatAFloatHolds) {
  const StageWorld world(testing::MixedSchema(), SmallSpline());
  PublicRandom random(52, "worst");
  for (int round = 0; round < 12; ++round) {
    GeneratorModel model = world.Model(1.0);
    const float size = round % 3 == 0 ? 3e38F : round % 3 == 1 ? 1e20F : 1e-40F;
    for (float& value : model.parameters) value = random.IntegerBelow(2) == 0 ? size : -size;
    for (Json& count : model.state["histogram"]) count = (random.Uniform() - 0.5) * static_cast<double>(size);
    for (Json& offset : model.state["offsets"]) offset = (random.Uniform() - 0.5) * static_cast<double>(size);
    model.state["histogram"][0] = 1.0;
    model.state["histogram"][1] = 0.0;
    const auto generator = OpenStages(world.schema, model).value();
    const Result<Table> rows = generator->Block(1, 0, 200, {});
    EXPECT_TRUE(rows.ok()) << rows.error().message;
  }
}

Column RandomColumn(const std::string& name, PublicRandom& random) {
  const std::uint64_t kind = random.IntegerBelow(5);
  Column column = testing::Categories(name, 1 + random.IntegerBelow(random.IntegerBelow(5) == 0 ? 1000 : 6));
  if (column.values.size() == 2) column.type = ColumnType::kCategorical;
  if (kind < 3) {
    const double low = std::floor(2000.0 * random.Uniform()) - 1000.0;
    const double wide = random.IntegerBelow(4) == 0 ? 0.0 : std::floor(std::pow(10.0, 6.0 * random.Uniform()));
    column = testing::Number(name, kind == 0 ? ColumnType::kInteger : ColumnType::kContinuous, low, low + wide);
    if (kind == 2) column.decimals = static_cast<int>(random.IntegerBelow(4));
    if (random.IntegerBelow(3) == 0) column.special_values = {low};
  }
  column.missing_allowed = random.IntegerBelow(3) == 0;
  return column;
}

// Table::Create inside the generator checks every cell against the schema.
TEST(StageGenerator, DrawsOnlyWhatRandomSchemasAllow) {
  PublicRandom random(61, "schemas");
  for (int round = 0; round < 40; ++round) {
    std::vector<Column> columns;
    const std::uint64_t count = 1 + random.IntegerBelow(7);
    for (std::uint64_t j = 0; j < count; ++j) columns.push_back(RandomColumn(fmt::format("c{}", j), random));
    if (random.IntegerBelow(2) == 0) columns[random.IntegerBelow(count)].role = ColumnRole::kLabel;
    bool feature = false;
    for (const Column& column : columns) feature = feature || column.role == ColumnRole::kFeature;
    if (!feature) columns[0].role = ColumnRole::kFeature;
    Options options = SmallSpline();
    options.slopes = round % 2 == 0 ? Slopes::kSmooth : Slopes::kLearned;
    options.shared = round % 3 != 0;
    options.label = round % 5 == 0 ? LabelPlace::kFirst : LabelPlace::kLast;
    const StageWorld world(testing::SchemaOf(std::move(columns)), options, 50);
    const auto generator = OpenStages(world.schema, world.Model(1.5, static_cast<std::uint64_t>(round))).value();
    const Result<Table> rows = generator->Block(1, 0, 300, {});
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    const Result<RowLikelihoods> logs = generator->likelihood()->LogLikelihood(*rows);
    ASSERT_TRUE(logs.ok());
    for (const double own : logs->rows) ASSERT_TRUE(std::isfinite(own)) << "what is drawn is possible";
  }
}

TEST(StageGenerator, TakesTwoHundredColumnsAndAThousandCategories) {
  std::vector<Column> columns;
  for (int j = 0; j < 200; ++j) {
    const std::string name = fmt::format("c{}", j);
    columns.push_back(j % 3 == 0 ? testing::Number(name, ColumnType::kContinuous, 0, 1) : testing::Categories(name, 4));
  }
  columns[7] = testing::Categories("c7", 1000);
  const StageWorld world(testing::SchemaOf(std::move(columns)), SmallSpline(), 100);
  const auto generator = OpenStages(world.schema, world.Model(0.3)).value();
  EXPECT_EQ(generator->Block(1, 0, 300, {}).value().rows(), 300U);
}

}  // namespace
}  // namespace synod::spline_flow
