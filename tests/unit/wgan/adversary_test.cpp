#include "models/wgan/adversary.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/wgan/wgan_fixture.h"

namespace synod::wgan {
namespace {

using testing::Norm;
using testing::WganWorld;

std::vector<double> GeneratedRows(const WganWorld& world, const std::vector<float>& critic,
                                  const engine::ClipPlan& clip, std::size_t rows, std::uint64_t step = 3) {
  std::vector<double> gradient(critic.size(), 0.0);
  world.adversary.AddGeneratedRows(critic, clip, 1.0, rows, step, gradient);
  return gradient;
}

TEST(Adversary, GivesNoGeneratedRowMoreThanTheClip) {
  const WganWorld world;
  for (const double size : {1e-3, 0.1, 0.5}) {
    for (const engine::ClipPlan& clip :
         {engine::ClipPlan::Flat(0.7), engine::ClipPlan::Flat(0.7).WithThreshold(0.01).value(),
          engine::ClipPlan::Automatic(0.7, 0.007).value()}) {
      for (std::uint64_t step = 0; step < 20; ++step) {
        const double norm = Norm(GeneratedRows(world, world.RandomCritic(step, size), clip, 1, step));
        EXPECT_LE(norm, 0.7 * (1.0 + 1e-5)) << "size " << size;
      }
      const double many = Norm(GeneratedRows(world, world.RandomCritic(1, size), clip, 500));
      EXPECT_LE(many, 0.7 * (1.0 + 1e-5)) << "a mean";
      EXPECT_GT(many, 0.0);
    }
  }
}

TEST(Adversary, DrawsGeneratedRowsFromTheSeedAndTheStepAlone) {
  const WganWorld world;
  const WganWorld same;
  const std::vector<float> critic = world.RandomCritic(1);
  const engine::ClipPlan clip = engine::ClipPlan::Flat(1.0);
  EXPECT_EQ(GeneratedRows(world, critic, clip, 30), GeneratedRows(same, critic, clip, 30));
  EXPECT_NE(GeneratedRows(world, critic, clip, 30), GeneratedRows(world, critic, clip, 30, 4));
}

// -mean D of the mean row + half of the weighted squares, in double precision.
double ExpectedLoss(const WganWorld& world, const std::vector<float>& critic, const std::vector<float>& generator,
                    PublicRandom random) {
  const LatentRows& latent_rows = world.adversary.rows();
  const Shape& shape = world.adversary.shape();
  const Matrix p = latent_rows.Probabilities(
      latent_rows.Forward(generator, latent_rows.Latents(random, world.options.generator_rows)).output);
  Matrix input = p;
  double penalty = 0.0;
  for (std::size_t j = 0; j < shape.columns(); ++j) {
    const std::vector<double>& shares = world.transform.column(j).probability;
    for (std::size_t v = 0; v < shares.size(); ++v) {
      const auto slot = static_cast<Eigen::Index>(shape.first_slot[j] + v);
      input.col(slot).array() -= static_cast<float>(shares[v]);
      const double gap = p.col(slot).cast<double>().mean() - shares[v];
      penalty += 0.5 * world.options.one_way_weight * gap * gap / (shares[v] + 1e-3);
    }
  }
  const Mlp network(shape.critic);
  return penalty - network.Forward(critic, input).output.cast<double>().mean();
}

// Straight through is exact where the critic is linear: all of its hidden units are far above the kink.
TEST(Adversary, HasTheGeneratorGradientThatFiniteDifferencesFindUnderALinearCritic) {
  Options options = WganWorld::SmallOptions();
  options.critic_layers = 1;
  options.clamp = 100.0;
  for (const double weight : {0.0, 2.0}) {
    options.one_way_weight = weight;
    const WganWorld world(options);
    std::vector<float> critic = world.RandomCritic(7, 0.3);
    const engine::LinearLayer& first = world.adversary.shape().critic.front();
    for (std::int64_t i = 0; i < first.out; ++i) critic[static_cast<std::size_t>(first.bias_offset + i)] = 5.0F;
    const std::vector<float> generator = world.RandomGenerator(8, 0.6);
    PublicRandom random(9, "test.generator");
    const std::vector<double> gradient = world.adversary.GeneratorGradient(critic, generator, random);
    ASSERT_GT(Norm(gradient), 0.01);
    std::vector<double> found;
    std::vector<double> expected;
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const auto loss = [&](float shift) {
        std::vector<float> moved = generator;
        moved[i] += shift;
        return ExpectedLoss(world, critic, moved, PublicRandom(9, "test.generator"));
      };
      constexpr float kShift = 1e-2F;
      const double here = loss(0.0F);
      const double forward = (loss(kShift) - here) / kShift;
      const double backward = (here - loss(-kShift)) / kShift;
      if (std::abs(forward - backward) > 3e-2 * (0.05 + std::abs(gradient[i]))) continue;  // a kink, or a bend
      found.push_back(0.5 * (forward + backward));
      expected.push_back(gradient[i]);
    }
    EXPECT_LT(testing::Distance(found, expected), 0.1 * Norm(expected)) << "float rounding alone is between them";
    EXPECT_GT(found.size(), gradient.size() / 2);
  }
}

// A critic that loves one value of one column: the generator must come to draw it.
TEST(Adversary, TeachesTheGeneratorWhatTheCriticLoves) {
  Options options = WganWorld::SmallOptions();
  options.one_way_weight = 0.0;
  options.critic_layers = 1;
  WganWorld world(options);
  const Shape& shape = world.adversary.shape();
  std::vector<float> critic(static_cast<std::size_t>(shape.critic_builder.size()), 0.0F);
  const std::size_t slot = shape.first_slot[1] + 2;
  critic[slot] = 0.5F;                                                         // of hidden unit 0
  critic[static_cast<std::size_t>(shape.critic.back().weight_offset)] = 0.5F;  // of hidden unit 0
  const auto mean = [&] {
    PublicRandom random(3, "test.latents");
    const LatentRows& rows = world.adversary.rows();
    return rows.Probabilities(rows.Forward(world.adversary.parameters(), rows.Latents(random, 500)).output)
        .col(static_cast<Eigen::Index>(slot))
        .mean();
  };
  const float before = mean();
  for (std::uint64_t step = 1; step <= 200; ++step) world.adversary.TrainGenerator(critic, 0.01, step);
  EXPECT_LT(before, 0.5F);
  EXPECT_GT(mean(), 0.9F);
}

TEST(Adversary, StartsWithinTheClampAndFromTheSeed) {
  Options options = WganWorld::SmallOptions();
  options.clamp = 0.05;
  const WganWorld world(options);
  const std::vector<float> critic = InitialCritic(world.adversary.shape(), options, 4);
  for (const float value : critic) EXPECT_LE(std::abs(value), 0.05F);
  EXPECT_EQ(critic, InitialCritic(world.adversary.shape(), options, 4));
  EXPECT_NE(critic, InitialCritic(world.adversary.shape(), options, 5));
  EXPECT_NE(InitialGenerator(world.adversary.shape(), 4), InitialGenerator(world.adversary.shape(), 5));
}

}  // namespace
}  // namespace synod::wgan
