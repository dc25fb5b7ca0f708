#include "models/attention/network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "models/attention/sampler.h"
#include "models/engine/unit_influence.h"
#include "tests/unit/attention/attention_fixture.h"

namespace synod::attention {
namespace {

using testing::AttentionWorld;
using testing::SmallAttention;

torch::Tensor Parameters(const std::vector<float>& values) {
  return torch::tensor(values, torch::kFloat32);
}

torch::Tensor Rows(const std::vector<float>& values, std::size_t rows) {
  return torch::tensor(values, torch::kFloat32).view({static_cast<std::int64_t>(rows), -1});
}

TEST(AttentionNetwork, KeepsUnitsApart) {
  for (const bool together : {false, true}) {
    const AttentionWorld world(SmallAttention(together ? Decoding::kTogether : Decoding::kOneByOne, 2));
    std::vector<std::uint32_t> units = {3, 8, 11, 20};
    const Batch batch = world.batcher.Make(units, testing::StreamsOf(units, 3));
    const auto rows = batch.weight.size();
    const torch::Tensor mask = Rows(batch.mask, rows);
    const torch::Tensor noise = Rows(batch.noise, rows);
    const auto network = [&](engine::Tape& tape, const torch::Tensor& shares) {
      const NetworkOutput output = Forward(world.shape, together, tape, {shares, mask, noise});
      return torch::cat({output.logits, output.divergence.unsqueeze(1)}, 1);
    };
    EXPECT_TRUE(engine::KeepsUnitsApart(network, Parameters(world.Parameters(0.5)), Rows(batch.shares, rows), 4));
  }
}

TEST(AttentionNetwork, LooksOnlyAtWhatIsRevealed) {
  const AttentionWorld world(SmallAttention(Decoding::kOneByOne, 0));
  std::vector<std::uint32_t> units(20);
  std::iota(units.begin(), units.end(), 0U);
  const Batch batch = world.batcher.Make(units, testing::StreamsOf(units, 3));
  const auto rows = batch.weight.size();
  std::vector<float> blank = batch.shares;
  for (std::size_t use = 0; use < rows; ++use) {
    for (std::size_t j = 0; j < world.shape.columns(); ++j) {
      if (batch.mask[use * world.shape.places_count() + j] == 0.0F) continue;
      const auto first = blank.begin() + static_cast<std::ptrdiff_t>(use * world.shape.slots());
      std::fill(first + static_cast<std::ptrdiff_t>(world.shape.first_slot[j]),
                first + static_cast<std::ptrdiff_t>(world.shape.first_slot[j + 1]), 5.0F);
    }
  }
  const torch::Tensor parameters = Parameters(world.Parameters(0.5));
  const auto logits = [&](const std::vector<float>& shares) {
    engine::Tape tape(parameters, static_cast<std::int64_t>(rows), 1, /*record=*/false);
    return Forward(world.shape, false, tape, {Rows(shares, rows), Rows(batch.mask, rows), {}}).logits;
  };
  EXPECT_TRUE(torch::equal(logits(batch.shares), logits(blank)));
}

// The closed form against the integral of q log(q / p) over 20 standard deviations.
TEST(AttentionNetwork, HasTheDivergenceThatTheIntegralSays) {
  for (const double mean : {-1.5, 0.0, 2.0}) {
    for (const double log_variance : {-3.0, 0.0, 1.2}) {
      const double deviation = std::exp(0.5 * log_variance);
      double integral = 0.0;
      const double step = deviation / 500.0;
      for (int i = -5000; i <= 5000; ++i) {
        const double z = mean + i * step;
        const double log_q = -0.5 * std::pow((z - mean) / deviation, 2) - std::log(deviation);
        integral += std::exp(log_q) / std::sqrt(2.0 * M_PI) * (log_q + 0.5 * z * z) * step;
      }
      const torch::Tensor closed = DivergenceFromPrior(torch::full({1, 1}, mean), torch::full({1, 1}, log_variance));
      EXPECT_NEAR(closed.item<double>(), integral, 1e-4 * (1.0 + integral));
    }
  }
}

// Two columns of three values: the joint distribution by the network, over both orders of revealing and 4000 latent
// vectors, and what the sampler draws.
class SamplerAgainstNetwork : public ::testing::TestWithParam<std::pair<bool, std::uint32_t>> {};

INSTANTIATE_TEST_SUITE_P(Decodings, SamplerAgainstNetwork,
                         ::testing::Values(std::pair{false, 0U}, std::pair{false, 2U}, std::pair{true, 2U}),
                         [](const auto& instance) {
                           return std::string(instance.param.first ? "Together" : "OneByOne") +
                                  std::to_string(instance.param.second);
                         });

// 40000 rows: a joint share of 1/9 has a standard deviation of 0.0016, and the latent vectors add as much; 0.012 is
// more than five of them for each of nine.
TEST_P(SamplerAgainstNetwork, DrawsWhatTheNetworkSays) {
  const auto [together, latent] = GetParam();
  const AttentionWorld world(SmallAttention(together ? Decoding::kTogether : Decoding::kOneByOne, latent),
                             testing::SchemaOf({testing::Categories("a", 3), testing::Categories("b", 3)}));
  std::vector<float> parameters = world.Parameters(0.8, 3);
  // An encoder that says nothing: its latent vector is the prior's.
  if (latent > 0) {
    const auto first = parameters.begin() + world.shape.posterior.weight_offset;
    std::fill(first, first + 2 * latent * (world.options.hidden + 1), 0.0F);
  }
  const std::int64_t draws = latent > 0 ? 4000 : 1;
  PublicRandom random(71, "latent");
  std::vector<float> noise(static_cast<std::size_t>(draws) * latent);
  random.FillNormal(noise);
  // P(column | revealed cell of the other, or nothing) for every latent vector, [draws, 3].
  const auto conditional = [&](std::size_t column, std::optional<std::size_t> other) {
    const std::size_t places = world.shape.places_count();
    std::vector<float> shares(world.shape.slots(), 0.0F);
    std::vector<float> mask(places, -INFINITY);
    if (latent > 0) mask.back() = 0.0F;
    for (std::size_t j = 0; j < 2; ++j) {
      for (std::size_t m = 0; m < 3; ++m) {
        shares[3 * j + m] = -static_cast<float>(world.codes[j].base()[m]);
      }
    }
    if (other) {
      shares[3 * (1 - column) + *other] += 1.0F;
      mask[1 - column] = 0.0F;
    }
    engine::Tape tape(Parameters(parameters), draws, 1, /*record=*/false);
    const NetworkOutput output = Forward(world.shape, together, tape,
                                         {Rows(shares, 1).repeat({draws, 1}), Rows(mask, 1).repeat({draws, 1}),
                                          latent > 0 ? Rows(noise, static_cast<std::size_t>(draws)) : torch::Tensor()});
    const torch::Tensor base = torch::tensor(world.codes[column].log_base(), torch::kFloat32);
    return torch::softmax(output.logits.narrow(1, static_cast<std::int64_t>(3 * column), 3) + base, 1);
  };
  std::map<std::pair<std::size_t, std::size_t>, double> expected;
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::size_t b = 0; b < 3; ++b) {
      const auto at = [](const torch::Tensor& p, std::size_t value) {
        return p.select(1, static_cast<std::int64_t>(value));
      };
      const torch::Tensor alone = at(conditional(0, {}), a);
      const torch::Tensor joint =
          together ? alone * at(conditional(1, {}), b)
                   : 0.5 * (alone * at(conditional(1, a), b) + at(conditional(1, {}), b) * at(conditional(0, b), a));
      expected[{a, b}] = joint.mean().item<double>();
    }
  }
  const Sampler sampler(world.shape, world.options, world.codes, parameters,
                        std::vector<float>(world.shape.slots(), 0.0F));
  std::map<std::pair<std::size_t, std::size_t>, double> drawn;
  Sampler::Workspace work = sampler.MakeWorkspace();
  std::vector<std::uint16_t> cells(2);
  for (int row = 0; row < 40000; ++row) {
    sampler.DrawRow(random, {}, work, cells);
    drawn[{cells[0], cells[1]}] += 1.0 / 40000.0;
  }
  for (const auto& [pair, share] : expected) EXPECT_NEAR(drawn[pair], share, 0.012) << pair.first << pair.second;
}

}  // namespace
}  // namespace synod::attention
