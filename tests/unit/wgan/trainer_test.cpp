#include "models/wgan/trainer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/query/grid.h"
#include "common/query/sum_accumulator.h"
#include "common/query/words.h"
#include "tests/unit/wgan/wgan_fixture.h"

namespace synod::wgan {
namespace {

// A sum that follows from the query's number and `size` alone.
NoisySum AnySum(const PlanEntry& entry, std::uint64_t number, double size) {
  PublicRandom random(number, "test.sums");
  std::vector<std::int64_t> words(entry.dimension);
  for (std::int64_t& word : words) word = std::llround((random.Uniform() * 4.0 - 1.0) * size * entry.grid_scale);
  const Grid grid = Grid::Make(entry.grid_scale, entry.clip, entry.dimension).value();
  const WordBits bits = WordBitsFromNumber(entry.word_bits).value();
  return SumAccumulator::Decode(grid, bits, EncodeWords(words, bits), 1).value();
}

class WganTrainerTest : public ::testing::TestWithParam<const char*> {
 protected:
  // Answers every query; `see` gets each gradient query.
  template <typename See>
  GeneratorModel Train(const FamilyRun& run, double size, const See& see) const {
    const auto trainer = WganTrainer::Make(run).value();
    const auto& entries = run.plan->entries();
    std::vector<std::uint64_t> left = {1, entries[1].allowed()};
    std::uint64_t number = 0;
    while (const std::optional<Query> query = trainer->Next(left)) {
      if (query->kind == QueryKind::kGradient) see(*query);
      EXPECT_TRUE(trainer->Absorb(*query, AnySum(entries[query->entry], ++number, size)).ok());
      --left[query->entry];
    }
    EXPECT_EQ(number, 1 + entries[1].allowed());
    return trainer->Finish().value();
  }
  GeneratorModel Train(const FamilyRun& run, double size) const {
    return Train(run, size, [](const Query&) {});
  }

  ResolvedRun resolved_ = testing::Resolve(
      {testing::MixedSchema(), 400,
       std::string("steps = 5\nbatch = 50\ncritic_hidden = 5\nlatent = 3\ngenerator_hidden = 6\ngenerator_rows = "
                   "32\nclamp = 0.2\ncalibration_rounds = 2\n") +
           GetParam(),
       3.0, 1, "wgan"});
};

INSTANTIATE_TEST_SUITE_P(Clips, WganTrainerTest,
                         ::testing::Values("", "clipping = \"flat\"\n", "clipping = \"adaptive\"\n"));

TEST_P(WganTrainerTest, KeepsTheCriticWithinTheClampWhateverSumsCome) {
  for (const double size : {0.0, 1.0, 100.0}) {
    std::size_t asked = 0;
    Train(resolved_.run, size, [&](const Query& query) {
      ++asked;
      for (const float value : query.parameters) ASSERT_LE(std::abs(value), 0.2F);
    });
    EXPECT_EQ(asked, resolved_.run.plan->entries()[1].allowed());
  }
}

TEST_P(WganTrainerTest, DependsOnTheNoisySumsAndThePublicSeedOnly) {
  const GeneratorModel one = Train(resolved_.run, 1.0);
  const GeneratorModel same = Train(resolved_.run, 1.0);
  EXPECT_EQ(one.parameters, same.parameters);
  EXPECT_EQ(one.state, same.state);
  EXPECT_NE(Train(resolved_.run, 2.0).parameters, one.parameters);
  FamilyRun other = resolved_.run;
  other.seed = 2;
  EXPECT_NE(Train(other, 1.0).parameters, one.parameters);
}

TEST_P(WganTrainerTest, PublishesTheGeneratorAndNotTheCritic) {
  const GeneratorModel model = Train(resolved_.run, 1.0);
  EXPECT_EQ(model.family, "wgan");
  EXPECT_EQ(model.layout, resolved_.layout);
  EXPECT_EQ(model.parameters.size(), resolved_.layout.size());
  EXPECT_EQ(model.state.size(), 2U);
}

TEST_P(WganTrainerTest, IsNotMadeForARunOfAnotherFamily) {
  FamilyRun run = resolved_.run;
  run.options = Json{{"layers", 2}};
  EXPECT_FALSE(WganTrainer::Make(run).ok());
}

}  // namespace
}  // namespace synod::wgan
