#include "models/wgan/row_generator.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "models/gradient_family/entries.h"
#include "models/gradient_family/model_values.h"
#include "tests/unit/wgan/wgan_fixture.h"

namespace synod::wgan {
namespace {

using testing::WganWorld;

// A generator with random weights: what it draws is nonsense, but must be sound nonsense.
GeneratorModel ModelFor(const std::vector<tabular::PublicGrid>& grids, const Options& options, std::uint64_t seed,
                        double size = 1.0) {
  const Shape shape(grids, options);
  PublicRandom random(seed, "test.model");
  GeneratorModel model;
  model.family = "wgan";
  model.options = options.ToJson();
  model.layout = gradient_family::LayoutOf(shape.generator_builder).value();
  model.parameters.resize(model.layout.size());
  random.FillNormal(model.parameters);
  for (float& value : model.parameters) value *= static_cast<float>(size);
  std::vector<float> counts;
  for (const tabular::PublicGrid& grid : grids) {
    for (std::size_t cell = 0; cell < grid.cells(); ++cell) {
      counts.push_back(static_cast<float>(100.0 * (random.Uniform() - 0.2)));
    }
  }
  model.state = {{"histogram", gradient_family::FloatsToJson(gradient_family::EncodeContext(2.0, counts))},
                 {"offsets", gradient_family::FloatsToJson(std::vector<float>(shape.slots(), 0.1F))}};
  return model;
}

Column AnyColumn(std::size_t index, PublicRandom& random) {
  const std::string name = fmt::format("c{}", index);
  const double low = std::round(200.0 * (random.Uniform() - 0.5));
  const std::uint64_t kind = random.IntegerBelow(5);
  Column column =
      kind == 0   ? testing::Categories(name, 1 + random.IntegerBelow(40))
      : kind == 1 ? testing::Categories(name, 2)
      : kind == 2 ? testing::Number(name, ColumnType::kInteger, low, low + std::floor(20.0 * random.Uniform()))
      : kind == 3 ? testing::Number(name, ColumnType::kInteger, low, low + std::floor(1e5 * random.Uniform()))
                  : testing::Number(name, ColumnType::kContinuous, low, low + 10.0 * random.Uniform());
  column.missing_allowed = random.IntegerBelow(3) == 0 && !(column.type == ColumnType::kBinary);
  if (kind == 4 && random.IntegerBelow(2) == 0) column.decimals = 1;
  if (column.decimals == 1) column.maximum = std::ceil(column.maximum);
  if (kind >= 2 && random.IntegerBelow(3) == 0) column.special_values = {column.minimum};
  return column;
}

// Table::Create inside the generator checks every cell against the schema.
TEST(WganRows, SatisfyTheSchemaAlways) {
  PublicRandom random(31, "test.schemas");
  for (std::uint64_t round = 0; round < 60; ++round) {
    std::vector<Column> columns;
    const std::size_t count = 1 + random.IntegerBelow(8);
    for (std::size_t j = 0; j < count; ++j) columns.push_back(AnyColumn(j, random));
    const auto schema = testing::SchemaOf(columns);
    const double size = round % 3 == 0 ? 1.0 : round % 3 == 1 ? 100.0 : 1e-3;
    const GeneratorModel model = ModelFor(tabular::GridsOf(*schema), WganWorld::SmallOptions(), round, size);
    const auto generator = RowGenerator::Open(schema, model);
    ASSERT_TRUE(generator.ok()) << generator.error().message;
    const Result<Table> rows = (*generator)->Block(round, 0, 300, {});
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    EXPECT_EQ(rows->rows(), 300U);
  }
}

TEST(WganRows, StayWithinTheSchemaWithTheWorstNumbersThatAFloatHolds) {
  const auto schema = testing::MixedSchema();
  const std::vector<tabular::PublicGrid> grids = tabular::GridsOf(*schema);
  PublicRandom random(52, "worst");
  for (const float size : {3e38F, 1e20F, 1e-40F}) {
    GeneratorModel model = ModelFor(grids, WganWorld::SmallOptions(), 1);
    for (float& value : model.parameters) value = random.IntegerBelow(2) == 0 ? size : -size;
    for (Json& count : model.state["histogram"]) count = (random.Uniform() - 0.5) * static_cast<double>(size);
    for (Json& offset : model.state["offsets"]) offset = (random.Uniform() - 0.5) * static_cast<double>(size);
    model.state["histogram"][0] = 1.0;
    model.state["histogram"][1] = 0.0;
    const auto generator = RowGenerator::Open(schema, model);
    ASSERT_TRUE(generator.ok()) << generator.error().message;
    const Result<Table> rows = (*generator)->Block(1, 0, 200, {});
    EXPECT_TRUE(rows.ok()) << rows.error().message;
  }
}

TEST(WganRows, OfALongBlockBeginWithThoseOfAShortOne) {
  const auto schema = testing::MixedSchema();
  const GeneratorModel model = ModelFor(tabular::GridsOf(*schema), WganWorld::SmallOptions(), 1);
  const auto generator = RowGenerator::Open(schema, model).value();
  const Table whole = generator->Block(7, 3, Generator::kBlockRows, {}).value();
  for (const std::size_t rows : {std::size_t{0}, std::size_t{1}, std::size_t{255}, std::size_t{257}}) {
    const Table part = generator->Block(7, 3, rows, {}).value();
    ASSERT_EQ(part.rows(), rows);
    for (std::size_t row = 0; row < rows; ++row) {
      ASSERT_EQ(part.column(1).codes[row], whole.column(1).codes[row]);
      ASSERT_EQ(part.column(3).numbers[row], whole.column(3).numbers[row]);
    }
  }
}

TEST(WganRows, AreDrawnFromAModelWithoutItsLayoutAsFilesHaveIt) {
  const auto schema = testing::MixedSchema();
  GeneratorModel model = ModelFor(tabular::GridsOf(*schema), WganWorld::SmallOptions(), 1);
  model.layout = {};
  EXPECT_TRUE(RowGenerator::Open(schema, model).ok());
}

TEST(WganRows, RefuseConditionsWithTheReason) {
  const auto schema = testing::MixedSchema();
  const auto generator =
      RowGenerator::Open(schema, ModelFor(tabular::GridsOf(*schema), WganWorld::SmallOptions(), 1)).value();
  const GivenValue given[] = {{2, 0.0, 1}};
  const Result<Table> rows = generator->Block(1, 0, 5, given);
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, ErrorCode::kBadInput);
  EXPECT_NE(rows.error().message.find("condition"), std::string::npos);
}

TEST(WganRows, AreNotDrawnFromADamagedModel) {
  const auto schema = testing::MixedSchema();
  const GeneratorModel good = ModelFor(tabular::GridsOf(*schema), WganWorld::SmallOptions(), 1);
  ASSERT_TRUE(RowGenerator::Open(schema, good).ok());
  const auto refuses = [&](const char* what, auto damage) {
    GeneratorModel model = good;
    damage(model);
    const Result<std::unique_ptr<Generator>> opened = RowGenerator::Open(schema, model);
    ASSERT_FALSE(opened.ok()) << what;
    EXPECT_EQ(opened.error().code, ErrorCode::kBadInput) << what;
  };
  refuses("state is a list", [](GeneratorModel& m) { m.state = Json::array(); });
  refuses("state is nothing", [](GeneratorModel& m) { m.state = Json(); });
  refuses("no histogram", [](GeneratorModel& m) { m.state.erase("histogram"); });
  refuses("another key", [](GeneratorModel& m) { m.state["more"] = 1; });
  refuses("a count is a text", [](GeneratorModel& m) { m.state["histogram"][3] = "1"; });
  refuses("a count is NaN", [](GeneratorModel& m) { m.state["histogram"][3] = std::nan(""); });
  refuses("sigma is zero", [](GeneratorModel& m) { m.state["histogram"][0] = 0.0; });
  refuses("a count too few", [](GeneratorModel& m) { m.state["histogram"].erase(4); });
  refuses("an offset too few", [](GeneratorModel& m) { m.state["offsets"].erase(0); });
  refuses("an offset is beyond a float", [](GeneratorModel& m) { m.state["offsets"][0] = 1e300; });
  refuses("a parameter too few", [](GeneratorModel& m) { m.parameters.pop_back(); });
  refuses("a parameter too many", [](GeneratorModel& m) { m.parameters.push_back(0.0F); });
  refuses("a parameter is infinite", [](GeneratorModel& m) { m.parameters[5] = INFINITY; });
  refuses("options of another network", [](GeneratorModel& m) { m.options["latent"] = 9; });
  refuses("options are nothing", [](GeneratorModel& m) { m.options = Json(); });
  EXPECT_FALSE(RowGenerator::Open(testing::SchemaOf({testing::Categories("kind", 3)}), good).ok());
}

}  // namespace
}  // namespace synod::wgan
