#include "models/attention/batch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/unit/attention/attention_fixture.h"

namespace synod::attention {
namespace {

using testing::AttentionWorld;
using testing::SmallAttention;

std::vector<float> RandomLogits(const ColumnCode& code, PublicRandom& random) {
  std::vector<float> logits(code.components());
  random.FillNormal(logits);
  return logits;
}

// -log of the sum over components, in float64.
double LossByDefinition(const ColumnCode& code, std::size_t cell, const std::vector<float>& logits) {
  double total = 0.0;
  for (std::size_t m = 0; m < logits.size(); ++m) total += code.base()[m] * std::exp(static_cast<double>(logits[m]));
  double inside = 0.0;
  for (const ColumnCode::Part& part : code.parts(cell)) {
    inside += code.base()[part.component] * std::exp(static_cast<double>(logits[part.component])) *
              static_cast<double>(part.mass);
  }
  return -std::log(inside / total);
}

TEST(CellLoss, IsTheLogLikelihoodOfTheCellAndItsGradient) {
  const AttentionWorld world(SmallAttention());
  PublicRandom random(63, "logits");
  for (const ColumnCode& code : world.codes) {
    const std::vector<float> logits = RandomLogits(code, random);
    for (std::size_t cell = 0; cell < code.cells(); cell += 3) {
      std::vector<float> gradient = logits;
      const float loss = CellLoss(code, cell, 0.7F, gradient);
      EXPECT_NEAR(loss, LossByDefinition(code, cell, logits), 1e-3);
      for (std::size_t m = 0; m < logits.size(); ++m) {
        std::vector<float> moved = logits;
        moved[m] += 1e-2F;
        const double above = LossByDefinition(code, cell, moved);
        moved[m] -= 2e-2F;
        const double slope = 0.7 * (above - LossByDefinition(code, cell, moved)) / 2e-2;
        EXPECT_NEAR(gradient[m], slope, 1e-3) << "cell " << cell << ", component " << m;
      }
    }
  }
}

TEST(CellLoss, AddsUpToOneOverTheCellsOfAColumn) {
  const AttentionWorld world(SmallAttention());
  PublicRandom random(64, "logits");
  for (const ColumnCode& code : world.codes) {
    const std::vector<float> logits = RandomLogits(code, random);
    double total = 0.0;
    for (std::size_t cell = 0; cell < code.cells(); ++cell) {
      std::vector<float> scratch = logits;
      total += std::exp(-static_cast<double>(CellLoss(code, cell, 1.0F, scratch)));
    }
    EXPECT_NEAR(total, 1.0, 1e-4);
  }
}

TEST(CellLoss, StaysFiniteWithLogitsThatRuleTheCellOut) {
  const AttentionWorld world(SmallAttention());
  const ColumnCode& code = world.codes[1];
  std::vector<float> logits(code.components(), 0.0F);
  logits[0] = -1e30F;
  const float loss = CellLoss(code, 0, 1.0F, logits);
  EXPECT_TRUE(std::isfinite(loss));
  for (const float value : logits) EXPECT_TRUE(std::isfinite(value));
}

TEST(AttentionBatch, RevealsFewerColumnsThanThereAreInEqualStrata) {
  Options options = SmallAttention();
  options.draws_per_row = 4;
  const AttentionWorld world(options);
  std::vector<std::uint32_t> units(world.units.size());
  std::iota(units.begin(), units.end(), 0U);
  const Batch batch = world.batcher.Make(units, testing::StreamsOf(units, 3));
  ASSERT_EQ(batch.weight.size(), 4 * units.size());
  const std::size_t places = world.shape.places_count();
  for (std::size_t use = 0; use < batch.weight.size(); ++use) {
    std::size_t revealed = 0;
    for (std::size_t j = 0; j < world.shape.columns(); ++j) revealed += batch.mask[use * places + j] == 0.0F ? 1 : 0;
    EXPECT_EQ(revealed, use % 4) << "four strata over four columns: 0, 1, 2 or 3 of them";
    EXPECT_EQ(batch.mask[use * places + places - 1], 0.0F) << "the latent is never hidden";
  }
}

TEST(AttentionBatch, RevealsNothingWhereColumnsAreDecodedTogether) {
  const AttentionWorld world(SmallAttention(Decoding::kTogether, 3));
  const std::vector<std::uint32_t> units = {0, 1, 2, 3};
  const Batch batch = world.batcher.Make(units, testing::StreamsOf(units, 3));
  std::size_t open = 0;
  for (const float value : batch.mask) open += value == 0.0F ? 1 : 0;
  EXPECT_EQ(open, batch.weight.size()) << "the latent token of each use and nothing else";
}

TEST(AttentionBatch, GivesNoGradientToWhatIsRevealedOrMissingFromAUnit) {
  const AttentionWorld world(SmallAttention(), testing::MixedSchema(true), 3);
  std::vector<std::uint32_t> units(world.units.size());
  std::iota(units.begin(), units.end(), 0U);
  const Batch batch = world.batcher.Make(units, testing::StreamsOf(units, 3));
  std::vector<float> logits(batch.weight.size() * world.shape.slots(), 0.3F);
  const std::vector<float> losses = LossAndGradient(world.shape, world.codes, batch, logits);
  ASSERT_EQ(losses.size(), units.size());
  std::size_t lacking = 0;
  for (std::size_t use = 0; use < batch.weight.size(); ++use) {
    lacking += batch.weight[use] == 0.0F ? 1 : 0;
    for (std::size_t j = 0; j < world.shape.columns(); ++j) {
      const auto own =
          std::span(logits).subspan(use * world.shape.slots() + world.shape.first_slot[j], world.shape.slots_of(j));
      double size = 0.0;
      double sum = 0.0;
      for (const float value : own) size += std::abs(value), sum += value;
      const bool silent = batch.weight[use] == 0.0F || batch.mask[use * world.shape.places_count() + j] == 0.0F;
      EXPECT_EQ(size > 0.0, !silent);
      EXPECT_NEAR(sum, 0.0, 1e-5) << "of a softmax";
    }
  }
  EXPECT_GT(lacking, 0U) << "the test must see units with fewer rows than the largest";
}

TEST(AttentionBatch, MakesAUnitFromItsOwnRowsAndStreamAlone) {
  const AttentionWorld world(SmallAttention(), testing::MixedSchema(true), 3);
  const std::vector<std::uint32_t> many = {4, 9, 2};
  const std::vector<std::uint64_t> streams = testing::StreamsOf(many, 7);
  const Batch together = world.batcher.Make(many, streams);
  for (std::size_t i = 0; i < many.size(); ++i) {
    const Batch alone = world.batcher.Make(std::span(many).subspan(i, 1), std::span(streams).subspan(i, 1));
    const auto same = [&](const auto& of_all, const auto& of_one) {
      ASSERT_EQ(of_all.size(), 3 * of_one.size());
      EXPECT_TRUE(
          std::equal(of_one.begin(), of_one.end(), of_all.begin() + static_cast<std::ptrdiff_t>(i * of_one.size())));
    };
    same(together.shares, alone.shares);
    same(together.mask, alone.mask);
    same(together.noise, alone.noise);
    same(together.cells, alone.cells);
    same(together.weight, alone.weight);
  }
}

}  // namespace
}  // namespace synod::attention
