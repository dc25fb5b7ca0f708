#include "models/attention/generator.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "models/attention/trainer.h"
#include "tests/statistical/chi_square.h"
#include "tests/unit/attention/attention_fixture.h"

namespace synod::attention {
namespace {

using testing::AttentionWorld;
using testing::SmallAttention;

Result<std::unique_ptr<Generator>> Open(const AttentionWorld& world, const GeneratorModel& model) {
  return AttentionGenerator::Open(world.schema, model);
}

// [slot]: the share of each component among what was drawn.
std::vector<double> DrawnComponents(const AttentionWorld& world, const Sampler& sampler, std::size_t rows) {
  PublicRandom random(65, "draw");
  std::vector<double> shares(world.shape.slots(), 0.0);
  std::vector<std::uint16_t> cells(world.shape.columns());
  Sampler::Workspace work = sampler.MakeWorkspace();
  for (std::size_t row = 0; row < rows; ++row) {
    sampler.DrawRow(random, {}, work, cells);
    for (std::size_t j = 0; j < cells.size(); ++j) {
      for (const ColumnCode::Part& part : world.codes[j].parts(cells[j])) {
        shares[world.shape.first_slot[j] + part.component] += static_cast<double>(part.share);
      }
    }
  }
  for (double& share : shares) share /= static_cast<double>(rows);
  return shares;
}

double WorstDistance(const AttentionWorld& world, const std::vector<double>& shares) {
  double worst = 0.0;
  for (std::size_t j = 0; j < world.codes.size(); ++j) {
    double distance = 0.0;
    for (std::size_t m = 0; m < world.codes[j].components(); ++m) {
      distance += 0.5 * std::abs(world.codes[j].base()[m] - shares[world.shape.first_slot[j] + m]);
    }
    worst = std::max(worst, distance);
  }
  return worst;
}

// Fixed seed; columns within 5 standard deviations: a false alarm in about 10^6 seeds.
TEST(AttentionSampler, StartsAtTheNoisyOneWayShares) {
  for (const Decoding decoding : {Decoding::kOneByOne, Decoding::kTogether}) {
    const AttentionWorld world(SmallAttention(decoding, 3));
    const std::vector<float> parameters =
        InitialParameters(world.shape, world.options, LayoutFor(world.grids, world.options).value(), 4);
    const Sampler sampler(world.shape, world.options, world.codes, parameters,
                          std::vector<float>(world.shape.slots(), 0.0F));
    PublicRandom random(66, "draw");
    Sampler::Workspace work = sampler.MakeWorkspace();
    std::vector<std::uint16_t> cells(world.shape.columns());
    std::vector<std::vector<double>> observed;
    for (const ColumnCode& code : world.codes) observed.emplace_back(code.cells(), 0.0);
    constexpr int kRows = 30000;
    for (int row = 0; row < kRows; ++row) {
      sampler.DrawRow(random, {}, work, cells);
      for (std::size_t j = 0; j < cells.size(); ++j) observed[j][cells[j]] += 1.0;
    }
    for (std::size_t j = 0; j < world.codes.size(); ++j) {
      std::vector<double> expected(world.codes[j].cells(), 0.0);
      for (std::size_t cell = 0; cell < expected.size(); ++cell) {
        for (const ColumnCode::Part& part : world.codes[j].parts(cell)) {
          expected[cell] += kRows * world.codes[j].base()[part.component] * static_cast<double>(part.mass);
        }
      }
      EXPECT_LT(std::abs(statistical::ChiSquareDeviations(observed[j], expected)), 5.0) << "column " << j;
    }
  }
}

TEST(AttentionSampler, IsPulledToTheNoisySharesByCalibration) {
  for (const Decoding decoding : {Decoding::kOneByOne, Decoding::kTogether}) {
    const AttentionWorld world(SmallAttention(decoding, 2));
    const std::vector<float> parameters = world.Parameters(0.7);  // a network that says wrong things about everything
    Sampler sampler(world.shape, world.options, world.codes, parameters, std::vector<float>(world.shape.slots(), 0.0F));
    const double before = WorstDistance(world, DrawnComponents(world, sampler, 8000));
    sampler.Calibrate(1, 10, 4000);
    EXPECT_GT(before, 0.2);
    EXPECT_LT(WorstDistance(world, DrawnComponents(world, sampler, 8000)), 0.06);
  }
}

TEST(AttentionGenerator, KeepsConditionsExactlyWithoutALatentVector) {
  const AttentionWorld world(SmallAttention(Decoding::kOneByOne, 0));
  const auto generator = Open(world, world.Model(world.Parameters(0.5))).value();
  const GivenValue given[] = {{0, 250.0, 0}, {1, 0.0, 3}, {3, 1.25, 0}};
  const Table rows = generator->Block(1, 0, 200, given).value();
  for (std::size_t row = 0; row < 200; ++row) {
    ASSERT_EQ(rows.column(0).numbers[row], 250.0);
    ASSERT_TRUE(rows.IsMissing(1, row));
    ASSERT_EQ(rows.column(3).numbers[row], 1.25);
  }
  const double infinity = std::numeric_limits<double>::infinity();
  const GivenValue wrong[] = {{9, 0.0, 0}, {0, -1.0, 0}, {0, 1.5, 0},    {0, infinity, 0},
                              {1, 0.0, 4}, {2, 0.0, 2},  {3, 5.0001, 0}, {3, std::nan(""), 0}};
  for (const GivenValue& value : wrong) {
    const Result<Table> refused = generator->Block(1, 0, 5, std::span(&value, 1));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kBadInput);
  }
  const GivenValue twice[] = {{2, 0.0, 0}, {2, 0.0, 1}};
  EXPECT_FALSE(generator->Block(1, 0, 5, twice).ok());
}

TEST(AttentionGenerator, RefusesConditionsThatItsLatentVectorDoesNotKnow) {
  for (const Decoding decoding : {Decoding::kOneByOne, Decoding::kTogether}) {
    const AttentionWorld world(SmallAttention(decoding, 2));
    const auto generator = Open(world, world.Model(world.Parameters(0.5))).value();
    const GivenValue given[] = {{2, 0.0, 1}};
    const Result<Table> rows = generator->Block(1, 0, 5, given);
    ASSERT_FALSE(rows.ok());
    EXPECT_NE(rows.error().message.find("latent"), std::string::npos) << rows.error().message;
  }
}

Column RandomColumn(PublicRandom& random, std::size_t index) {
  const std::string name = fmt::format("c{}", index);
  const double low = std::floor(200.0 * (random.Uniform() - 0.5));
  const auto range = static_cast<double>(random.IntegerBelow(5) == 0 ? 0 : random.IntegerBelow(3000));
  const std::uint64_t kind = random.IntegerBelow(4);
  Column column =
      kind < 2 ? testing::Categories(name, 1 + random.IntegerBelow(kind == 0 ? 4 : 60))
               : testing::Number(name, kind == 2 ? ColumnType::kInteger : ColumnType::kContinuous, low, low + range);
  column.missing_allowed = random.IntegerBelow(2) == 0;
  if (kind == 3) column.decimals = static_cast<int>(random.IntegerBelow(4)) - 1;
  return column;
}

// Table::Create inside the generator checks every cell against the schema.
TEST(AttentionGenerator, SatisfiesRandomSchemasWithRandomNetworks) {
  PublicRandom random(67, "schemas");
  for (int round = 0; round < 40; ++round) {
    std::vector<Column> columns;
    const std::size_t count = 1 + random.IntegerBelow(8);
    for (std::size_t j = 0; j < count; ++j) columns.push_back(RandomColumn(random, j));
    const bool together = round % 3 == 0;
    const AttentionWorld world(
        SmallAttention(together ? Decoding::kTogether : Decoding::kOneByOne, round % 3 == 1 ? 0 : 3),
        testing::SchemaOf(std::move(columns)));
    const auto generator =
        Open(world, world.Model(world.Parameters(round % 4 == 0 ? 20.0 : 0.5, static_cast<std::uint64_t>(round))));
    ASSERT_TRUE(generator.ok()) << generator.error().message;
    const Result<Table> rows = (*generator)->Block(1, 0, 200, {});
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    EXPECT_EQ(rows->rows(), 200U);
  }
}

TEST(AttentionGenerator, StaysWithinTheSchemaWithTheWorstNumbersThatAFloatHolds) {
  const AttentionWorld world(SmallAttention());
  PublicRandom random(68, "worst");
  for (int round = 0; round < 12; ++round) {
    const float size = round % 3 == 0 ? 3e38F : round % 3 == 1 ? 1e20F : 1e-40F;
    std::vector<float> parameters = world.Parameters(1.0);
    for (float& value : parameters) value = random.IntegerBelow(2) == 0 ? size : -size;
    GeneratorModel model = world.Model(std::move(parameters));
    for (Json& count : model.state["histogram"]) count = (random.Uniform() - 0.5) * static_cast<double>(size);
    for (Json& offset : model.state["offsets"]) offset = (random.Uniform() - 0.5) * static_cast<double>(size);
    model.state["histogram"][0] = 1.0;
    model.state["histogram"][1] = 0.0;
    const auto generator = Open(world, model).value();
    const Result<Table> rows = generator->Block(1, 0, 200, {});
    EXPECT_TRUE(rows.ok()) << rows.error().message;
  }
}

TEST(AttentionGenerator, RefusesADamagedModelAndDoesNotCrash) {
  const AttentionWorld world(SmallAttention());
  const GeneratorModel good = world.Model(world.Parameters(0.5));
  ASSERT_TRUE(Open(world, good).ok());
  const auto refuses = [&](const char* what, auto damage) {
    GeneratorModel model = good;
    damage(model);
    const Result<std::unique_ptr<Generator>> opened = Open(world, model);
    ASSERT_FALSE(opened.ok()) << what;
    EXPECT_EQ(opened.error().code, ErrorCode::kBadInput) << what;
  };
  refuses("state is a list", [](GeneratorModel& m) { m.state = Json::array(); });
  refuses("state is nothing", [](GeneratorModel& m) { m.state = Json(); });
  refuses("no histogram", [](GeneratorModel& m) { m.state.erase("histogram"); });
  refuses("no offsets", [](GeneratorModel& m) { m.state.erase("offsets"); });
  refuses("a further key", [](GeneratorModel& m) { m.state["more"] = 1; });
  refuses("histogram is a text", [](GeneratorModel& m) { m.state["histogram"] = "1"; });
  refuses("a count is NaN", [](GeneratorModel& m) { m.state["histogram"][3] = std::nan(""); });
  refuses("a count is beyond a float", [](GeneratorModel& m) { m.state["histogram"][3] = 1e300; });
  refuses("sigma is zero", [](GeneratorModel& m) { m.state["histogram"][0] = 0.0; });
  refuses("a count too few", [](GeneratorModel& m) { m.state["histogram"].erase(0); });
  refuses("an offset too few", [](GeneratorModel& m) { m.state["offsets"].erase(0); });
  refuses("an offset is null", [](GeneratorModel& m) { m.state["offsets"][0] = Json(); });
  refuses("a parameter too few", [](GeneratorModel& m) { m.parameters.pop_back(); });
  refuses("a parameter too many", [](GeneratorModel& m) { m.parameters.push_back(0.0F); });
  refuses("no parameter", [](GeneratorModel& m) { m.parameters.clear(); });
  refuses("a parameter is NaN", [](GeneratorModel& m) { m.parameters[5] = std::nanf(""); });
  refuses("options of another network", [](GeneratorModel& m) { m.options["hidden"] = 9; });
  refuses("options are nothing", [](GeneratorModel& m) { m.options = Json(); });
  EXPECT_FALSE(AttentionGenerator::Open(testing::SchemaOf({testing::Categories("kind", 3)}), good).ok());
}

TEST(AttentionGenerator, OpensAModelOutOfAFileWhichHasNoLayout) {
  const AttentionWorld world(SmallAttention());
  GeneratorModel model = world.Model(world.Parameters(0.5));
  model.layout = ParameterLayout();
  EXPECT_TRUE(Open(world, model).ok());
}

}  // namespace
}  // namespace synod::attention
