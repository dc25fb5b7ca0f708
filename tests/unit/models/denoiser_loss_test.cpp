#include "models/table_diffusion/denoiser_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/unit/models/model_fixture.h"

namespace synod::table_diffusion {
namespace {

// Numbers of every kind between the categories, and categories of different sizes: where a block begins shows.
struct DenoiserWorld {
  DenoiserWorld() : shape(grids, Denoiser()), codec(shape, grids, Counts(), 0.5) {}

  static Options Denoiser() {
    Options options;
    options.variant = Variant::kDenoiser;
    options.levels_per_row = options.levels;
    options.hidden = 8;
    return options;
  }
  static std::vector<tabular::PublicGrid> Grids() {
    Column gaps = testing::Number("gaps", ColumnType::kContinuous, -1, 1);
    gaps.missing_allowed = true;
    Column kind = testing::Categories("kind", 3);
    kind.missing_allowed = true;
    std::vector<tabular::PublicGrid> grids;
    for (const Column& column : {testing::Categories("first", 7), gaps, testing::Categories("flag", 2),
                                 testing::Number("n", ColumnType::kInteger, 0, 300), kind,
                                 testing::Number("x", ColumnType::kContinuous, 0, 1), testing::Categories("last", 5)}) {
      grids.emplace_back(column);
    }
    return grids;
  }
  std::vector<float> Counts() const {
    std::size_t cells = 0;
    for (const tabular::PublicGrid& grid : grids) cells += grid.cells();
    return std::vector<float>(cells, 20.0F);
  }
  std::vector<std::uint16_t> RandomRow(PublicRandom& random) const {
    std::vector<std::uint16_t> row;
    for (const tabular::PublicGrid& grid : grids) {
      row.push_back(static_cast<std::uint16_t>(random.IntegerBelow(grid.cells())));
    }
    return row;
  }
  PublishedBatch BatchOf(const std::vector<std::uint16_t>& row) const {
    PublishedBatch batch;
    batch.target.resize(shape.coordinates());
    codec.Encode(row, 0.5, batch.target);
    batch.weight = {1.0F};
    return batch;
  }
  // Outputs of a network that is sure of the row.
  std::vector<float> Sure(const PublishedBatch& batch) const {
    std::vector<float> outputs = batch.target;
    for (std::size_t j = 0; j < grids.size(); ++j) {
      const std::size_t logits = grids[j].numeric() ? 1 : 0;
      for (std::size_t i = shape.first_coordinate[j] + logits; i < shape.first_coordinate[j + 1]; ++i) {
        outputs[i] = outputs[i] > 0.5F ? 40.0F : -40.0F;
      }
    }
    return outputs;
  }

  std::vector<tabular::PublicGrid> grids = Grids();
  PublishedShape shape;
  PublishedCodec codec;
};

// The published code read its first block from the wrong place: a loss over shifted blocks and a decoder over right
// ones. Here every block must hold exactly its own column, for every code of every categorical column.
TEST(DenoiserBlocks, HoldTheCodeOfEveryCategoricalColumn) {
  const DenoiserWorld world;
  PublicRandom random(91, "blocks");
  std::size_t end = 0;
  for (std::size_t j = 0; j < world.grids.size(); ++j) {
    EXPECT_EQ(world.shape.first_coordinate[j], end) << "blocks lie side by side";
    end += world.shape.width(j);
    if (world.grids[j].numeric()) continue;
    ASSERT_EQ(world.shape.width(j), world.grids[j].cells());
    for (std::size_t code = 0; code < world.grids[j].cells(); ++code) {
      std::vector<std::uint16_t> row = world.RandomRow(random);
      row[j] = static_cast<std::uint16_t>(code);
      const PublishedBatch batch = world.BatchOf(row);
      for (std::size_t v = 0; v < world.shape.width(j); ++v) {
        EXPECT_EQ(batch.target[world.shape.first_coordinate[j] + v], v == code ? 1.0F : 0.0F);
      }
      std::vector<std::uint16_t> found(row.size());
      world.codec.Decode(batch.target, found);
      EXPECT_EQ(found[j], code);
    }
  }
  EXPECT_EQ(end, world.shape.coordinates());
}

TEST(DenoiserLoss, IsZeroForANetworkThatIsSureOfTheRowAndDrawsItBack) {
  const DenoiserWorld world;
  PublicRandom random(92, "sure");
  for (int round = 0; round < 200; ++round) {
    const std::vector<std::uint16_t> row = world.RandomRow(random);
    const PublishedBatch batch = world.BatchOf(row);
    std::vector<float> outputs = world.Sure(batch);
    std::vector<float> drawn = outputs;
    const std::vector<float> loss = DenoiserLossAndGradient(world.shape, world.grids, batch, 1, outputs);
    EXPECT_NEAR(loss.at(0), 0.0F, 1e-6);
    for (const float slope : outputs) EXPECT_NEAR(slope, 0.0F, 1e-6);
    DrawCleanRow(world.shape, world.grids, random, drawn);
    EXPECT_EQ(drawn, batch.target);
    std::vector<std::uint16_t> found(row.size());
    world.codec.Decode(drawn, found);
    EXPECT_EQ(found, row);
  }
}

TEST(DenoiserLoss, OfANetworkThatSaysNothingIsTheMeanOverColumns) {
  const DenoiserWorld world;
  PublicRandom random(93, "nothing");
  std::vector<std::uint16_t> row = world.RandomRow(random);
  row[1] = static_cast<std::uint16_t>(world.grids[1].missing_cell());
  const PublishedBatch batch = world.BatchOf(row);
  std::vector<float> outputs(batch.target.size(), 0.0F);
  const float loss = DenoiserLossAndGradient(world.shape, world.grids, batch, 1, outputs).at(0);
  double expected = std::log(7.0) + std::log(2.0) + std::log(2.0) + std::log(4.0) + std::log(5.0);
  for (const std::size_t number : {3U, 5U}) {
    expected += std::pow(static_cast<double>(batch.target[world.shape.first_coordinate[number]]), 2.0);
  }
  EXPECT_NEAR(loss, expected / 7.0, 1e-5) << "a missing number is a yes or no and has no value";
  EXPECT_EQ(outputs[world.shape.first_coordinate[1]], 0.0F);
}

TEST(DenoiserLoss, HasTheGradientThatFiniteDifferencesFind) {
  const DenoiserWorld world;
  PublicRandom random(94, "differences");
  for (int round = 0; round < 5; ++round) {
    PublishedBatch batch = world.BatchOf(world.RandomRow(random));
    batch.weight[0] = 0.5F;
    std::vector<float> outputs(batch.target.size());
    random.FillNormal(outputs);
    std::vector<float> gradient = outputs;
    DenoiserLossAndGradient(world.shape, world.grids, batch, 1, gradient);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      constexpr float kStep = 1e-2F;
      const auto loss_at = [&](float shift) {
        std::vector<float> moved = outputs;
        moved[i] += shift;
        return DenoiserLossAndGradient(world.shape, world.grids, batch, 1, moved).at(0);
      };
      EXPECT_NEAR((loss_at(kStep) - loss_at(-kStep)) / (2.0F * kStep), gradient[i], 2e-4) << "coordinate " << i;
    }
  }
}

// 7 categories at 5 standard deviations: a false alarm in about 2 10^5 seeds.
TEST(DenoiserDraws, FollowTheSoftmaxAndAreNotTheLargest) {
  const DenoiserWorld world;
  PublicRandom random(95, "softmax");
  std::vector<double> share(7);
  for (double& p : share) p = 0.05 + random.Uniform();
  const double total = std::accumulate(share.begin(), share.end(), 0.0);
  for (double& p : share) p /= total;
  std::vector<double> drawn(7);
  constexpr int kRows = 20000;
  for (int i = 0; i < kRows; ++i) {
    std::vector<float> outputs(world.shape.coordinates());
    for (std::size_t v = 0; v < 7; ++v) outputs[v] = static_cast<float>(std::log(share[v]) + 3.0);
    DrawCleanRow(world.shape, world.grids, random, outputs);
    for (std::size_t v = 0; v < 7; ++v) drawn[v] += static_cast<double>(outputs[v]) / kRows;
  }
  for (std::size_t v = 0; v < 7; ++v) {
    EXPECT_NEAR(drawn[v], share[v], 5.0 * std::sqrt(share[v] * (1.0 - share[v]) / kRows)) << "category " << v;
  }
}

TEST(DenoiserDraws, AreCleanRowsWhateverTheNetworkSays) {
  const DenoiserWorld world;
  PublicRandom random(96, "anything");
  const float odd[] = {std::nanf(""), INFINITY, -INFINITY, 3e38F, -3e38F, 0.0F, 1.0F, -0.0F, 1e-40F};
  for (int round = 0; round < 2000; ++round) {
    std::vector<float> outputs(world.shape.coordinates());
    for (float& value : outputs) value = odd[random.IntegerBelow(9)];
    DrawCleanRow(world.shape, world.grids, random, outputs);
    for (std::size_t j = 0; j < world.grids.size(); ++j) {
      if (world.grids[j].numeric()) continue;
      const auto first = outputs.begin() + static_cast<std::ptrdiff_t>(world.shape.first_coordinate[j]);
      ASSERT_EQ(std::accumulate(first, first + static_cast<std::ptrdiff_t>(world.shape.width(j)), 0.0F), 1.0F);
    }
    std::vector<std::uint16_t> found(world.grids.size());
    world.codec.Decode(outputs, found);
    for (std::size_t j = 0; j < found.size(); ++j) ASSERT_LT(found[j], world.grids[j].cells());
  }
}

TEST(DenoiserBatch, PredictsTheRowUnderTheNoiseAndThePublishedVariantTheNoise) {
  testing::MaskedWorld world;
  Options options = DenoiserWorld::Denoiser();
  const PublishedShape shape(world.grids, options);
  const PublishedCodec codec(shape, world.grids, world.histogram, 0.5);
  const std::vector<std::uint32_t> units = {3, 8};
  const PublishedBatcher rows(shape, options, codec, world.cells, world.units);
  const PublishedBatch denoised = rows.Make(units, testing::StreamsOf(units, 4));
  Options noise_options = options;
  noise_options.variant = Variant::kPublished;
  const PublishedBatcher noise(shape, noise_options, codec, world.cells, world.units);
  const PublishedBatch published = noise.Make(units, testing::StreamsOf(units, 4));
  EXPECT_EQ(denoised.noisy, published.noisy) << "the same draws";
  for (std::size_t i = 0; i < denoised.noisy.size(); ++i) {
    EXPECT_NEAR(denoised.target[i] + published.target[i], denoised.noisy[i], 1e-6);
  }
  std::vector<std::uint16_t> found(4);
  for (std::size_t use = 0; use < denoised.weight.size(); ++use) {
    codec.Decode(std::span(denoised.target).subspan(use * shape.coordinates(), shape.coordinates()), found);
    for (std::size_t j = 0; j < 4; ++j) EXPECT_EQ(found[j], world.cells[j][units[use / options.levels]]);
  }
}

}  // namespace
}  // namespace synod::table_diffusion
