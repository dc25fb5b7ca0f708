#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "common/privacy/plan_readings.h"
#include "common/query/clipped_summer.h"
#include "common/query/noise_share.h"
#include "common/query/sum_accumulator.h"
#include "common/query/words.h"
#include "models/family_table.h"
#include "models/independent_columns/contribution.h"
#include "models/independent_columns/generator.h"
#include "models/independent_columns/plan.h"
#include "models/independent_columns/trainer.h"
#include "models/tabular/histogram_sum.h"
#include "tests/statistical/chi_square.h"
#include "tests/support/deterministic_random.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::independent_columns {
namespace {

using ::testing::HasSubstr;

testing::RunRequest Request(const std::string& model = "", std::uint64_t units = 400) {
  return {testing::MixedSchema(), units, model, 3.0, 1, "independent_columns", Aggregation::kNone};
}

Result<ComputeModule*> NoCompute() {
  return Failed("this family must not ask for LibTorch");
}

std::shared_ptr<const UnitTable> RandomUnits(const std::shared_ptr<const Schema>& schema, std::size_t rows) {
  return std::make_shared<const UnitTable>(
      UnitTable::Records(std::make_shared<const Table>(testing::RandomTable(schema, rows, 5))));
}

std::vector<double> TrueCounts(const std::vector<tabular::PublicGrid>& grids, const Table& table) {
  const std::vector<std::vector<std::uint16_t>> cells = tabular::CellsOf(table, grids);
  std::vector<double> counts;
  for (std::size_t j = 0; j < grids.size(); ++j) {
    std::vector<double> own(grids[j].cells());
    for (const std::uint16_t cell : cells[j]) own[cell] += 1.0;
    counts.insert(counts.end(), own.begin(), own.end());
  }
  return counts;
}

// The model that training makes of one site's units, with noise from a fixed seed.
GeneratorModel Trained(const ResolvedRun& resolved, const std::shared_ptr<const UnitTable>& units) {
  const PlanEntry& entry = resolved.run.plan->entries()[0];
  const Grid grid = Grid::Make(entry.grid_scale, entry.clip, entry.dimension).value();
  const WordBits bits = WordBitsFromNumber(entry.word_bits).value();
  const auto contribution =
      synod::MakeContribution(resolved.run, units, SecretRandomForTestsOnly::FromSeed(1), &NoCompute).value();
  const auto trainer = MakeTrainer(resolved.run).value();
  SecretRandom noise = SecretRandomForTestsOnly::FromSeed(2);
  std::vector<std::uint32_t> everybody(units->size());
  std::iota(everybody.begin(), everybody.end(), 0U);
  std::vector<std::uint64_t> left = {entry.allowed()};
  while (const std::optional<Query> query = trainer->Next(left)) {
    ClippedSum sum = contribution->Sum(*query, testing::Blocks(everybody, contribution->UnitsPerBlock(*query))).value();
    SumAccumulator total(grid, bits);
    total.Add(NoiseShare::Make(grid, entry.site_variance, 1).value().Add(grid.Encode(std::move(sum)), noise));
    EXPECT_TRUE(trainer->Absorb(*query, std::move(total).Finish()).ok());
    --left[0];
  }
  return trainer->Finish().value();
}

TEST(IndependentColumns, AskOneHistogramOfEveryColumnOverAllUnits) {
  const ResolvedRun resolved = testing::Resolve(Request());
  const Plan& plan = *resolved.run.plan;
  ASSERT_EQ(plan.entries().size(), 1U);
  EXPECT_EQ(plan.entries()[0].sampling_rate, 1.0);
  EXPECT_EQ(plan.entries()[0].count, 1U);
  EXPECT_DOUBLE_EQ(plan.entries()[0].clip, std::sqrt(4.0)) << "four columns, each counts a unit once";
  EXPECT_EQ(plan.entries()[0].dimension, resolved.layout.size());
  EXPECT_LE(PlanEpsilon(plan)->upper, 3.0);
  EXPECT_GT(PlanEpsilon(plan)->upper, 2.97) << "the whole budget is used";
  EXPECT_FALSE(FamilyStatement("independent_columns").empty());
}

TEST(IndependentColumns, RefuseOptionsThatWouldDoNothing) {
  for (const char* model : {"rounds = 0", "rounds = 1001", "rounds = 1.5", "rounds = \"2\"", "steps = 3"}) {
    EXPECT_FALSE(testing::TryPlan(Request(model)).ok()) << model;
  }
  const Result<FamilyPlan> budget = testing::TryPlan(Request("[budget]\ntransforms = 0.2\ntraining = 0.8"));
  ASSERT_FALSE(budget.ok());
  EXPECT_THAT(budget.error().message, HasSubstr("[budget]"));
  for (const Json& json : {Json{{"rounds", 0}}, Json{{"rounds", 1001}}, Json{{"rounds", "1"}}, Json{{"rounds", 1.0}},
                           Json{{"rounds", 1}, {"more", 1}}, Json::object(), Json(3), Json(nullptr)}) {
    EXPECT_FALSE(Options::FromJson(json).ok()) << json;
  }
  EXPECT_EQ(Options::FromJson(Options{17}.ToJson())->rounds, 17U);
}

// Two answers of half the budget are as good as one of all of it, and no better.
TEST(IndependentColumns, RoundsSplitTheBudgetAndTheirAverageIsAsNoisyAsOneAnswer) {
  const auto averaged_variance = [](const std::string& model) {
    const PlanEntry entry = testing::Resolve(Request(model)).run.plan->entries()[0];
    return static_cast<double>(entry.site_variance) / (entry.grid_scale * entry.grid_scale) /
           static_cast<double>(entry.allowed());
  };
  const double one = averaged_variance("");
  EXPECT_NEAR(averaged_variance("rounds = 7\n"), one, 0.02 * one);
  EXPECT_NEAR(averaged_variance("rounds = 200\n"), one, 0.02 * one);
}

TEST(IndependentColumns, TheSumIsTheHistogramAndNothingElse) {
  const ResolvedRun resolved = testing::Resolve(Request());
  const auto units = RandomUnits(resolved.run.schema, 300);
  const auto contribution = MakeContribution(resolved.run, units).value();
  std::vector<std::uint32_t> everybody(units->size());
  std::iota(everybody.begin(), everybody.end(), 0U);
  const Query query;
  const BlockedBatch batch = testing::Blocks(everybody, contribution->UnitsPerBlock(query));
  const std::vector<double> sum =
      testing::Reveal(contribution->Sum(query, batch).value(), resolved.run.plan->entries()[0].clip);
  const std::vector<double> counts = TrueCounts(tabular::GridsOf(*resolved.run.schema), units->table());
  ASSERT_EQ(sum.size(), counts.size());
  for (std::size_t i = 0; i < sum.size(); ++i) EXPECT_NEAR(sum[i], counts[i], 1e-6);
}

TEST(IndependentColumns, RefuseAQueryThatCarriesValuesOrIsOfAnotherKind) {
  const ResolvedRun resolved = testing::Resolve(Request());
  const auto contribution = MakeContribution(resolved.run, RandomUnits(resolved.run.schema, 10)).value();
  Query query;
  query.parameters = {1.0F};
  EXPECT_EQ(contribution->Sum(query, {}).error().code, ErrorCode::kBadInput);
  query = Query{};
  query.context = {1.0F};
  EXPECT_EQ(contribution->Sum(query, {}).error().code, ErrorCode::kBadInput);
  query = Query{};
  query.kind = QueryKind::kGradient;
  EXPECT_EQ(contribution->Sum(query, {}).error().code, ErrorCode::kBadInput);
}

TEST(IndependentColumns, AreNotMadeForARunOfAnotherFamily) {
  const ResolvedRun other = testing::Resolve({testing::MixedSchema(), 400, "steps = 5\nbatch = 50\nhidden = 4\n"});
  EXPECT_FALSE(MakeContribution(other.run, RandomUnits(other.run.schema, 10)).ok());
  EXPECT_FALSE(MarginalTrainer::Make(other.run).ok());
}

TEST(IndependentColumns, AskEveryAnswerThatIsPaidForAndKnowTheirNoise) {
  const ResolvedRun resolved = testing::Resolve(Request("rounds = 3\n"));
  const PlanEntry& entry = resolved.run.plan->entries()[0];
  ASSERT_EQ(entry.allowed(), 4U);
  const auto units = RandomUnits(resolved.run.schema, 400);
  const GeneratorModel model = Trained(resolved, units);
  const double sigma = std::sqrt(static_cast<double>(entry.site_variance) / 4.0) / entry.grid_scale;
  EXPECT_NEAR(model.state["sigma"].get<double>(), sigma, 1e-9 * sigma);
  // The counts are off by the noise of the average: a chi-square test, false alarms below 1e-6.
  const std::vector<double> counts = TrueCounts(tabular::GridsOf(*resolved.run.schema), units->table());
  double squares = 0.0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    squares += std::pow((static_cast<double>(model.parameters[i]) - counts[i]) / sigma, 2);
  }
  const double n = static_cast<double>(counts.size());
  EXPECT_NEAR((squares - n) / std::sqrt(2.0 * n), 0.0, 5.5);
}

TEST(IndependentColumns, WithoutAnAnswerThereIsNoModel) {
  const ResolvedRun resolved = testing::Resolve(Request());
  const auto trainer = MarginalTrainer::Make(resolved.run).value();
  EXPECT_FALSE(trainer->Next(std::vector<std::uint64_t>{0}).has_value());
  EXPECT_FALSE(trainer->Finish().ok());
}

// Every column's rows follow its noisy marginal. Fixed seed; a column is off by more than 5.2 deviations with
// probability below 1e-6 where the sampler is right.
TEST(IndependentColumns, RowsFollowTheNoisyMarginals) {
  const ResolvedRun resolved = testing::Resolve(Request("", 4000));
  const auto units = RandomUnits(resolved.run.schema, 4000);
  const GeneratorModel model = Trained(resolved, units);
  const auto generator = OpenGenerator(resolved.run.schema, model, &NoCompute).value();
  const std::vector<tabular::PublicGrid> grids = tabular::GridsOf(*resolved.run.schema);
  const auto transform =
      tabular::TokenTransform::FromHistogram(grids, model.parameters, model.state["sigma"].get<double>(), {});
  constexpr std::size_t kBlocks = 10;
  std::vector<double> drawn(model.parameters.size());
  for (std::size_t block = 0; block < kBlocks; ++block) {
    const std::vector<double> counts = TrueCounts(grids, generator->Block(9, block, Generator::kBlockRows, {}).value());
    for (std::size_t i = 0; i < drawn.size(); ++i) drawn[i] += counts[i];
  }
  const std::vector<double> real = TrueCounts(grids, units->table());
  std::size_t offset = 0;
  for (std::size_t j = 0; j < grids.size(); ++j) {
    const std::vector<double>& share = transform.column(j).cell_probability;
    std::vector<double> observed;
    std::vector<double> expected;
    double distance = 0.0;
    for (std::size_t cell = 0; cell < share.size(); ++cell) {
      observed.push_back(drawn[offset + cell]);
      expected.push_back(share[cell] * kBlocks * Generator::kBlockRows);
      distance +=
          0.5 * std::abs(drawn[offset + cell] / (kBlocks * Generator::kBlockRows) - real[offset + cell] / 4000.0);
      EXPECT_TRUE(share[cell] > 0.0 || drawn[offset + cell] == 0.0) << "a cell without a share is never drawn";
    }
    EXPECT_LT(std::abs(statistical::ChiSquareDeviations(observed, expected)), 5.2) << "column " << j;
    EXPECT_LT(distance, 0.08) << "column " << j << " is far from the records that it came from";
    offset += share.size();
  }
}

TEST(IndependentColumns, EqualSeedsGiveEqualRowsAndAConditionSetsItsColumnAlone) {
  const ResolvedRun resolved = testing::Resolve(Request());
  const auto generator =
      OpenGenerator(resolved.run.schema, Trained(resolved, RandomUnits(resolved.run.schema, 400)), &NoCompute).value();
  const Table one = generator->Block(3, 2, 200, {}).value();
  const Table same = generator->Block(3, 2, 200, {}).value();
  const Table other = generator->Block(3, 3, 200, {}).value();
  GivenValue given;
  given.column = 1;
  given.code = 2;
  const Table where = generator->Block(3, 2, 200, std::vector<GivenValue>{given}).value();
  EXPECT_EQ(one.column(3).numbers, same.column(3).numbers);
  EXPECT_NE(one.column(3).numbers, other.column(3).numbers);
  EXPECT_EQ(where.column(3).numbers, one.column(3).numbers);
  for (std::size_t row = 0; row < 200; ++row) ASSERT_EQ(where.column(1).codes[row], 2);
  EXPECT_FALSE(generator->Block(3, 2, 5, std::vector<GivenValue>{given, given}).ok());
  given.code = 99;
  EXPECT_FALSE(generator->Block(3, 2, 5, std::vector<GivenValue>{given}).ok());
  given.column = 77;
  EXPECT_FALSE(generator->Block(3, 2, 5, std::vector<GivenValue>{given}).ok());
}

TEST(IndependentColumns, AModelThatDoesNotFitItsSchemaIsRefused) {
  const ResolvedRun resolved = testing::Resolve(Request());
  const GeneratorModel good = Trained(resolved, RandomUnits(resolved.run.schema, 50));
  const auto opens = [&](const GeneratorModel& model) {
    return OpenGenerator(resolved.run.schema, model, &NoCompute).ok();
  };
  EXPECT_TRUE(opens(good));
  GeneratorModel bad = good;
  bad.parameters.pop_back();
  EXPECT_FALSE(opens(bad));
  bad = good;
  bad.parameters[3] = std::nanf("");
  EXPECT_FALSE(opens(bad));
  for (const Json& state : {Json::object(), Json{{"sigma", "1"}}, Json{{"sigma", -1.0}}, Json{{"sigma", HUGE_VAL}},
                            Json{{"sigma", 1.0}, {"more", 2}}, Json(nullptr)}) {
    bad = good;
    bad.state = state;
    EXPECT_FALSE(opens(bad)) << state;
  }
  bad = good;
  bad.options = Json{{"rounds", 0}};
  EXPECT_FALSE(opens(bad));
}

// Whatever the noise made of the counts, rows satisfy the schema: Table::Create would refuse them.
TEST(IndependentColumns, SurviveCountsOfPureNoise) {
  const auto schema = testing::MixedSchema();
  const std::vector<tabular::PublicGrid> grids = tabular::GridsOf(*schema);
  PublicRandom random(4, "test.noise");
  for (const float scale : {0.0F, 1.0F, -1e6F, 1e30F}) {
    GeneratorModel model;
    model.family = "independent_columns";
    model.options = Options{}.ToJson();
    model.state = {{"sigma", 1.0}};
    model.parameters.resize(tabular::HistogramSize(grids));
    random.FillNormal(model.parameters);
    for (float& value : model.parameters) value *= scale;
    const auto generator = OpenGenerator(schema, model, &NoCompute);
    ASSERT_TRUE(generator.ok()) << scale;
    EXPECT_TRUE((*generator)->Block(1, 0, 500, {}).ok()) << scale;
  }
}

}  // namespace
}  // namespace synod::independent_columns
