#include "models/table_diffusion/masked_generator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "models/table_diffusion/entries.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::table_diffusion {
namespace {

using testing::MaskedWorld;

// A generator with random weights: what it draws is nonsense, but must be sound nonsense.
GeneratorModel RandomModel(const MaskedWorld& world) {
  GeneratorModel model;
  model.family = "table_diffusion";
  Options options = world.options;
  options.steps = 1;
  options.batch = 1;
  options.learning_rate = 0.01;
  model.options = options.ToJson();
  model.layout = LayoutFor(world.grids, options).value();
  PublicRandom random(51, "model");
  model.parameters.resize(model.layout.size());
  random.FillNormal(model.parameters);
  model.state = StateJson(EncodeContext(0.5, world.histogram), std::vector<float>(world.shape.slots(), 0.1F));
  return model;
}

Result<std::unique_ptr<Generator>> Open(const std::shared_ptr<const Schema>& schema, const GeneratorModel& model) {
  SYNOD_ASSIGN_OR_RETURN(const OpenedModel opened, OpenModel(model));
  return MaskedGenerator::Open(schema, opened, model.parameters);
}

// Bit by bit, so that a missing number equals itself.
bool SameRows(const Table& a, std::size_t first, const Table& b, std::size_t rows) {
  for (std::size_t j = 0; j < a.schema().columns().size(); ++j) {
    for (std::size_t row = 0; row < rows; ++row) {
      if (a.IsMissing(j, first + row) != b.IsMissing(j, row)) return false;
      if (a.IsMissing(j, first + row)) continue;
      const ColumnCells& x = a.column(j);
      const ColumnCells& y = b.column(j);
      const bool numeric = a.schema().columns()[j].is_numeric();
      if (numeric ? x.numbers[first + row] != y.numbers[row] : x.codes[first + row] != y.codes[row]) return false;
    }
  }
  return true;
}

TEST(MaskedGenerator, DrawsTheSameRowsForTheSameSeedAndOthersForAnother) {
  const MaskedWorld world;
  const auto generator = Open(world.schema, RandomModel(world)).value();
  const Table one = generator->Block(7, 0, 500, {}).value();
  EXPECT_TRUE(SameRows(one, 0, generator->Block(7, 0, 500, {}).value(), 500));
  EXPECT_FALSE(SameRows(one, 0, generator->Block(8, 0, 500, {}).value(), 500));
  EXPECT_FALSE(SameRows(one, 0, generator->Block(7, 1, 500, {}).value(), 500));
}

TEST(MaskedGenerator, BeginsALongBlockWithTheRowsOfAShortOne) {
  const MaskedWorld world;
  const auto generator = Open(world.schema, RandomModel(world)).value();
  const Table whole = generator->Block(7, 3, Generator::kBlockRows, {}).value();
  for (const std::size_t rows : {std::size_t{0}, std::size_t{1}, std::size_t{17}, std::size_t{4000}}) {
    const Table part = generator->Block(7, 3, rows, {}).value();
    EXPECT_EQ(part.rows(), rows);
    EXPECT_TRUE(SameRows(whole, 0, part, rows));
  }
}

// Table::Create checks every cell against the schema; here also what it does not: digits after the point.
TEST(MaskedGenerator, DrawsOnlyWhatTheSchemaAllows) {
  const MaskedWorld world;
  const auto generator = Open(world.schema, RandomModel(world)).value();
  const Result<Table> rows = generator->Block(1, 0, 4096, {});
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  bool some_missing = false;
  for (std::size_t row = 0; row < 4096; ++row) {
    const double level = rows->column(3).numbers[row] * 100.0;
    ASSERT_NEAR(level, std::round(level), 1e-9);
    some_missing = some_missing || rows->IsMissing(0, row);
  }
  EXPECT_TRUE(some_missing) << "missing is a value like any other";
}

TEST(MaskedGenerator, MeetsConditionsExactly) {
  const MaskedWorld world;
  const auto generator = Open(world.schema, RandomModel(world)).value();
  const GivenValue given[] = {{0, 617.0, 0}, {2, 0.0, 1}, {3, 1.234, 0}};
  const Table rows = generator->Block(1, 0, 300, given).value();
  for (std::size_t row = 0; row < 300; ++row) {
    ASSERT_EQ(rows.column(0).numbers[row], 617.0);
    ASSERT_EQ(rows.column(2).codes[row], 1);
    ASSERT_EQ(rows.column(3).numbers[row], 1.234);
  }
  const GivenValue missing[] = {{0, std::nan(""), 0}, {1, 0.0, 3}};
  const Table gaps = generator->Block(1, 0, 50, missing).value();
  for (std::size_t row = 0; row < 50; ++row) ASSERT_TRUE(gaps.IsMissing(0, row) && gaps.IsMissing(1, row));
}

TEST(MaskedGenerator, RefusesConditionsThatTheSchemaDoesNotAllow) {
  const MaskedWorld world;
  const auto generator = Open(world.schema, RandomModel(world)).value();
  const double infinity = std::numeric_limits<double>::infinity();
  const GivenValue wrong[] = {{9, 0.0, 0},      {0, -1.0, 0},      {0, 1001.0, 0},      {0, 1.5, 0},
                              {0, infinity, 0}, {1, 0.0, 4},       {2, 0.0, 2},         {2, 0.0, 65535},
                              {3, 5.0001, 0},   {3, -infinity, 0}, {3, std::nan(""), 0}};
  for (const GivenValue& value : wrong) {
    const Result<Table> rows = generator->Block(1, 0, 5, std::span(&value, 1));
    ASSERT_FALSE(rows.ok());
    EXPECT_EQ(rows.error().code, ErrorCode::kBadInput);
  }
  const GivenValue twice[] = {{2, 0.0, 0}, {2, 0.0, 1}};
  EXPECT_FALSE(generator->Block(1, 0, 5, twice).ok());
}

TEST(MaskedGenerator, RefusesASecondThatIsNotWhole) {
  const auto schema = testing::SchemaOf({testing::Number("day", ColumnType::kDatetime, 0, 86400.0 * 900)});
  const std::vector<tabular::PublicGrid> grids = tabular::GridsOf(*schema);
  Options options;
  options.steps = options.batch = 1;
  options.learning_rate = 0.01;
  GeneratorModel model;
  model.options = options.ToJson();
  const MaskedShape shape(grids, options);
  model.parameters.assign(static_cast<std::size_t>(shape.parameters()), 0.0F);
  model.state = StateJson(EncodeContext(1.0, std::vector<float>(grids[0].cells(), 1.0F)),
                          std::vector<float>(shape.slots(), 0.0F));
  const auto generator = Open(schema, model).value();
  EXPECT_TRUE(generator->Block(1, 0, 500, {}).ok());
  const GivenValue half[] = {{0, 0.5, 0}};
  const Result<Table> rows = generator->Block(1, 0, 5, half);
  ASSERT_FALSE(rows.ok());
  EXPECT_NE(rows.error().message.find("condition"), std::string::npos) << rows.error().message;
}

TEST(MaskedGenerator, RefusesADamagedStateAndDoesNotCrash) {
  const MaskedWorld world;
  const GeneratorModel good = RandomModel(world);
  ASSERT_TRUE(Open(world.schema, good).ok());
  const auto refuses = [&](const char* what, auto damage) {
    GeneratorModel model = good;
    damage(model);
    const Result<std::unique_ptr<Generator>> opened = Open(world.schema, model);
    ASSERT_FALSE(opened.ok()) << what;
    EXPECT_EQ(opened.error().code, ErrorCode::kBadInput) << what;
  };
  refuses("state is a list", [](GeneratorModel& m) { m.state = Json::array(); });
  refuses("state is nothing", [](GeneratorModel& m) { m.state = Json(); });
  refuses("no histogram", [](GeneratorModel& m) { m.state.erase("histogram"); });
  refuses("no offsets", [](GeneratorModel& m) { m.state.erase("offsets"); });
  refuses("a further key", [](GeneratorModel& m) { m.state["more"] = 1; });
  refuses("histogram is a text", [](GeneratorModel& m) { m.state["histogram"] = "1"; });
  refuses("a count is a text", [](GeneratorModel& m) { m.state["histogram"][3] = "1"; });
  refuses("a count is NaN", [](GeneratorModel& m) { m.state["histogram"][3] = std::nan(""); });
  refuses("a count is beyond a float", [](GeneratorModel& m) { m.state["histogram"][3] = 1e300; });
  refuses("sigma is zero", [](GeneratorModel& m) { m.state["histogram"][0] = 0.0; });
  refuses("a count too few", [](GeneratorModel& m) { m.state["histogram"].erase(0); });
  refuses("a count too many", [](GeneratorModel& m) { m.state["histogram"].push_back(1.0); });
  refuses("an offset too few", [](GeneratorModel& m) { m.state["offsets"].erase(0); });
  refuses("an offset is null", [](GeneratorModel& m) { m.state["offsets"][0] = Json(); });
  refuses("a parameter too few", [](GeneratorModel& m) { m.parameters.pop_back(); });
  refuses("a parameter too many", [](GeneratorModel& m) { m.parameters.push_back(0.0F); });
  refuses("no parameter", [](GeneratorModel& m) { m.parameters.clear(); });
  refuses("a parameter is NaN", [](GeneratorModel& m) { m.parameters[5] = std::nanf(""); });
  refuses("a parameter is infinite", [](GeneratorModel& m) { m.parameters[5] = INFINITY; });
  refuses("options of another network", [](GeneratorModel& m) { m.options["hidden"] = 9; });
  refuses("options are nothing", [](GeneratorModel& m) { m.options = Json(); });
}

TEST(MaskedGenerator, StaysWithinTheSchemaWithTheWorstNumbersThatAFloatHolds) {
  const MaskedWorld world;
  PublicRandom random(52, "worst");
  for (int round = 0; round < 12; ++round) {
    GeneratorModel model = RandomModel(world);
    const float size = round % 3 == 0 ? 3e38F : round % 3 == 1 ? 1e20F : 1e-40F;
    for (float& value : model.parameters) value = random.IntegerBelow(2) == 0 ? size : -size;
    for (Json& count : model.state["histogram"]) count = (random.Uniform() - 0.5) * static_cast<double>(size);
    for (Json& offset : model.state["offsets"]) offset = (random.Uniform() - 0.5) * static_cast<double>(size);
    model.state["histogram"][0] = 1.0;
    model.state["histogram"][1] = 0.0;
    const auto generator = Open(world.schema, model).value();
    const Result<Table> rows = generator->Block(1, 0, 200, {});
    EXPECT_TRUE(rows.ok()) << rows.error().message;
  }
}

TEST(MaskedGenerator, DoesNotOpenOnAnotherSchema) {
  const MaskedWorld world;
  EXPECT_FALSE(Open(testing::SchemaOf({testing::Categories("kind", 3)}), RandomModel(world)).ok());
}

}  // namespace
}  // namespace synod::table_diffusion
