#include "models/table_diffusion/masked_sampler.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/statistical/chi_square.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::table_diffusion {
namespace {

using testing::MaskedWorld;

std::vector<float> Zeros(std::int64_t count) {
  return std::vector<float>(static_cast<std::size_t>(count), 0.0F);
}

// [slot]: how often each token was drawn in `rows` rows.
std::vector<double> Drawn(const MaskedSampler& sampler, const MaskedShape& shape, std::size_t rows,
                          std::uint64_t seed) {
  PublicRandom random(seed, "draw");
  std::vector<double> count(shape.slots());
  std::vector<std::uint16_t> tokens(shape.columns());
  for (std::size_t row = 0; row < rows; ++row) {
    sampler.DrawRow(random, {}, tokens);
    for (std::size_t j = 0; j < tokens.size(); ++j) count[shape.first_slot[j] + tokens[j]] += 1.0;
  }
  return count;
}

// The largest distance of a column's drawn shares from the wanted ones, half the sum of differences.
double WorstDistance(const MaskedWorld& world, const std::vector<double>& count, double rows) {
  double worst = 0.0;
  for (std::size_t j = 0; j < world.shape.columns(); ++j) {
    double distance = 0.0;
    const std::vector<double>& wanted = world.transform.column(j).probability;
    for (std::size_t v = 0; v < wanted.size(); ++v) {
      distance += 0.5 * std::abs(wanted[v] - count[world.shape.first_slot[j] + v] / rows);
    }
    worst = std::max(worst, distance);
  }
  return worst;
}

// Fixed seed; four columns within 5 standard deviations: a false alarm in about 10^6 seeds.
TEST(MaskedSampler, FollowsTheNoisySharesWhereTheNetworkSaysNothing) {
  const MaskedWorld world;
  const MaskedSampler sampler(world.shape, world.options, world.transform, Zeros(world.shape.parameters()),
                              Zeros(static_cast<std::int64_t>(world.shape.slots())));
  constexpr std::size_t kRows = 40000;
  const std::vector<double> count = Drawn(sampler, world.shape, kRows, 41);
  for (std::size_t j = 0; j < world.shape.columns(); ++j) {
    std::vector<double> expected;
    for (const double p : world.transform.column(j).probability) expected.push_back(kRows * std::max(p, kLeastShare));
    const auto first = count.begin() + static_cast<std::ptrdiff_t>(world.shape.first_slot[j]);
    const std::vector<double> observed(first, first + static_cast<std::ptrdiff_t>(expected.size()));
    EXPECT_LT(std::abs(statistical::ChiSquareDeviations(observed, expected)), 5.0) << "column " << j;
  }
}

TEST(MaskedSampler, IsPulledToTheNoisySharesByCalibration) {
  const MaskedWorld world;
  PublicRandom random(42, "biased");
  std::vector<float> parameters(static_cast<std::size_t>(world.shape.parameters()));
  random.FillNormal(parameters);  // a network that says wrong things about everything
  MaskedSampler sampler(world.shape, world.options, world.transform, parameters,
                        Zeros(static_cast<std::int64_t>(world.shape.slots())));
  constexpr std::size_t kRows = 10000;
  const double before = WorstDistance(world, Drawn(sampler, world.shape, kRows, 43), kRows);
  sampler.Calibrate(1, 10, 4000);
  const double after = WorstDistance(world, Drawn(sampler, world.shape, kRows, 43), kRows);
  EXPECT_GT(before, 0.2);
  EXPECT_LT(after, 0.05);
}

TEST(MaskedSampler, IsCalibratedByPublicRandomnessAlone) {
  const MaskedWorld world;
  const auto offsets = [&](std::uint64_t seed) {
    MaskedSampler sampler(world.shape, world.options, world.transform, Zeros(world.shape.parameters()),
                          Zeros(static_cast<std::int64_t>(world.shape.slots())));
    sampler.Calibrate(seed, 2, 500);
    return sampler.offsets();
  };
  EXPECT_EQ(offsets(1), offsets(1));
  EXPECT_NE(offsets(1), offsets(2));
}

TEST(MaskedSampler, NeverTouchesAGivenToken) {
  const MaskedWorld world;
  PublicRandom random(44, "given");
  std::vector<float> parameters(static_cast<std::size_t>(world.shape.parameters()));
  random.FillNormal(parameters);
  const MaskedSampler sampler(world.shape, world.options, world.transform, parameters,
                              Zeros(static_cast<std::int64_t>(world.shape.slots())));
  std::vector<std::uint16_t> tokens(4);
  const std::vector<GivenToken> given = {{1, 2}, {3, 0}};
  const std::vector<GivenToken> all = {{0, 1}, {1, 2}, {2, 1}, {3, 0}};
  for (int row = 0; row < 200; ++row) {
    sampler.DrawRow(random, given, tokens);
    ASSERT_EQ(tokens[1], 2);
    ASSERT_EQ(tokens[3], 0);
    sampler.DrawRow(random, all, tokens);
    ASSERT_EQ(tokens, (std::vector<std::uint16_t>{1, 2, 1, 0}));
  }
}

// Two binary columns, one hidden number for each: what is shown of a column tells the other to be the same.
struct CopyingNetwork {
  CopyingNetwork() {
    options.hidden = 2;
    options.time_embedding = 0;
    options.tokens = 6;
    grids = {tabular::PublicGrid(testing::Categories("a", 2)), tabular::PublicGrid(testing::Categories("b", 2))};
    shape = std::make_unique<MaskedShape>(grids, options);
    transform = tabular::TokenTransform::FromHistogram(grids, std::vector<float>{30, 70, 30, 70}, 1.0, {6});
    parameters = Zeros(shape->parameters());
    const auto set = [&](std::int64_t offset, std::size_t at, float value) {
      parameters[static_cast<std::size_t>(offset) + at] = value;
    };
    for (std::size_t column = 0; column < 2; ++column) {
      for (std::size_t token = 0; token < 2; ++token) {
        const float sign = token == 0 ? 1.0F : -1.0F;
        set(shape->input.weight_offset, column * 4 + column * 2 + token, 20.0F * sign);           // [hidden, slots]
        set(shape->output.weight_offset, ((1 - column) * 2 + token) * 2 + column, 20.0F * sign);  // [slots, hidden]
      }
    }
  }
  Options options;
  std::vector<tabular::PublicGrid> grids;
  std::unique_ptr<MaskedShape> shape;
  tabular::TokenTransform transform;
  std::vector<float> parameters;
};

TEST(MaskedSampler, FollowsADependenceThatTheWeightsHold) {
  const CopyingNetwork network;
  const MaskedSampler sampler(*network.shape, network.options, network.transform, network.parameters, Zeros(4));
  PublicRandom random(45, "copy");
  std::vector<std::uint16_t> tokens(2);
  double ones = 0.0;
  constexpr int kRows = 10000;
  for (int row = 0; row < kRows; ++row) {
    sampler.DrawRow(random, {}, tokens);
    ASSERT_EQ(tokens[0], tokens[1]);
    ones += tokens[0];
  }
  // 6 standard deviations: a false alarm in 10^8 seeds.
  EXPECT_NEAR(ones / kRows, 0.7, 6.0 * std::sqrt(0.21 / kRows)) << "the first column shown follows its share";
  for (const std::uint16_t token : {std::uint16_t{0}, std::uint16_t{1}}) {
    const std::vector<GivenToken> given = {{1, token}};
    sampler.DrawRow(random, given, tokens);
    EXPECT_EQ(tokens[0], token);
  }
}

}  // namespace
}  // namespace synod::table_diffusion
