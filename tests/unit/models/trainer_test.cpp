#include "models/table_diffusion/trainer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/query/grid.h"
#include "common/query/sum_accumulator.h"
#include "common/query/words.h"
#include "models/table_diffusion/entries.h"
#include "models/table_diffusion/model_json.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::table_diffusion {
namespace {

// A sum with the given values, as `answers` sites would have made it.
NoisySum SumWith(const PlanEntry& entry, const std::vector<double>& values, std::uint32_t answers = 1) {
  const Grid grid = Grid::Make(entry.grid_scale, entry.clip, entry.dimension).value();
  const WordBits bits = WordBitsFromNumber(entry.word_bits).value();
  SumAccumulator total(grid, bits);
  std::vector<std::int64_t> words;
  for (const double value : values) words.push_back(std::llround(value * entry.grid_scale));
  EXPECT_TRUE(total.AddEncoded(EncodeWords(words, bits)).ok());
  for (std::uint32_t i = 1; i < answers; ++i) {
    EXPECT_TRUE(total.AddEncoded(EncodeWords(std::vector<std::int64_t>(words.size()), bits)).ok());
  }
  return std::move(total).Finish();
}

class DiffusionTrainerTest : public ::testing::Test {
 protected:
  const PlanEntry& entry(std::uint32_t index) const { return resolved_.run.plan->entries()[index]; }
  std::unique_ptr<DiffusionTrainer> NewTrainer() const { return DiffusionTrainer::Make(resolved_.run).value(); }
  std::vector<double> Counts(double value) const { return std::vector<double>(entry(0).dimension, value); }

  // A trainer that has its histogram; the queries so far are not kept.
  std::unique_ptr<DiffusionTrainer> TrainerWithHistogram() const {
    std::unique_ptr<DiffusionTrainer> trainer = NewTrainer();
    const std::vector<std::uint64_t> left = {1, entry(1).allowed()};
    EXPECT_TRUE(trainer->Absorb(*trainer->Next(left), SumWith(entry(0), Counts(2.0))).ok());
    return trainer;
  }

  ResolvedRun resolved_ =
      testing::Resolve({testing::MixedSchema(), 400,
                        "steps = 6\nbatch = 50\nhidden = 4\ncalibration_rounds = 1\nlearning_rate = 0.1\n"});
};

TEST_F(DiffusionTrainerTest, AsksForEverySpareHistogramAnswerAndAveragesThem) {
  const auto trainer = NewTrainer();
  std::vector<std::uint64_t> left = {entry(0).allowed(), entry(1).allowed()};
  ASSERT_EQ(left[0], 2U);
  for (const double value : {2.0, 5.0}) {
    const std::optional<Query> query = trainer->Next(left);
    ASSERT_EQ(query->kind, QueryKind::kHistogram);
    EXPECT_TRUE(query->context.empty() && query->parameters.empty());
    ASSERT_TRUE(trainer->Absorb(*query, SumWith(entry(0), Counts(value))).ok());
    --left[0];
  }
  const std::optional<Query> query = trainer->Next(left);
  ASSERT_EQ(query->kind, QueryKind::kGradient);
  const double one_sigma = std::sqrt(static_cast<double>(entry(0).site_variance)) / entry(0).grid_scale;
  EXPECT_NEAR(query->context[0], one_sigma / std::sqrt(2.0), 1e-4 * one_sigma);
  EXPECT_EQ(query->context[1], 0.0F) << "no threshold: the clip does not adapt";
  for (std::size_t i = 2; i < query->context.size(); ++i) EXPECT_NEAR(query->context[i], 3.5, 1e-2);
}

TEST_F(DiffusionTrainerTest, KnowsTheNoiseOfAllSitesThatAnswered) {
  const auto trainer = NewTrainer();
  const std::vector<std::uint64_t> left = {1, 6};
  ASSERT_TRUE(trainer->Absorb(*trainer->Next(left), SumWith(entry(0), Counts(1.0), 4)).ok());
  const double one_sigma = std::sqrt(static_cast<double>(entry(0).site_variance)) / entry(0).grid_scale;
  EXPECT_NEAR(trainer->Next(std::vector<std::uint64_t>{0, 6})->context[0], 2.0 * one_sigma, 1e-4 * one_sigma);
}

TEST_F(DiffusionTrainerTest, TakesExactlyTheStepsThatThePlanAccountsFor) {
  const auto trainer = TrainerWithHistogram();
  const std::uint64_t allowed = entry(1).allowed();
  std::vector<std::uint64_t> left = {0, allowed};
  std::uint64_t steps = 0;
  while (const std::optional<Query> query = trainer->Next(left)) {
    ASSERT_EQ(query->kind, QueryKind::kGradient);
    ASSERT_TRUE(trainer->Absorb(*query, SumWith(entry(1), std::vector<double>(entry(1).dimension, 0.01))).ok());
    --left[1];
    ASSERT_LE(++steps, allowed);
  }
  EXPECT_EQ(steps, allowed);
  EXPECT_EQ(resolved_.run.plan->Events(1)[1].count, allowed) << "what is accounted";
  EXPECT_TRUE(trainer->Finish().ok());
}

// The count coordinate says 4000 units or none: the step must be the same, the divisor is public.
TEST_F(DiffusionTrainerTest, DividesByTheExpectedBatchAndNeverByACount) {
  std::vector<std::vector<float>> after;
  std::vector<double> losses;
  for (const double count : {-20.0, 0.0, 20.0}) {
    const auto trainer = TrainerWithHistogram();
    std::vector<double> values(entry(1).dimension, 0.5);
    values[values.size() - 3] = 1.0;
    values.back() = count;
    const std::vector<std::uint64_t> left = {0, 6};
    ASSERT_TRUE(trainer->Absorb(*trainer->Next(left), SumWith(entry(1), values)).ok());
    after.push_back(trainer->Next(left)->parameters);
    losses.push_back(*trainer->news().loss);
  }
  EXPECT_EQ(after[0], after[1]);
  EXPECT_EQ(after[1], after[2]);
  EXPECT_EQ(losses[0], losses[2]);
  // loss coordinate 1.0 = sum of losses / L * s_l over 50 expected units.
  const auto grids = tabular::GridsOf(*resolved_.run.schema);
  const Options options = Options::FromJson(resolved_.run.options).value();
  EXPECT_NEAR(losses[0], LossBound(grids, options) / 0.05 / 50.0, 1e-3);
}

TEST_F(DiffusionTrainerTest, MovesAgainstTheGradient) {
  const auto trainer = TrainerWithHistogram();
  const std::vector<std::uint64_t> left = {0, 6};
  const std::vector<float> before = trainer->Next(left)->parameters;
  std::vector<double> values(entry(1).dimension, 3.0);
  ASSERT_TRUE(trainer->Absorb(*trainer->Next(left), SumWith(entry(1), values)).ok());
  const std::vector<float> after = trainer->Next(left)->parameters;
  for (std::size_t i = 0; i < before.size(); ++i) ASSERT_LT(after[i], before[i]);
}

TEST_F(DiffusionTrainerTest, DependsOnTheNoisySumsAndThePublicSeedOnly) {
  const auto train = [&](const FamilyRun& run, double value) {
    const auto trainer = DiffusionTrainer::Make(run).value();
    std::vector<std::uint64_t> left = {1, 3};
    while (const std::optional<Query> query = trainer->Next(left)) {
      const PlanEntry& asked = entry(query->entry);
      EXPECT_TRUE(trainer->Absorb(*query, SumWith(asked, std::vector<double>(asked.dimension, value))).ok());
      --left[query->entry];
    }
    return trainer->Finish().value();
  };
  const GeneratorModel one = train(resolved_.run, 0.5);
  const GeneratorModel same = train(resolved_.run, 0.5);
  EXPECT_EQ(one.parameters, same.parameters);
  EXPECT_EQ(one.state, same.state);
  EXPECT_NE(train(resolved_.run, 0.75).parameters, one.parameters);
  FamilyRun other = resolved_.run;
  other.seed = 2;
  EXPECT_NE(train(other, 0.5).parameters, one.parameters);
}

TEST_F(DiffusionTrainerTest, RefusesASumOfAnotherLengthAndMakesNothingOfNothing) {
  const auto trainer = NewTrainer();
  EXPECT_FALSE(trainer->Finish().ok());
  Query query;
  query.kind = QueryKind::kHistogram;
  PlanEntry small = entry(0);
  small.dimension = 3;
  EXPECT_FALSE(trainer->Absorb(query, SumWith(small, {1, 2, 3})).ok());
  query.kind = QueryKind::kGradient;
  EXPECT_FALSE(trainer->Absorb(query, SumWith(small, {1, 2, 3})).ok());
  EXPECT_FALSE(trainer->Finish().ok());
}

TEST_F(DiffusionTrainerTest, EndsWithoutAQuestionWhenNothingIsLeft) {
  EXPECT_FALSE(TrainerWithHistogram()->Next(std::vector<std::uint64_t>{0, 0}).has_value());
}

TEST_F(DiffusionTrainerTest, IsNotMadeForARunOfAnotherFamily) {
  FamilyRun run = resolved_.run;
  run.options = Json{{"layers", 2}};
  EXPECT_FALSE(DiffusionTrainer::Make(run).ok());
}

}  // namespace
}  // namespace synod::table_diffusion
