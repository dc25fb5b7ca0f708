// The critic as the sites compute it, against the same network by hand at the coordinator.
#include <gtest/gtest.h>

#include <cmath>

#include "models/engine/per_unit_gradient.h"
#include "models/engine/unit_influence.h"
#include "models/wgan/contribution.h"
#include "models/wgan/entries.h"
#include "models/wgan/network.h"
#include "tests/support/deterministic_random.h"
#include "tests/unit/wgan/wgan_fixture.h"

namespace synod::wgan {
namespace {

using testing::Distance;
using testing::Norm;
using testing::WganWorld;

torch::Tensor Vector(const std::vector<float>& values) {
  return torch::tensor(values);
}

TEST(Critic, KeepsUnitsApart) {
  const WganWorld world;
  const Shape& shape = world.adversary.shape();
  const auto network = [&](engine::Tape& tape, const torch::Tensor& input) {
    return CriticForward(shape, tape, input);
  };
  const torch::Tensor input = torch::randn({6, static_cast<std::int64_t>(shape.slots())});
  EXPECT_TRUE(engine::KeepsUnitsApart(network, Vector(world.RandomCritic(1)), input, 3));
}

// What a site gives for one record against the coordinator's own arithmetic on the same tokens. If they differed, real
// and generated rows would not cancel where the generator equals the data.
TEST(Critic, HasTheSameClippedGradientAtASiteAndAtTheCoordinator) {
  for (const char* clipping : {"automatic", "flat", "adaptive"}) {
    WganWorld world;
    const ResolvedRun resolved = testing::Resolve(
        {world.masked.schema, 60,
         std::string("steps = 6\nbatch = 50\ntokens = 6\ncritic_hidden = 5\ncritic_layers = 2\nclipping = "
                     "\"") +
             clipping + "\"\n",
         3.0, 1, "wgan"});
    const auto units = std::make_shared<const UnitTable>(world.masked.units);
    const auto contribution = MakeContribution(resolved.run, units, SecretRandomForTestsOnly::FromSeed(1)).value();
    const Options options = Options::FromJson(resolved.run.options).value();
    const double threshold = std::string_view(clipping) == "adaptive" ? 0.5 : 0.0;
    const SideCoordinates side = gradient_family::SideOf(options, 2.0 * kLossShift).value();
    const engine::ClipPlan clip = gradient_family::ClipPlanOf(options, {}, side.gradient_clip(), threshold).value();
    Query query;
    query.entry = gradient_family::kTrainingEntry;
    query.kind = QueryKind::kGradient;
    query.context = gradient_family::EncodeContext(0.5, world.masked.histogram, threshold);
    query.parameters = world.RandomCritic(3, 0.3);
    const Mlp network(world.adversary.shape().critic);
    for (std::uint32_t unit = 0; unit < 20; ++unit) {
      Result<ClippedSum> sum = contribution->Sum(query, testing::Blocks({unit}, 1));
      ASSERT_TRUE(sum.ok()) << sum.error().message;
      std::vector<double> site = testing::Reveal(std::move(sum).value(), resolved.run.plan->entries()[1].clip);
      site.resize(query.parameters.size());

      Matrix input(1, static_cast<Eigen::Index>(world.adversary.shape().slots()));
      FillCriticInput(world.adversary.shape(), world.transform, world.TokensOf(unit),
                      std::span(input.data(), static_cast<std::size_t>(input.size())));
      const Mlp::Pass pass = network.Forward(query.parameters, input);
      const Mlp::Deltas deltas = network.Backward(query.parameters, pass, Matrix::Ones(1, 1));
      const double norm = std::sqrt(network.SquaredNorms(pass, deltas).at(0));
      const double weight = clip.gamma() > 0.0 ? clip.clip() / (norm + clip.gamma())
                                               : clip.clip() * std::min(1.0 / clip.threshold(), 1.0 / norm);
      std::vector<double> by_hand(site.size(), 0.0);
      network.AddGradient(pass, deltas, std::vector<double>{-weight}, by_hand);
      EXPECT_LT(Distance(site, by_hand), 1e-4) << clipping << ", unit " << unit;
      EXPECT_GT(Norm(site), 0.01);
    }
  }
}

}  // namespace
}  // namespace synod::wgan
