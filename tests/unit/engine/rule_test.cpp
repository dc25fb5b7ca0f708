// Every rule against autograd of one unit at a time in float64, against finite differences, and under attack.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "models/engine/attention.h"
#include "models/engine/lu_linear.h"
#include "models/engine/per_unit_gradient.h"
#include "models/engine/unit_influence.h"
#include "tests/unit/engine/clip_plan_for_tests.h"
#include "tests/unit/engine/test_network.h"

namespace synod::engine {
namespace {

using torch::Tensor;

PerUnitGradient GradientOf(const TestNetwork& network, const Tensor& parameters, const TestBatch& batch,
                           const ClipPlan& plan) {
  Tape tape(parameters, batch.units, batch.uses);
  const Tensor losses = LossesOf(network.taped(tape, batch), batch);
  return {tape, losses, plan};
}

Tensor SumOf(const PerUnitGradient& gradient, std::int64_t first, std::int64_t last, std::int64_t parameters) {
  std::vector<float> flat(static_cast<std::size_t>(parameters));
  gradient.BlockSum(first, last, flat);
  return torch::tensor(flat).to(torch::kFloat64);
}

double NormOf(const Tensor& values) {
  return values.norm().item<double>();
}

class RuleForUses : public ::testing::TestWithParam<std::tuple<std::size_t, std::int64_t>> {
 protected:
  const TestNetwork& network() const { return TestNetworks()[std::get<0>(GetParam())]; }
  std::int64_t uses() const { return std::get<1>(GetParam()); }
};

TEST_P(RuleForUses, NormsAndSumsEqualAutogradOfOneUnitAtATime) {
  const TestBatch batch = TestBatch::Random(7, uses(), 1);
  const Tensor parameters = RandomParameters(network(), 2);
  const ClipPlan plan = ClipPlanForTestsOnly::WithoutMagnitudeBound(ClipPlan::Flat(0.8));
  const PerUnitGradient gradient = GradientOf(network(), parameters, batch, plan);
  Tensor expected = torch::zeros({parameters.numel()}, torch::kFloat64);
  int clipped = 0;
  for (std::int64_t unit = 0; unit < batch.units; ++unit) {
    const Tensor own = UnitGradientOf(network(), parameters, batch, unit);
    const double bound = gradient.norms()[unit].item<double>();
    EXPECT_GE(bound, NormOf(own) * (1.0 - 1e-5));
    EXPECT_LE(bound, NormOf(own) * 1.05);
    EXPECT_EQ(gradient.clipped()[unit].item<bool>(), bound > 0.8);
    clipped += bound > 0.8 ? 1 : 0;
    expected += own * std::min(1.0, 0.8 / bound);
  }
  EXPECT_GT(clipped, 0);
  EXPECT_LT(NormOf(SumOf(gradient, 0, 7, parameters.numel()) - expected), 2e-4 * NormOf(expected));
}

TEST_P(RuleForUses, SumsEqualFiniteDifferencesOfTheLoss) {
  const TestBatch batch = TestBatch::Random(3, uses(), 3);
  const Tensor parameters = RandomParameters(network(), 4);
  const Tensor sum = SumOf(GradientOf(network(), parameters, batch, ClipPlan::Flat(1e6)), 0, 3, parameters.numel());
  for (int trial = 0; trial < 3; ++trial) {
    const Tensor direction = torch::randn({parameters.numel()}, torch::kFloat64);
    const auto loss = [&](double step) {
      const Tensor flat = parameters.to(torch::kFloat64) + step * direction;
      return LossesOf(network().plain(flat, batch), batch).sum().item<double>();
    };
    const double difference = (loss(1e-5) - loss(-1e-5)) / 2e-5;
    EXPECT_NEAR((sum * direction).sum().item<double>(), difference, 1e-4 * NormOf(sum) * NormOf(direction));
  }
}

TEST_P(RuleForUses, OrderAndDuplicatesOfUnitsChangeNoUnitsGradient) {
  const TestBatch batch = TestBatch::Random(5, uses(), 5);
  const Tensor parameters = RandomParameters(network(), 6);
  const std::vector<std::int64_t> order = {3, 0, 4, 3, 1, 2, 3};
  const PerUnitGradient before = GradientOf(network(), parameters, batch, ClipPlan::Flat(0.5));
  const PerUnitGradient after = GradientOf(network(), parameters, batch.Select(order), ClipPlan::Flat(0.5));
  Tensor expected = torch::zeros({parameters.numel()}, torch::kFloat64);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const double norm = before.norms()[order[i]].item<double>();
    EXPECT_NEAR(after.norms()[static_cast<std::int64_t>(i)].item<double>(), norm, 1e-5 * norm);
    expected += SumOf(before, order[i], order[i] + 1, parameters.numel());
  }
  EXPECT_LT(NormOf(SumOf(after, 0, 7, parameters.numel()) - expected), 1e-5 * NormOf(expected));
}

TEST_P(RuleForUses, AUnitThatIsNotFiniteContributesZeroAndHarmsNoOther) {
  const Tensor parameters = RandomParameters(network(), 8);
  for (const double poison : {std::nan(""), static_cast<double>(INFINITY), 3e38}) {
    TestBatch batch = TestBatch::Random(4, uses(), 7);
    const TestBatch clean = batch.Select({0, 2, 3});
    const std::int64_t row = 2 * uses() - 1;  // the last row of unit 1
    batch.rows[row][1] = poison;
    batch.tokens[row][2][1] = poison;
    batch.images[row][0][1][1] = poison;
    const PerUnitGradient gradient = GradientOf(network(), parameters, batch, ClipPlan::Flat(0.5));
    const PerUnitGradient without = GradientOf(network(), parameters, clean, ClipPlan::Flat(0.5));
    if (std::isnan(poison) && network().name != "one_hot_linear_and_embedding") {
      EXPECT_FALSE(gradient.finite()[1].item<bool>());
    }
    const Tensor own = SumOf(gradient, 1, 2, parameters.numel());
    EXPECT_TRUE(own.isfinite().all().item<bool>());
    EXPECT_LE(NormOf(own), 0.5);
    if (!gradient.finite()[1].item<bool>()) {
      EXPECT_EQ(NormOf(own), 0.0);
    }
    const Tensor expected = SumOf(without, 0, 3, parameters.numel());
    EXPECT_LT(NormOf(SumOf(gradient, 0, 4, parameters.numel()) - own - expected), 1e-5 * NormOf(expected));
  }
}

// Every part of a unit's contribution keeps its own bound, and so does the whole, from tiny to huge rows.
TEST_P(RuleForUses, NoPartOfAUnitExceedsItsBoundUnderAnyMode) {
  const std::vector<ParameterRange>& layers = network().builder.layers();
  const double clip = 0.01;
  std::vector<ClipPlan> plans = {ClipPlan::Flat(clip),
                                 *ClipPlan::Automatic(clip, 0.01),
                                 *ClipPlan::PerLayer(layers, clip),
                                 *ClipPlan::PerNeuron(layers, clip),
                                 *ClipPlan::Flat(clip).WithThreshold(20.0),
                                 *ClipPlan::Flat(clip).WithThreshold(1e-4)};
  for (const double scale : {1e-18, 1e-6, 1.0, 30.0, 1e9, 1e17}) {
    const TestBatch batch = TestBatch::Random(3, uses(), 9).Scaled(scale);
    const Tensor parameters = RandomParameters(network(), 10);
    for (const ClipPlan& plan : plans) {
      const PerUnitGradient gradient = GradientOf(network(), parameters, batch, plan);
      for (std::int64_t unit = 0; unit < 3; ++unit) {
        const Tensor own = SumOf(gradient, unit, unit + 1, parameters.numel());
        EXPECT_LE(NormOf(own), clip);
        for (const ClipGroup& group : plan.groups()) {
          double squares = 0.0;
          for (const double bound : group.bounds) squares += bound * bound;
          EXPECT_LE(NormOf(own.narrow(0, group.offset, group.size)), std::sqrt(squares));
        }
      }
    }
  }
}

TEST_P(RuleForUses, PerLayerClippingScalesEachLayersGradientByItself) {
  const TestBatch batch = TestBatch::Random(4, uses(), 11);
  const Tensor parameters = RandomParameters(network(), 12);
  const ClipPlan plan =
      ClipPlanForTestsOnly::WithoutMagnitudeBound(*ClipPlan::PerLayer(network().builder.layers(), 0.5));
  const PerUnitGradient gradient = GradientOf(network(), parameters, batch, plan);
  for (std::int64_t unit = 0; unit < 4; ++unit) {
    const Tensor exact = UnitGradientOf(network(), parameters, batch, unit);
    const Tensor own = SumOf(gradient, unit, unit + 1, parameters.numel());
    for (const ClipGroup& group : plan.groups()) {
      const Tensor part = exact.narrow(0, group.offset, group.size);
      const Tensor expected = part * std::min(1.0, group.bounds[0] / (NormOf(part) + 1e-30));
      EXPECT_LT(NormOf(own.narrow(0, group.offset, group.size) - expected), 0.03 * group.bounds[0]);
    }
  }
}

std::string NameOf(const ::testing::TestParamInfo<RuleForUses::ParamType>& info) {
  return TestNetworks()[std::get<0>(info.param)].name + "_" + std::to_string(std::get<1>(info.param)) + "_uses";
}

INSTANTIATE_TEST_SUITE_P(Networks, RuleForUses,
                         ::testing::Combine(::testing::Range<std::size_t>(0, 14), ::testing::Values(1, 3)), NameOf);

TEST(Rules, EveryTestNetworkIsTested) {
  EXPECT_EQ(TestNetworks().size(), 14U);
}

TEST(Rules, ATableIsClippedNeuronByNeuronOverItsCodes) {
  // Neuron j of a table [codes, out] is column j, and so is its bias: the mean of a unit's codes must not blur that.
  ParameterBuilder builder;
  const OneHotLinearLayer layer = builder.OneHotLinear("layer", 5, 3);
  const ClipPlan plan = *ClipPlan::PerNeuron(builder.layers(), std::sqrt(3.0));
  Tape tape(torch::zeros({builder.size()}), 1, 2);
  const Tensor output = tape.OneHotLinear(layer, torch::tensor({{0, 2}, {2, -1}}, torch::kInt64));
  const Tensor weights = torch::tensor({{1.0F, 100.0F, 0.01F}, {1.0F, -100.0F, 0.01F}});
  const PerUnitGradient gradient(tape, (output * weights).sum().unsqueeze(0), plan);
  const Tensor own = SumOf(gradient, 0, 1, builder.size());
  // Neuron 1: code 0 gets 100, code 2 gets 100 - 100 = 0, the bias 0. Neuron 0: 1, 2 and 2: norm 3.
  EXPECT_NEAR(own[0 * 3 + 1].item<double>(), 1.0, 1e-3);
  EXPECT_NEAR(own[2 * 3 + 1].item<double>(), 0.0, 1e-3);
  EXPECT_NEAR(own[2 * 3 + 0].item<double>(), 2.0 / 3.0, 1e-3);
  EXPECT_NEAR(own[15 + 0].item<double>(), 2.0 / 3.0, 1e-3);
  EXPECT_NEAR(own[2 * 3 + 2].item<double>(), 0.02, 1e-5);
}

TEST(Rules, NeuronsOfALinearLayerAreClippedOneByOne) {
  ParameterBuilder builder;
  const LinearLayer layer = builder.Linear("layer", 2, 2);
  const ClipPlan plan = *ClipPlan::PerNeuron(builder.layers(), std::sqrt(2.0));
  Tape tape(torch::zeros({builder.size()}), 1, 1);
  const Tensor output = tape.Linear(layer, torch::tensor({{2.0F, 2.0F}}));
  const PerUnitGradient gradient(tape, (output * torch::tensor({{10.0F, 0.1F}})).sum().unsqueeze(0), plan);
  const Tensor own = SumOf(gradient, 0, 1, builder.size());
  // Row 0: 10 (2, 2, 1), norm 30, brought to 1. Row 1: 0.1 (2, 2, 1), norm 0.3, left alone.
  const Tensor expected = torch::tensor({2.0 / 3.0, 2.0 / 3.0, 0.2, 0.2, 1.0 / 3.0, 0.1}, torch::kFloat64);
  EXPECT_LT(NormOf(own - expected), 1e-4);
}

TEST(Rules, NormsSurviveUnderflowOfSquares) {
  // Squares of these gradients vanish in float32 while the products with the inputs do not.
  ParameterBuilder builder;
  const LinearLayer layer = builder.Linear("layer", 3, 2, false);
  for (const std::int64_t uses : {1, 4}) {
    for (const bool by_neuron : {false, true}) {
      Tape tape(torch::zeros({builder.size()}), 1, uses);
      const Tensor output = tape.Linear(layer, torch::full({uses, 3}, 1e17F));
      const ClipPlan plan = by_neuron ? *ClipPlan::PerNeuron(builder.layers(), 1e-9) : ClipPlan::Flat(1e-9);
      const PerUnitGradient gradient(tape, (output * 1e-24F).sum().unsqueeze(0), plan);
      EXPECT_GE(gradient.norms()[0].item<double>(), 2.4e-7 * static_cast<double>(uses));
      EXPECT_LE(NormOf(SumOf(gradient, 0, 1, builder.size())), 1e-9);
    }
  }
}

TEST(Rules, CancellingUsesKeepTheirBoundNeuronByNeuronAndBuilt) {
  // Opposite huge gradients whose pair sums cancel to rounding noise; wide layers use pairs, narrow ones are built.
  torch::manual_seed(13);
  for (const std::int64_t width : {64, 2}) {
    ParameterBuilder builder;
    const LinearLayer layer = builder.Linear("layer", width, width);
    for (int trial = 0; trial < 40; ++trial) {
      const Tensor input = torch::randn({1, width}) * 1000.0;
      const Tensor direction = torch::randn({1, width}) * 1000.0;
      const Tensor rows = torch::cat({input, input * (1.0 + 1e-6 * trial), input, input});
      const Tensor signs = torch::cat({direction, -direction, direction, -direction});
      const Tensor exact = torch::mm(signs.to(torch::kFloat64).t(), rows.to(torch::kFloat64));
      const ClipPlan neurons = *ClipPlan::PerNeuron(builder.layers(), 1.0);
      for (const ClipPlan& plan : {ClipPlan::Flat(1.0), neurons}) {
        Tape tape(torch::zeros({builder.size()}), 1, 4);
        const Tensor loss = (tape.Linear(layer, rows) * signs).sum().unsqueeze(0);
        const PerUnitGradient gradient(tape, loss, plan);
        EXPECT_GE(gradient.norms()[0].item<double>(), NormOf(exact));
        EXPECT_LE(NormOf(SumOf(gradient, 0, 1, builder.size())), 1.0);
      }
    }
  }
}

TEST(Rules, ALayerThatTheLossIgnoresHasGradientZero) {
  ParameterBuilder builder;
  const LinearLayer used = builder.Linear("used", 2, 2);
  const LinearLayer ignored = builder.Linear("ignored", 2, 2);
  const LinearLayer absent = builder.Linear("absent", 2, 2);
  Tape tape(torch::ones({builder.size()}), 2, 1);
  const Tensor input = torch::ones({2, 2});
  tape.Linear(ignored, input);
  const PerUnitGradient gradient(tape, tape.Linear(used, input).sum(1), ClipPlan::Flat(1.0));
  std::vector<float> flat(static_cast<std::size_t>(builder.size()), 7.0F);
  gradient.BlockSum(0, 2, flat);
  for (std::int64_t i = ignored.weight_offset; i < builder.size(); ++i)
    EXPECT_EQ(flat[static_cast<std::size_t>(i)], 0.0F);
  EXPECT_NE(flat[0], 0.0F);
  EXPECT_EQ(absent.weight_offset, 12);
}

TEST(Rules, AttentionKeepsUnitsApartAndABatchMeanDoesNot) {
  ParameterBuilder builder;
  const AttentionLayer layer = builder.Attention("layer", 4, 2);
  torch::manual_seed(14);
  const Tensor parameters = torch::randn({builder.size()});
  const Tensor input = torch::randn({6, 3, 4});
  const auto good = [&](Tape& tape, const Tensor& x) { return Attend(tape, layer, x); };
  const auto centred = [&](Tape& tape, const Tensor& x) { return Attend(tape, layer, x - x.mean(0, true)); };
  const auto across = [&](Tape& tape, const Tensor& x) {
    return Attend(tape, layer, x.transpose(0, 1).reshape({6, 3, 4}));
  };
  EXPECT_TRUE(KeepsUnitsApart(good, parameters, input, 3));
  EXPECT_FALSE(KeepsUnitsApart(centred, parameters, input, 3));
  EXPECT_FALSE(KeepsUnitsApart(across, parameters, input, 3));
}

TEST(Rules, AnLuLayerIsUndoneByItsInverseAndKnowsItsDeterminant) {
  ParameterBuilder builder;
  const LuLinearLayer layer = builder.LuLinear("layer", {2, 0, 3, 1});
  torch::manual_seed(17);
  const Tensor parameters = torch::randn({builder.size()});
  const Tensor input = torch::randn({5, 4});
  Tape tape(parameters, 5, 1, /*record=*/false);
  const LuOutput output = LuForward(tape, layer, input);
  EXPECT_TRUE(torch::allclose(LuInverse(parameters, layer, output.values), input, 1e-3, 1e-3));
  Tape unit_tape(parameters, 5, 1, /*record=*/false);
  const Tensor basis = torch::cat({torch::eye(4), torch::zeros({1, 4})});
  const Tensor images = LuForward(unit_tape, layer, basis).values;
  const Tensor matrix = images.slice(0, 0, 4) - images.slice(0, 4, 5);
  EXPECT_NEAR(matrix.det().abs().log().item<double>(), output.log_determinant[0].item<double>(), 1e-3);
}

// A layer has a rule or it has no method: nothing takes parameters in another way.
struct LayerWithoutRule {
  std::int64_t features = 0;
};
template <typename Layer>
concept HasLinear = requires(Tape& tape, const Layer& layer, const Tensor& x) {
  tape.Linear(layer, x);
};
template <typename Layer>
concept HasNorm = requires(Tape& tape, const Layer& layer, const Tensor& x) {
  tape.Norm(layer, x);
};
template <typename T>
concept ShowsParameters = requires(T& tape) {
  tape.parameters();
}
|| requires(T& tape) {
  tape.View(0, {1});
};
static_assert(HasLinear<LinearLayer> && HasNorm<NormLayer>);
static_assert(!HasLinear<LayerWithoutRule> && !HasNorm<LayerWithoutRule> && !HasNorm<LinearLayer>);
static_assert(!ShowsParameters<Tape>);

TEST(RulesDeathTest, LayersThatShareAPartOfTheirParametersAreOurBug) {
  const LinearLayer first{2, 2, false, 0, 0};
  const LinearLayer shifted{2, 2, false, 2, 0};
  const LinearLayer reshaped{1, 4, false, 0, 0};
  const NormLayer other{2, 0, 2};
  const Tensor input = torch::ones({1, 2});
  const auto after_first = [&](const auto& use) {
    Tape tape(torch::ones({8}), 1, 1);
    tape.Linear(first, input);
    use(tape);
  };
  EXPECT_DEATH(after_first([&](Tape& tape) { tape.Linear(shifted, input); }), "share");
  EXPECT_DEATH(after_first([&](Tape& tape) { tape.Linear(reshaped, torch::ones({1, 1})); }), "two shapes");
  EXPECT_DEATH(after_first([&](Tape& tape) { tape.Norm(other, input); }), "share");
}

TEST(RulesDeathTest, ChangingAPreActivationInPlaceIsOurBug) {
  ParameterBuilder builder;
  const LinearLayer layer = builder.Linear("layer", 2, 2);
  Tape tape(torch::ones({builder.size()}), 1, 1);
  Tensor hidden = tape.Linear(layer, torch::ones({1, 2}));
  Tensor output = tape.Linear(layer, hidden);
  output.relu_();
  EXPECT_DEATH(PerUnitGradient(tape, output.sum(1), ClipPlan::Flat(1.0)), "in place");
}

TEST(RulesDeathTest, TokensMustHaveTheRowsFirst) {
  ParameterBuilder builder;
  const LinearLayer layer = builder.Linear("layer", 4, 3);
  Tape tape(torch::zeros({builder.size()}), 2, 1);
  EXPECT_DEATH(tape.Linear(layer, torch::zeros({3, 2, 4})), "units \\* uses");
}

TEST(RulesDeathTest, ABlockBeyondItsBoundIsOurBug) {
  ParameterBuilder builder;
  const LinearLayer layer = builder.Linear("layer", 2, 2);
  Tape tape(torch::zeros({builder.size()}), 300, 1);
  const PerUnitGradient gradient(tape, tape.Linear(layer, torch::ones({300, 2})).sum(1), ClipPlan::Flat(1.0));
  EXPECT_EQ(gradient.units_per_block(), 255U);
  std::vector<float> flat(6);
  EXPECT_DEATH(gradient.BlockSum(0, 256, flat), "block");
}

}  // namespace
}  // namespace synod::engine
