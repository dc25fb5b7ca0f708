#include "models/wgan/latent_rows.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/wgan/wgan_fixture.h"

namespace synod::wgan {
namespace {

using testing::WganWorld;

Matrix ProbabilitiesOf(const WganWorld& world, const std::vector<float>& parameters, std::size_t rows,
                       std::span<const float> offsets = {}) {
  PublicRandom random(3, "test.latents");
  const LatentRows& latent_rows = world.adversary.rows();
  return latent_rows.Probabilities(latent_rows.Forward(parameters, latent_rows.Latents(random, rows)).output, offsets);
}

// The largest distance of a column's mean probabilities from its noisy shares.
double WorstDistance(const WganWorld& world, const Matrix& probabilities) {
  double worst = 0.0;
  const Shape& shape = world.adversary.shape();
  for (std::size_t j = 0; j < shape.columns(); ++j) {
    double distance = 0.0;
    const std::vector<double>& shares = world.transform.column(j).probability;
    for (std::size_t v = 0; v < shares.size(); ++v) {
      const auto slot = static_cast<Eigen::Index>(shape.first_slot[j] + v);
      distance += 0.5 * std::abs(static_cast<double>(probabilities.col(slot).mean()) - shares[v]);
    }
    worst = std::max(worst, distance);
  }
  return worst;
}

TEST(LatentRows, HaveASoftmaxForEachColumnAndNothingInSlotsWithoutAToken) {
  const WganWorld world;
  const Matrix probabilities = ProbabilitiesOf(world, world.RandomGenerator(1, 2.0), 50);
  const Shape& shape = world.adversary.shape();
  for (Eigen::Index row = 0; row < probabilities.rows(); ++row) {
    for (std::size_t j = 0; j < shape.columns(); ++j) {
      const auto first = static_cast<Eigen::Index>(shape.first_slot[j]);
      const auto tokens = static_cast<Eigen::Index>(world.transform.column(j).tokens());
      const auto width = static_cast<Eigen::Index>(shape.first_slot[j + 1]) - first;
      EXPECT_NEAR(probabilities.row(row).segment(first, tokens).sum(), 1.0F, 1e-5);
      EXPECT_EQ(probabilities.row(row).segment(first + tokens, width - tokens).cwiseAbs().sum(), 0.0F);
    }
  }
}

TEST(LatentRows, FollowTheNoisySharesWhereTheNetworkSaysNothing) {
  const WganWorld world;
  const std::vector<float> silent(static_cast<std::size_t>(world.adversary.shape().generator_builder.size()), 0.0F);
  EXPECT_LT(WorstDistance(world, ProbabilitiesOf(world, silent, 3)), 1e-3);
}

// Other latent vectors than those that the offsets were fitted on: what is left is the spread of 20,000 of them.
TEST(LatentRows, AreFittedToTheNoisyShares) {
  const WganWorld world;
  const std::vector<float> parameters = world.RandomGenerator(2, 1.0);
  const std::vector<float> offsets = world.adversary.rows().FitOffsets(parameters, 1, 40);
  EXPECT_GT(WorstDistance(world, ProbabilitiesOf(world, parameters, 20000)), 0.1);
  EXPECT_LT(WorstDistance(world, ProbabilitiesOf(world, parameters, 20000, offsets)), 0.03);
  EXPECT_EQ(offsets, world.adversary.rows().FitOffsets(parameters, 1, 40)) << "public randomness alone";
  EXPECT_NE(offsets, world.adversary.rows().FitOffsets(parameters, 2, 40));
}

// Every slot within 5 standard deviations: a false alarm in about 10^5 seeds.
TEST(LatentRows, AreDrawnByTheirProbabilities) {
  const WganWorld world;
  const Matrix one = ProbabilitiesOf(world, world.RandomGenerator(3, 1.0), 1);
  constexpr int kRows = 20000;
  PublicRandom random(4, "test.draws");
  const std::vector<std::uint16_t> tokens = world.adversary.rows().Draw(one.replicate(kRows, 1), random);
  const Shape& shape = world.adversary.shape();
  std::vector<double> drawn(shape.slots());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::size_t j = i % shape.columns();
    ASSERT_LT(tokens[i], world.transform.column(j).tokens());
    drawn[shape.first_slot[j] + tokens[i]] += 1.0 / kRows;
  }
  for (std::size_t slot = 0; slot < drawn.size(); ++slot) {
    const double p = one(0, static_cast<Eigen::Index>(slot));
    EXPECT_NEAR(drawn[slot], p, 5.0 * std::sqrt(p * (1.0 - p) / kRows) + 1e-6) << "slot " << slot;
  }
}

}  // namespace
}  // namespace synod::wgan
