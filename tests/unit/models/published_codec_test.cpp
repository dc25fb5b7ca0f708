#include "models/table_diffusion/published_codec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "models/table_diffusion/published_batch.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::table_diffusion {
namespace {

struct PublishedWorld {
  explicit PublishedWorld(std::size_t most_rows = 1)
      : world(most_rows),
        options(Published(world.options)),
        shape(world.grids, options),
        codec(shape, world.grids, world.histogram, 0.5) {}
  static Options Published(Options options) {
    options.variant = Variant::kPublished;
    options.levels_per_row = options.levels;
    return options;
  }
  testing::MaskedWorld world;
  Options options;
  PublishedShape shape;
  PublishedCodec codec;
};

TEST(PublishedCodec, FindsEveryRowAgainThatHasAShare) {
  const PublishedWorld published;
  std::vector<float> coordinates(published.shape.coordinates());
  std::vector<std::uint16_t> row(4);
  std::vector<std::uint16_t> found(4);
  for (std::size_t i = 0; i < published.world.table->rows(); ++i) {
    for (std::size_t j = 0; j < 4; ++j) row[j] = published.world.cells[j][i];
    for (const double position : {0.1, 0.5, 0.9}) {
      published.codec.Encode(row, position, coordinates);
      published.codec.Decode(coordinates, found);
      ASSERT_EQ(found, row);
    }
  }
}

TEST(PublishedCodec, EncodesNumbersIntoQuantiles) {
  const PublishedWorld published;
  std::vector<float> coordinates(published.shape.coordinates());
  std::vector<std::uint16_t> row(4);
  for (std::size_t i = 0; i < published.world.table->rows(); ++i) {
    for (std::size_t j = 0; j < 4; ++j) row[j] = published.world.cells[j][i];
    published.codec.Encode(row, 0.999, coordinates);
    for (const float value : coordinates) {
      EXPECT_GE(value, 0.0F);
      EXPECT_LE(value, 1.0F);
    }
  }
}

TEST(PublishedCodec, DecodesEverythingIntoCellsThatExist) {
  const PublishedWorld published;
  PublicRandom random(61, "codec");
  std::vector<float> coordinates(published.shape.coordinates());
  std::vector<std::uint16_t> found(4);
  const float odd[] = {std::nanf(""), INFINITY, -INFINITY, 3e38F, -3e38F, 0.0F, 1.0F, -0.0F, 1e-40F};
  for (int round = 0; round < 2000; ++round) {
    for (float& value : coordinates) {
      value = random.IntegerBelow(2) == 0 ? odd[random.IntegerBelow(9)] : static_cast<float>(3.0 * random.Normal());
    }
    published.codec.Decode(coordinates, found);
    for (std::size_t j = 0; j < 4; ++j) ASSERT_LT(found[j], published.world.grids[j].cells());
  }
}

// A network that overshoots must not put rows on the bounds of the schema, where nobody is.
TEST(PublishedCodec, DecodesACoordinateBeyondTheQuantilesIntoACellThatHasAShare) {
  const std::vector<tabular::PublicGrid> grids = {
      tabular::PublicGrid(testing::Number("x", ColumnType::kInteger, 0, 1000))};
  const Options options = PublishedWorld::Published({});
  const PublishedShape shape(grids, options);
  std::vector<float> histogram(grids[0].cells());
  for (const double number : {400.0, 500.0, 600.0}) histogram[grids[0].CellOfNumber(number)] = 50.0F;
  const PublishedCodec codec(shape, grids, histogram, 1.0);
  for (const float value : {-9.0F, -1e-9F, 0.0F, 1.0F, 1.0000001F, 9.0F}) {
    std::vector<std::uint16_t> cell(1);
    codec.Decode(std::vector<float>{value}, cell);
    EXPECT_EQ(histogram[cell[0]], 50.0F) << value;
  }
}

TEST(PublishedCodec, DrawsCellsByTheirShares) {
  const PublishedWorld published;
  for (std::size_t j = 0; j < 4; ++j) {
    std::vector<double> share(published.world.grids[j].cells());
    constexpr int kSteps = 20000;
    for (int i = 0; i < kSteps; ++i) share[published.codec.DrawCell(j, (i + 0.5) / kSteps)] += 1.0 / kSteps;
    const std::vector<double>& wanted = published.world.transform.column(j).cell_probability;
    for (std::size_t cell = 0; cell < share.size(); ++cell) EXPECT_NEAR(share[cell], wanted[cell], 2.0 / kSteps);
  }
}

TEST(PublishedBatch, GivesAUnitTheSameUsesWhoeverElseIsDrawnAndWherever) {
  const PublishedWorld published(3);
  const PublishedBatcher batcher(published.shape, published.options, published.codec, published.world.cells,
                                 published.world.units);
  std::vector<std::uint32_t> all(published.world.units.size());
  std::iota(all.begin(), all.end(), 0U);
  const PublishedBatch together = batcher.Make(all, testing::StreamsOf(all, 5));
  const std::size_t uses = together.weight.size() / all.size();
  EXPECT_EQ(uses, 9U) << "three rows, three levels";
  const std::size_t width = uses * published.shape.coordinates();
  for (const std::uint32_t unit : all) {
    const PublishedBatch alone = batcher.Make(std::vector{unit}, testing::StreamsOf({unit}, 5));
    EXPECT_TRUE(std::equal(alone.noisy.begin(), alone.noisy.end(), together.noisy.begin() + unit * width));
    EXPECT_TRUE(std::equal(alone.target.begin(), alone.target.end(), together.target.begin() + unit * width));
    EXPECT_NEAR(std::accumulate(alone.weight.begin(), alone.weight.end(), 0.0), 1.0, 1e-6);
  }
}

}  // namespace
}  // namespace synod::table_diffusion
