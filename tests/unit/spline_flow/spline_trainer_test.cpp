#include "models/spline_flow/trainer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/query/grid.h"
#include "common/query/sum_accumulator.h"
#include "common/query/words.h"
#include "models/spline_flow/neuron_mask.h"
#include "models/spline_flow/stage_density.h"
#include "tests/unit/spline_flow/stage_world.h"

namespace synod::spline_flow {
namespace {

NoisySum SumWith(const PlanEntry& entry, const std::vector<double>& values) {
  const Grid grid = Grid::Make(entry.grid_scale, entry.clip, entry.dimension).value();
  const WordBits bits = WordBitsFromNumber(entry.word_bits).value();
  SumAccumulator total(grid, bits);
  std::vector<std::int64_t> words;
  for (const double value : values) words.push_back(std::llround(value * entry.grid_scale));
  EXPECT_TRUE(total.AddEncoded(EncodeWords(words, bits)).ok());
  return std::move(total).Finish();
}

struct Setting {
  const char* name;
  const char* model;
};
void PrintTo(const Setting& setting, std::ostream* out) {
  *out << setting.name;
}

class SplineTrainerTest : public ::testing::TestWithParam<Setting> {
 protected:
  SplineTrainerTest() {
    testing::RunRequest request{testing::MixedSchema()};
    request.family = "spline_flow";
    request.model = std::string("steps = 5\nbatch = 50\nhidden = 4\nlearning_rate = 0.1\n") + GetParam().model;
    resolved_ = std::make_unique<ResolvedRun>(testing::Resolve(request));
  }
  const PlanEntry& entry(std::uint32_t index) const { return resolved_->run.plan->entries()[index]; }
  std::unique_ptr<SplineTrainer> NewTrainer() const { return SplineTrainer::Make(resolved_->run).value(); }

  // The answer to the next question: counts of 2, gradients that differ by coordinate and step.
  void Step(SplineTrainer& trainer, std::vector<std::uint64_t>& left, std::uint32_t& index) const {
    std::optional<Query> query = trainer.Next(left);
    ASSERT_TRUE(query.has_value());
    query->index = index++;
    const PlanEntry& asked = entry(query->entry);
    std::vector<double> values(asked.dimension, 2.0);
    for (std::size_t i = 0; query->entry == 1 && i < values.size(); ++i) {
      values[i] = std::sin(static_cast<double>(i + 31 * index));
    }
    ASSERT_TRUE(trainer.Absorb(*query, SumWith(asked, values)).ok());
    --left[query->entry];
  }
  std::vector<std::uint64_t> Left() const { return {1, entry(1).allowed()}; }

  std::unique_ptr<ResolvedRun> resolved_;
};

INSTANTIATE_TEST_SUITE_P(Variants, SplineTrainerTest,
                         ::testing::Values(Setting{"Autoregressive", ""}, Setting{"Unshared", "shared = false\n"},
                                           Setting{"Sparse", "clipping = \"per_neuron\"\nkeep_rate = 0.4\n"},
                                           Setting{"Coupling", "variant = \"coupling\"\n"},
                                           Setting{
                                               "SparseCoupling",
                                               "variant = \"coupling\"\nclipping = \"per_neuron\"\nkeep_rate = 0.4\n"}),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST_P(SplineTrainerTest, GoesOnBitForBitFromACheckpoint) {
  const auto whole = NewTrainer();
  std::vector<std::uint64_t> left = Left();
  std::uint32_t index = 0;
  for (int i = 0; i < 3; ++i) Step(*whole, left, index);
  const Bytes bytes = whole->Checkpoint();
  const auto restored = NewTrainer();
  ASSERT_TRUE(restored->Restore(bytes).ok());
  std::vector<std::uint64_t> left_again = left;
  std::uint32_t index_again = index;
  while (left[1] > 0) {
    Step(*whole, left, index);
    Step(*restored, left_again, index_again);
  }
  const GeneratorModel one = whole->Finish().value();
  const GeneratorModel other = restored->Finish().value();
  EXPECT_EQ(one.parameters, other.parameters);
  EXPECT_EQ(one.state, other.state);
  EXPECT_EQ(whole->Checkpoint(), restored->Checkpoint());
}

TEST_P(SplineTrainerTest, RefusesADamagedCheckpoint) {
  const auto trainer = NewTrainer();
  std::vector<std::uint64_t> left = Left();
  std::uint32_t index = 0;
  for (int i = 0; i < 2; ++i) Step(*trainer, left, index);
  Bytes bytes = trainer->Checkpoint();
  const Bytes before = NewTrainer()->Checkpoint();
  for (std::size_t i = 0; i < bytes.size(); i += 97) {
    Bytes damaged = bytes;
    damaged[i] ^= 0x10;
    const auto fresh = NewTrainer();
    ASSERT_FALSE(fresh->Restore(damaged).ok());
    ASSERT_EQ(fresh->Checkpoint(), before) << "and changes nothing";
  }
}

TEST_P(SplineTrainerTest, MovesKeptNeuronsAndNoOthers) {
  const Options options = Options::FromJson(resolved_->run.options).value();
  const ModelParts model = PartsOf(resolved_->run).value();
  const std::vector<std::uint32_t> neurons = options.variant == Variant::kCoupling
                                                 ? NeuronsOf(CouplingShape(model.grids.size(), options))
                                                 : NeuronsOf(StageShape(model.grids, model.label, options));
  const auto trainer = NewTrainer();
  std::vector<std::uint64_t> left = Left();
  std::uint32_t index = 0;
  Step(*trainer, left, index);
  for (int step = 0; step < 3; ++step) {
    const std::vector<float> before = trainer->Next(left)->parameters;
    const std::vector<std::uint8_t> kept =
        KeptNeurons(resolved_->run.seed, index, NeuronCount(model.builder), options.keep_rate);
    Step(*trainer, left, index);
    const std::vector<float> after = trainer->Next(left)->parameters;
    std::size_t kept_count = 0;
    std::size_t moved = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (kept[neurons[i]] == 0) {
        ASSERT_EQ(before[i], after[i]) << "parameter " << i;
      } else {
        ++kept_count;
        moved += before[i] != after[i] ? 1 : 0;
      }
    }
    // Now and then a step that is shorter than the last digit.
    EXPECT_GE(moved + 3, kept_count);
    EXPECT_GT(moved, 0U);
  }
}

TEST_P(SplineTrainerTest, DependsOnTheNoisySumsAndThePublicSeedOnly) {
  const auto train = [&](const FamilyRun& run) {
    const auto trainer = SplineTrainer::Make(run).value();
    std::vector<std::uint64_t> left = Left();
    std::uint32_t index = 0;
    while (left[1] > 0) Step(*trainer, left, index);
    return trainer->Finish().value();
  };
  const GeneratorModel one = train(resolved_->run);
  EXPECT_EQ(one.parameters, train(resolved_->run).parameters);
  FamilyRun other = resolved_->run;
  other.seed = 2;
  EXPECT_NE(one.parameters, train(other).parameters);
  EXPECT_EQ(one.family, "spline_flow");
}

TEST_P(SplineTrainerTest, MakesNothingOfNothingAndIsNotMadeForAnotherRun) {
  EXPECT_FALSE(NewTrainer()->Finish().ok());
  FamilyRun run = resolved_->run;
  run.options = Json{{"layers", 2}};
  EXPECT_FALSE(SplineTrainer::Make(run).ok());
}

}  // namespace
}  // namespace synod::spline_flow
