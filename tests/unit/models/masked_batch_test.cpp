#include "models/table_diffusion/masked_batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/unit/models/model_fixture.h"

namespace synod::table_diffusion {
namespace {

using testing::MaskedWorld;

std::vector<std::uint32_t> AllUnits(const MaskedWorld& world) {
  std::vector<std::uint32_t> units(world.units.size());
  std::iota(units.begin(), units.end(), 0U);
  return units;
}

MaskedBatch MakeBatch(const MaskedWorld& world, const std::vector<std::uint32_t>& units, std::uint64_t query) {
  return world.batcher.Make(units, testing::StreamsOf(units, query));
}

// Everything in a batch that belongs to the unit at `position`.
struct UnitPart {
  std::vector<float> visible;
  std::vector<float> time;
  std::vector<std::uint16_t> tokens;
  std::vector<std::uint8_t> hidden;
  std::vector<float> weight;
  bool operator==(const UnitPart&) const = default;
};

template <typename T>
std::vector<T> Piece(const std::vector<T>& all, std::size_t position, std::size_t uses, std::size_t rows) {
  const std::size_t width = all.size() / rows * uses;
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(position * width);
  return {first, first + static_cast<std::ptrdiff_t>(width)};
}

UnitPart PartOf(const MaskedBatch& batch, std::size_t position) {
  const std::size_t rows = batch.weight.size();
  return {Piece(batch.visible, position, batch.uses, rows), Piece(batch.time, position, batch.uses, rows),
          Piece(batch.tokens, position, batch.uses, rows), Piece(batch.hidden, position, batch.uses, rows),
          Piece(batch.weight, position, batch.uses, rows)};
}

TEST(MaskedBatch, WeighsTheUsesOfEveryUnitToOne) {
  for (const std::size_t most_rows : {1U, 3U}) {
    const MaskedWorld world(most_rows);
    const MaskedBatch batch = MakeBatch(world, AllUnits(world), 7);
    EXPECT_EQ(batch.uses, most_rows * world.options.levels_per_row);
    for (std::size_t unit = 0; unit < world.units.size(); ++unit) {
      const auto first = batch.weight.begin() + static_cast<std::ptrdiff_t>(unit * batch.uses);
      const auto last = first + static_cast<std::ptrdiff_t>(batch.uses);
      EXPECT_NEAR(std::accumulate(first, last, 0.0), 1.0, 1e-6);
      const std::size_t used = world.units.rows(unit).size() * world.options.levels_per_row;
      EXPECT_EQ(std::count_if(first, last, [](float w) { return w > 0.0F; }), static_cast<std::ptrdiff_t>(used));
    }
  }
}

TEST(MaskedBatch, ShowsAUseOfEveryStratumOfEveryRow) {
  const MaskedWorld world;
  const MaskedBatch batch = MakeBatch(world, AllUnits(world), 8);
  for (std::size_t use = 0; use < batch.weight.size(); ++use) {
    const auto first = batch.hidden.begin() + static_cast<std::ptrdiff_t>(use * 4);
    const auto shown = static_cast<std::size_t>(std::count(first, first + 4, std::uint8_t{0}));
    EXPECT_EQ(shown, use % 4) << "four levels of a row of four columns";
    EXPECT_EQ(std::vector<float>(batch.time.begin() + static_cast<std::ptrdiff_t>(use * 4),
                                 batch.time.begin() + static_cast<std::ptrdiff_t>(use * 4 + 4)),
              TimeEmbedding(static_cast<double>(shown) / 4.0, 4));
  }
}

TEST(MaskedBatch, ShowsEveryColumnAsOftenAsAnyOther) {
  const MaskedWorld world(1, 2000);
  const MaskedBatch batch = MakeBatch(world, AllUnits(world), 9);
  for (std::size_t j = 0; j < 4; ++j) {
    double hidden = 0.0;
    for (std::size_t use = 0; use < batch.weight.size(); ++use) hidden += batch.hidden[use * 4 + j];
    // 8000 uses, a column is hidden in 2.5 of 4 levels on average: 6 deviations, a false alarm in 10^8 seeds.
    EXPECT_NEAR(hidden / 8000.0, 0.625, 6.0 * 0.43 / std::sqrt(8000.0));
  }
}

TEST(MaskedBatch, GivesAUnitTheSameUsesWhoeverElseIsDrawnAndWherever) {
  for (const std::size_t most_rows : {1U, 3U}) {
    const MaskedWorld world(most_rows);
    const MaskedBatch all = MakeBatch(world, AllUnits(world), 10);
    PublicRandom random(31, "permute");
    for (int round = 0; round < 20; ++round) {
      std::vector<std::uint32_t> units = random.Permutation(static_cast<std::uint32_t>(world.units.size()));
      units.resize(1 + random.IntegerBelow(units.size()));
      const MaskedBatch some = MakeBatch(world, units, 10);
      for (std::size_t i = 0; i < units.size(); ++i) ASSERT_EQ(PartOf(some, i), PartOf(all, units[i]));
    }
  }
}

TEST(MaskedBatch, DrawsNewLevelsForEveryQuery) {
  const MaskedWorld world;
  const MaskedBatch one = MakeBatch(world, AllUnits(world), 1);
  const MaskedBatch other = MakeBatch(world, AllUnits(world), 2);
  EXPECT_NE(one.hidden, other.hidden);
}

TEST(MaskedBatch, LosesNothingOfHiddenColumnsToTheNetwork) {
  const MaskedWorld world(3);
  const MaskedBatch batch = MakeBatch(world, AllUnits(world), 11);
  for (std::size_t use = 0; use < batch.weight.size(); ++use) {
    for (std::size_t j = 0; j < 4; ++j) {
      const std::size_t first = use * world.shape.slots() + world.shape.first_slot[j];
      const std::size_t slots = world.shape.first_slot[j + 1] - world.shape.first_slot[j];
      double sum = 0.0;
      double size = 0.0;
      for (std::size_t v = 0; v < slots; ++v) {
        sum += batch.visible[first + v];
        size += std::abs(batch.visible[first + v]);
      }
      if (batch.weight[use] > 0.0F && batch.hidden[use * 4 + j] == 1) {
        EXPECT_EQ(size, 0.0) << "a hidden column is not in the input";
      }
      EXPECT_NEAR(sum, 0.0, 1e-5) << "a one-hot less the shares";
    }
  }
}

double TotalLoss(const MaskedWorld& world, const MaskedBatch& batch, std::vector<float> outputs) {
  const std::vector<float> losses = world.batcher.LossAndGradient(batch, outputs);
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

TEST(MaskedLoss, HasTheGradientOfFiniteDifferences) {
  const MaskedWorld world(3, 9);
  const MaskedBatch batch = MakeBatch(world, AllUnits(world), 12);
  PublicRandom random(32, "outputs");
  std::vector<float> outputs(batch.weight.size() * world.shape.slots());
  random.FillNormal(outputs);
  std::vector<float> gradient = outputs;
  world.batcher.LossAndGradient(batch, gradient);
  constexpr float kStep = 0.01F;
  for (int i = 0; i < 400; ++i) {
    const std::size_t at = random.IntegerBelow(outputs.size());
    std::vector<float> more = outputs;
    std::vector<float> less = outputs;
    more[at] += kStep;
    less[at] -= kStep;
    const double slope = (TotalLoss(world, batch, more) - TotalLoss(world, batch, less)) / (2.0 * kStep);
    ASSERT_NEAR(slope, gradient[at], 1e-3);
  }
}

TEST(MaskedLoss, LooksAtHiddenColumnsAndAtSlotsWithATokenOnly) {
  const MaskedWorld world(3);
  const MaskedBatch batch = MakeBatch(world, AllUnits(world), 13);
  std::vector<float> gradient(batch.weight.size() * world.shape.slots(), 0.25F);
  world.batcher.LossAndGradient(batch, gradient);
  bool some_slots_are_spare = false;
  for (std::size_t use = 0; use < batch.weight.size(); ++use) {
    for (std::size_t j = 0; j < 4; ++j) {
      const std::size_t tokens = world.transform.column(j).tokens();
      double sum = 0.0;
      for (std::size_t slot = world.shape.first_slot[j]; slot < world.shape.first_slot[j + 1]; ++slot) {
        const float value = gradient[use * world.shape.slots() + slot];
        const bool spare = slot - world.shape.first_slot[j] >= tokens;
        some_slots_are_spare = some_slots_are_spare || spare;
        if (spare || batch.hidden[use * 4 + j] == 0 || batch.weight[use] == 0.0F) {
          ASSERT_EQ(value, 0.0F);
        }
        sum += value;
      }
      ASSERT_NEAR(sum, 0.0, 1e-6) << "a softmax less a one-hot";
    }
  }
  EXPECT_TRUE(some_slots_are_spare) << "the test must see such slots";
}

TEST(MaskedLoss, OfAUnitDoesNotDependOnTheOthers) {
  const MaskedWorld world(3);
  const std::vector<std::uint32_t> all = AllUnits(world);
  const auto loss_of = [&](const std::vector<std::uint32_t>& units) {
    const MaskedBatch batch = MakeBatch(world, units, 14);
    std::vector<float> outputs(batch.weight.size() * world.shape.slots(), 0.5F);
    return world.batcher.LossAndGradient(batch, outputs);
  };
  const std::vector<float> together = loss_of(all);
  for (const std::uint32_t unit : all) EXPECT_EQ(loss_of({unit})[0], together[unit]);
}

}  // namespace
}  // namespace synod::table_diffusion
