// Checkpoints of every family's trainer: bit-equal to an uninterrupted one, and nothing but.
#include "models/checkpoint.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "common/query/grid.h"
#include "common/query/sum_accumulator.h"
#include "common/query/words.h"
#include "models/family_table.h"
#include "tests/unit/models/model_fixture.h"

namespace synod {
namespace {

// A sum that depends on the query's number alone, so that a replay sees the same.
NoisySum SumOfQuery(const PlanEntry& entry, std::uint64_t number) {
  PublicRandom random(number, "test.checkpoint");
  std::vector<std::int64_t> words(entry.dimension);
  for (std::int64_t& word : words) word = std::llround((random.Uniform() * 4.0 - 1.0) * entry.grid_scale);
  const Grid grid = Grid::Make(entry.grid_scale, entry.clip, entry.dimension).value();
  const WordBits bits = WordBitsFromNumber(entry.word_bits).value();
  return SumAccumulator::Decode(grid, bits, EncodeWords(words, bits), 1).value();
}

struct FamilyCase {
  std::string family;
  std::string model;
};

class Checkpoints : public ::testing::TestWithParam<FamilyCase> {
 protected:
  // Trains on from where `left` says until `stop` queries were answered or training ends; the number answered.
  std::uint64_t Train(Trainer& trainer, std::uint64_t answered, std::uint64_t stop) const {
    const auto& entries = resolved_.run.plan->entries();
    while (answered < stop) {
      std::vector<std::uint64_t> left;
      std::uint64_t before = answered;
      for (const PlanEntry& entry : entries) {
        const std::uint64_t used = std::min(before, entry.allowed());
        left.push_back(entry.allowed() - used);
        before -= used;
      }
      const std::optional<Query> query = trainer.Next(left);
      if (!query) break;
      EXPECT_TRUE(trainer.Absorb(*query, SumOfQuery(entries[query->entry], answered)).ok());
      ++answered;
    }
    return answered;
  }
  std::unique_ptr<Trainer> NewTrainer() const { return MakeTrainer(resolved_.run).value(); }

  ResolvedRun resolved_ = testing::Resolve(
      {testing::MixedSchema(), 400, GetParam().model, 3.0, 1, GetParam().family, Aggregation::kCurator});
};

TEST_P(Checkpoints, GoOnBitForBitLikeATrainerThatNeverStopped) {
  const std::unique_ptr<Trainer> whole = NewTrainer();
  const std::uint64_t all = Train(*whole, 0, 1000);
  ASSERT_GT(all, 3U);
  const GeneratorModel expected = whole->Finish().value();
  for (const std::uint64_t stop :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, all / 2, all - 1, all}) {
    const std::unique_ptr<Trainer> first = NewTrainer();
    Train(*first, 0, stop);
    const Bytes checkpoint = first->Checkpoint();
    const std::unique_ptr<Trainer> second = NewTrainer();
    ASSERT_TRUE(second->Restore(checkpoint).ok()) << stop;
    EXPECT_EQ(second->Checkpoint(), checkpoint) << stop;
    EXPECT_EQ(second->news().loss, first->news().loss);
    ASSERT_EQ(Train(*second, stop, 1000), all);
    const GeneratorModel model = second->Finish().value();
    EXPECT_EQ(model.parameters, expected.parameters) << stop;
    EXPECT_EQ(model.state, expected.state) << stop;
  }
}

TEST_P(Checkpoints, ReplaceWhateverATrainerHadDone) {
  const std::unique_ptr<Trainer> first = NewTrainer();
  Train(*first, 0, 3);
  const std::unique_ptr<Trainer> ahead = NewTrainer();
  Train(*ahead, 0, 1000);
  ASSERT_TRUE(ahead->Restore(first->Checkpoint()).ok());
  EXPECT_EQ(ahead->Checkpoint(), first->Checkpoint());
}

TEST_P(Checkpoints, RefuseFlippedBytesAndCutsAllOverAndKeepTheirState) {
  const std::unique_ptr<Trainer> trainer = NewTrainer();
  Train(*trainer, 0, 3);
  const Bytes good = trainer->Checkpoint();
  const std::unique_ptr<Trainer> other = NewTrainer();
  Train(*other, 0, 2);
  const Bytes own = other->Checkpoint();
  const std::size_t step = good.size() / 700 + 1;
  for (std::size_t at = 0; at < good.size(); at += step) {
    Bytes flipped = good;
    flipped[at] ^= 0x10;
    ASSERT_FALSE(other->Restore(flipped).ok()) << at;
    ASSERT_FALSE(other->Restore(ByteView(good).first(at)).ok()) << at;
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(other->Restore(longer).ok());
  EXPECT_EQ(other->Checkpoint(), own);
}

// Bytes with a digest that holds, and lengths and numbers that do not: the digest is no excuse to trust them.
TEST_P(Checkpoints, RefuseFieldsThatDoNotFitBehindAGoodDigest) {
  const Digest plan = resolved_.run.plan->Hash();
  const std::vector<std::function<void(CheckpointWriter&)>> wrong = {
      [](CheckpointWriter&) {},
      [](CheckpointWriter& out) { out.Put(~std::uint64_t{0}); },
      [](CheckpointWriter& out) { out.Put(std::uint64_t{1}), out.Put(~std::uint64_t{0} / 8), out.Put(1.0); },
      [](CheckpointWriter& out) { out.Put(std::uint64_t{1}), out.Put(std::uint64_t{1} << 61), out.Put(1.0); },
      [](CheckpointWriter& out) {
        for (int i = 0; i < 40; ++i) out.Put(std::uint64_t{0});
      },
      [](CheckpointWriter& out) {
        for (int i = 0; i < 4000; ++i) out.Put(std::nan(""));
      },
  };
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    CheckpointWriter out(GetParam().family, 1, plan);
    wrong[i](out);
    EXPECT_FALSE(NewTrainer()->Restore(std::move(out).Finish()).ok()) << i;
  }
}

TEST_P(Checkpoints, AreOfOneRunOneFamilyAndOneVersion) {
  const std::unique_ptr<Trainer> trainer = NewTrainer();
  Train(*trainer, 0, 3);
  const ResolvedRun other = testing::Resolve(
      {testing::MixedSchema(), 401, GetParam().model, 3.0, 1, GetParam().family, Aggregation::kCurator});
  EXPECT_FALSE(MakeTrainer(other.run).value()->Restore(trainer->Checkpoint()).ok());
  CheckpointWriter newer(GetParam().family, 2, resolved_.run.plan->Hash());
  EXPECT_FALSE(NewTrainer()->Restore(std::move(newer).Finish()).ok());
  CheckpointWriter foreign("another", 1, resolved_.run.plan->Hash());
  EXPECT_FALSE(NewTrainer()->Restore(std::move(foreign).Finish()).ok());
  EXPECT_FALSE(NewTrainer()->Restore({}).ok());
}

INSTANTIATE_TEST_SUITE_P(
    EveryFamily, Checkpoints,
    ::testing::Values(FamilyCase{"independent_columns", "rounds = 5\n"},
                      FamilyCase{"attention", "steps = 9\nbatch = 50\nwidth = 4\nhidden = 4\ncalibration_rounds = 1\n"},
                      FamilyCase{"table_diffusion", "steps = 9\nbatch = 50\nhidden = 4\ncalibration_rounds = 1\n"},
                      FamilyCase{"table_diffusion", "variant = \"published\"\nsteps = 9\nbatch = 50\nhidden = 4\n"},
                      FamilyCase{"table_diffusion", "variant = \"denoiser\"\nsteps = 9\nbatch = 50\nhidden = 4\n"},
                      FamilyCase{"wgan",
                                 "steps = 9\nbatch = 50\ncritic_hidden = 4\nlatent = 3\ngenerator_hidden = 5\n"
                                 "generator_rows = 20\ncalibration_rounds = 1\n"}),
    [](const auto& one) { return one.param.family + std::to_string(one.index); });

TEST(TableDiffusionCheckpoints, AreOfOneSeed) {
  const ResolvedRun resolved =
      testing::Resolve({testing::MixedSchema(), 400, "steps = 9\nbatch = 50\nhidden = 4\ncalibration_rounds = 1\n"});
  FamilyRun other = resolved.run;
  other.seed += 1;
  EXPECT_FALSE(MakeTrainer(other).value()->Restore(MakeTrainer(resolved.run).value()->Checkpoint()).ok());
}

}  // namespace
}  // namespace synod
