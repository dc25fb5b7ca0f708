#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "models/engine/pass_plan.h"
#include "models/engine/per_unit_gradient.h"
#include "models/engine/tape.h"
#include "models/engine/torch.h"
#include "tests/unit/engine/clip_plan_for_tests.h"

namespace synod::engine {
namespace {

// A network with every kind of layer, one of them called twice, over rows [units * uses, 5] and two code columns.
struct Network {
  ParameterBuilder builder;
  OneHotLinearLayer embed = builder.OneHotLinear("embed", 7, 6);
  LinearLayer first = builder.Linear("first", 5, 6);
  NormLayer norm = builder.Norm("norm", 6);
  LinearLayer shared = builder.Linear("shared", 6, 6);
  LinearLayer last = builder.Linear("last", 6, 3, /*has_bias=*/false);

  torch::Tensor Forward(Tape& tape, const torch::Tensor& rows, const torch::Tensor& codes) const {
    torch::Tensor h = tape.Linear(first, rows) + tape.OneHotLinear(embed, codes);
    h = torch::relu(tape.Norm(norm, h));
    h = torch::tanh(tape.Linear(shared, h));
    h = torch::tanh(tape.Linear(shared, h));
    return tape.Linear(last, h);
  }
};

// The same network with ordinary autograd parameters.
torch::Tensor PlainForward(const Network& net, const torch::Tensor& flat, const torch::Tensor& rows,
                           const torch::Tensor& codes) {
  const auto take = [&](std::int64_t offset, std::vector<std::int64_t> shape) {
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) count *= extent;
    return flat.narrow(0, offset, count).view(shape);
  };
  torch::Tensor one_hot = torch::zeros({rows.size(0), net.embed.codes});
  for (std::int64_t r = 0; r < codes.size(0); ++r) {
    for (std::int64_t c = 0; c < codes.size(1); ++c) {
      const std::int64_t code = codes[r][c].item<std::int64_t>();
      if (code >= 0) one_hot[r][code] += 1.0F;
    }
  }
  torch::Tensor h = torch::mm(rows, take(net.first.weight_offset, {6, 5}).t()) + take(net.first.bias_offset, {6}) +
                    torch::mm(one_hot, take(net.embed.table_offset, {7, 6})) + take(net.embed.bias_offset, {6});
  h = torch::relu(torch::layer_norm(h, {6}, take(net.norm.gain_offset, {6}), take(net.norm.shift_offset, {6})));
  for (int call = 0; call < 2; ++call) {
    h = torch::tanh(torch::mm(h, take(net.shared.weight_offset, {6, 6}).t()) + take(net.shared.bias_offset, {6}));
  }
  return torch::mm(h, take(net.last.weight_offset, {3, 6}).t());
}

struct Batch {
  torch::Tensor rows;
  torch::Tensor codes;
};

Batch RandomBatch(std::int64_t units, std::int64_t uses, std::int64_t seed) {
  torch::manual_seed(seed);
  Batch batch{torch::randn({units * uses, 5}), torch::randint(-1, 7, {units * uses, 2}, torch::kInt64)};
  return batch;
}

torch::Tensor RandomParameters(const Network& net, std::int64_t seed) {
  torch::manual_seed(seed);
  return torch::randn({net.builder.size()}) * 0.7;
}

torch::Tensor UnitLosses(const torch::Tensor& output, std::int64_t units, std::int64_t uses) {
  return output.square().sum(1).view({units, uses}).mean(1);
}

std::vector<float> Sum(const PerUnitGradient& gradient, const Network& net, std::int64_t first, std::int64_t last) {
  std::vector<float> flat(static_cast<std::size_t>(net.builder.size()));
  gradient.BlockSum(first, last, flat);
  return flat;
}

// The gradient of one unit by autograd.
torch::Tensor UnitGradient(const Network& net, const torch::Tensor& parameters, const Batch& batch, std::int64_t unit,
                           std::int64_t uses) {
  const torch::Tensor flat = parameters.clone().set_requires_grad(true);
  const torch::Tensor output = PlainForward(net, flat, batch.rows.slice(0, unit * uses, (unit + 1) * uses),
                                            batch.codes.slice(0, unit * uses, (unit + 1) * uses));
  return torch::autograd::grad({UnitLosses(output, 1, uses).sum()}, {flat})[0];
}

double Distance(const std::vector<float>& a, const torch::Tensor& b) {
  return (torch::tensor(a).to(torch::kFloat64) - b.to(torch::kFloat64)).norm().item<double>();
}

class EngineForUses : public ::testing::TestWithParam<std::int64_t> {};

TEST_P(EngineForUses, NormsAndClippedSumsEqualOneUnitAutograd) {
  const std::int64_t uses = GetParam();
  const std::int64_t units = 9;
  const Network net;
  const torch::Tensor parameters = RandomParameters(net, 1);
  const Batch batch = RandomBatch(units, uses, 2);
  Tape tape(parameters, units, uses);
  const torch::Tensor losses = UnitLosses(net.Forward(tape, batch.rows, batch.codes), units, uses);
  const double clip = 1.5;
  const PerUnitGradient gradient(tape, losses, ClipPlanForTestsOnly::WithoutMagnitudeBound(ClipPlan::Flat(clip)));

  torch::Tensor expected = torch::zeros({net.builder.size()}, torch::kFloat64);
  int clipped = 0;
  for (std::int64_t unit = 0; unit < units; ++unit) {
    const torch::Tensor own = UnitGradient(net, parameters, batch, unit, uses).to(torch::kFloat64);
    const double norm = own.norm().item<double>();
    const double bound = gradient.norms()[unit].item<double>();
    EXPECT_GE(bound, norm * (1.0 - 1e-6));
    EXPECT_LE(bound, norm * 1.01 + 1e-3);
    clipped += norm > clip ? 1 : 0;
    expected += own * std::min(1.0, clip / norm);
  }
  EXPECT_GT(clipped, 0);
  EXPECT_LT(Distance(Sum(gradient, net, 0, units), expected), 5e-3 * expected.norm().item<double>());
}

TEST_P(EngineForUses, BlocksAddUpToTheWholeBatch) {
  const std::int64_t uses = GetParam();
  const Network net;
  const Batch batch = RandomBatch(8, uses, 3);
  Tape tape(RandomParameters(net, 4), 8, uses);
  const PerUnitGradient gradient(tape, UnitLosses(net.Forward(tape, batch.rows, batch.codes), 8, uses),
                                 ClipPlan::Flat(0.5));
  const std::vector<float> whole = Sum(gradient, net, 0, 8);
  const std::vector<float> left = Sum(gradient, net, 0, 3);
  const std::vector<float> right = Sum(gradient, net, 3, 8);
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(whole[i], left[i] + right[i], 1e-5);
}

TEST_P(EngineForUses, OneUnitNeverContributesMoreThanTheClip) {
  const std::int64_t uses = GetParam();
  const Network net;
  for (int trial = 0; trial < 20; ++trial) {
    Batch batch = RandomBatch(4, uses, 100 + trial);
    batch.rows *= std::pow(10.0, trial - 10);  // from tiny to huge inputs
    Tape tape(RandomParameters(net, 200 + trial), 4, uses);
    const PerUnitGradient gradient(tape, UnitLosses(net.Forward(tape, batch.rows, batch.codes), 4, uses),
                                   ClipPlan::Flat(0.01));
    for (std::int64_t unit = 0; unit < 4; ++unit) {
      const std::vector<float> alone = Sum(gradient, net, unit, unit + 1);
      EXPECT_LE(torch::tensor(alone).to(torch::kFloat64).norm().item<double>(), 0.01);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Uses, EngineForUses, ::testing::Values(1, 2, 7));

TEST(Engine, UsesOfOneUnitAreClippedTogetherNotOneByOne) {
  // Feeding one row eight times as uses of one unit gives one unit's clipped gradient, never eight.
  const Network net;
  const torch::Tensor parameters = RandomParameters(net, 5);
  const Batch one = RandomBatch(1, 1, 6);
  const Batch many{one.rows.repeat({8, 1}), one.codes.repeat({8, 1})};
  Tape tape(parameters, 1, 8);
  const PerUnitGradient gradient(tape, UnitLosses(net.Forward(tape, many.rows, many.codes), 1, 8), ClipPlan::Flat(0.3));
  EXPECT_LE(torch::tensor(Sum(gradient, net, 0, 1)).to(torch::kFloat64).norm().item<double>(), 0.3);
}

TEST(Engine, SummedSquaresOfSingleUsesWouldBeTooSmall) {
  // The trap that the Gram rule avoids: aligned uses add up before they are squared.
  const Network net;
  const torch::Tensor parameters = RandomParameters(net, 5);
  const Batch one = RandomBatch(1, 1, 6);
  const Batch twice{one.rows.repeat({2, 1}), one.codes.repeat({2, 1})};
  Tape tape(parameters, 1, 2);
  const torch::Tensor loss = net.Forward(tape, twice.rows, twice.codes).square().sum().unsqueeze(0);  // a sum of uses
  const PerUnitGradient gradient(tape, loss, ClipPlan::Flat(1e9));
  Tape single(parameters, 1, 1);
  const PerUnitGradient one_use(single, net.Forward(single, one.rows, one.codes).square().sum().unsqueeze(0),
                                ClipPlan::Flat(1e9));
  EXPECT_NEAR(gradient.norms()[0].item<double>(), 2.0 * one_use.norms()[0].item<double>(),
              1e-3 * gradient.norms()[0].item<double>());
}

TEST(Engine, PassesOfAnySizeGiveTheSameSums) {
  // What bounds memory changes nothing but how many rows a forward pass computes side by side.
  const Network net;
  const torch::Tensor parameters = RandomParameters(net, 15);
  const std::int64_t uses = 3;
  const Batch batch = RandomBatch(12, uses, 16);
  const std::vector<std::uint32_t> ends = {4, 5, 9, 12};
  std::vector<double> whole;
  for (const std::size_t most_units : {12U, 6U, 1U}) {
    std::vector<double> total(static_cast<std::size_t>(net.builder.size()));
    for (const Pass& pass : Passes(ends, most_units)) {
      const std::int64_t units = pass.last_unit - pass.first_unit;
      Tape tape(parameters, units, uses);
      const torch::Tensor output = net.Forward(tape, batch.rows.slice(0, pass.first_unit * uses, pass.last_unit * uses),
                                               batch.codes.slice(0, pass.first_unit * uses, pass.last_unit * uses));
      const PerUnitGradient gradient(tape, UnitLosses(output, units, uses), ClipPlan::Flat(0.5));
      for (std::size_t block = pass.first_block; block < pass.last_block; ++block) {
        const std::int64_t first = (block == 0 ? 0 : ends[block - 1]) - pass.first_unit;
        const std::vector<float> sum = Sum(gradient, net, first, ends[block] - pass.first_unit);
        for (std::size_t i = 0; i < sum.size(); ++i) total[i] += static_cast<double>(sum[i]);
      }
    }
    if (whole.empty()) whole = total;
    for (std::size_t i = 0; i < total.size(); ++i) ASSERT_NEAR(total[i], whole[i], 1e-6);
  }
}

TEST(Engine, OtherRowsDoNotChangeAUnitsNorm) {
  const Network net;
  const torch::Tensor parameters = RandomParameters(net, 7);
  const Batch batch = RandomBatch(6, 3, 8);
  Tape tape(parameters, 6, 3);
  const PerUnitGradient gradient(tape, UnitLosses(net.Forward(tape, batch.rows, batch.codes), 6, 3),
                                 ClipPlan::Flat(1.0));
  Batch changed{batch.rows.clone(), batch.codes.clone()};
  changed.rows.slice(0, 3, 18).mul_(-3.0);
  Tape other(parameters, 6, 3);
  const PerUnitGradient after(other, UnitLosses(net.Forward(other, changed.rows, changed.codes), 6, 3),
                              ClipPlan::Flat(1.0));
  EXPECT_NEAR(gradient.norms()[0].item<double>(), after.norms()[0].item<double>(), 1e-6);
}

TEST(Engine, ANonFiniteRowContributesZeroAndHarmsNoOther) {
  const Network net;
  const torch::Tensor parameters = RandomParameters(net, 9);
  for (const float poison : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 3e38F}) {
    Batch batch = RandomBatch(5, 2, 10);
    batch.rows[4][1] = poison;  // unit 2
    Tape tape(parameters, 5, 2);
    const PerUnitGradient gradient(tape, UnitLosses(net.Forward(tape, batch.rows, batch.codes), 5, 2),
                                   ClipPlan::Flat(1.0));
    for (const float value : Sum(gradient, net, 0, 5)) ASSERT_TRUE(std::isfinite(value));
    const std::vector<float> poisoned = Sum(gradient, net, 2, 3);
    if (!gradient.finite()[2].item<bool>()) {
      for (const float value : poisoned) EXPECT_EQ(value, 0.0F);
    }
    const Batch clean{torch::cat({batch.rows.slice(0, 0, 4), batch.rows.slice(0, 6, 10)}),
                      torch::cat({batch.codes.slice(0, 0, 4), batch.codes.slice(0, 6, 10)})};
    Tape clean_tape(parameters, 4, 2);
    const PerUnitGradient without(clean_tape, UnitLosses(net.Forward(clean_tape, clean.rows, clean.codes), 4, 2),
                                  ClipPlan::Flat(1.0));
    const std::vector<float> with_sum = Sum(gradient, net, 0, 2);
    const std::vector<float> without_sum = Sum(without, net, 0, 2);
    for (std::size_t i = 0; i < with_sum.size(); ++i) EXPECT_NEAR(with_sum[i], without_sum[i], 1e-5);
  }
  Batch batch = RandomBatch(5, 2, 10);
  batch.rows[4][1] = std::numeric_limits<float>::quiet_NaN();
  Tape tape(parameters, 5, 2);
  const PerUnitGradient gradient(tape, UnitLosses(net.Forward(tape, batch.rows, batch.codes), 5, 2),
                                 ClipPlan::Flat(1.0));
  EXPECT_FALSE(gradient.finite()[2].item<bool>());
  EXPECT_EQ(gradient.weights()[2].item<double>(), 0.0);
}

// Norms are float64: they stay finite where the float32 products and weights of the sum have long lost their digits.
TEST(Engine, ANormThatIsFiniteButHugeContributesAtMostTheClip) {
  ParameterBuilder builder;
  const LinearLayer layer = builder.Linear("layer", 4, 4, /*has_bias=*/false);
  const torch::Tensor parameters = torch::zeros({builder.size()});
  for (const double clip : {1e-30, 1e-6, 1.0, 1e3}) {
    for (double exponent = 0.0; exponent < 38.0; exponent += 0.173) {
      Tape tape(parameters, 1, 1);
      const torch::Tensor input = torch::full({1, 4}, static_cast<float>(std::pow(10.0, exponent)));
      const torch::Tensor output = tape.Linear(layer, input);
      const PerUnitGradient gradient(tape, output, input.clone(), ClipPlan::Flat(clip));
      std::vector<float> flat(static_cast<std::size_t>(builder.size()));
      gradient.BlockSum(0, 1, flat);
      ASSERT_LE(torch::tensor(flat).to(torch::kFloat64).norm().item<double>(), clip) << "10^" << exponent;
      if (exponent < 12.0 && clip >= 1e-6) {
        ASSERT_TRUE(gradient.finite()[0].item<bool>()) << "a gradient that training could meet counts";
      }
    }
  }
}

TEST(Engine, CancellationInTheGramRuleNeverUnderstatesTheNorm) {
  // Two uses with almost opposite, huge gradients: float32 Gram sums cancel to rounding noise, possibly negative.
  ParameterBuilder builder;
  const LinearLayer layer = builder.Linear("layer", 64, 64);
  torch::manual_seed(11);
  int cancelled = 0;
  for (int trial = 0; trial < 200; ++trial) {
    const torch::Tensor parameters = torch::zeros({builder.size()});
    const torch::Tensor input = torch::randn({1, 64}) * 1000.0;
    const torch::Tensor rows = torch::cat({input, input * (1.0 + 1e-6 * trial)});
    Tape tape(parameters, 1, 2);
    const torch::Tensor direction = torch::randn({1, 64}) * 1000.0;
    const torch::Tensor signs = torch::cat({direction, -direction});
    const torch::Tensor loss = (tape.Linear(layer, rows) * signs).sum().unsqueeze(0);
    const PerUnitGradient gradient(tape, loss, ClipPlanForTestsOnly::WithoutMagnitudeBound(ClipPlan::Flat(1.0)));
    const torch::Tensor exact =
        torch::mm(signs.to(torch::kFloat64).t(), rows.to(torch::kFloat64));  // sum over uses of g a^T
    const double norm = exact.norm().item<double>();
    EXPECT_GE(gradient.norms()[0].item<double>(), norm);
    cancelled += gradient.norms()[0].item<double>() > 2.0 * norm + 1e-9 ? 1 : 0;
    std::vector<float> flat(static_cast<std::size_t>(builder.size()));
    gradient.BlockSum(0, 1, flat);
    EXPECT_LE(torch::tensor(flat).to(torch::kFloat64).norm().item<double>(), 1.0);
  }
  EXPECT_GT(cancelled, 0) << "the test never reached the case it is about";
}

TEST(Engine, NegativeCodesAreInactive) {
  ParameterBuilder builder;
  const OneHotLinearLayer layer = builder.OneHotLinear("embed", 4, 3, /*has_bias=*/false);
  const torch::Tensor parameters = torch::arange(12, torch::kFloat32);
  Tape tape(parameters, 2, 1);
  const torch::Tensor output = tape.OneHotLinear(layer, torch::tensor({{-1, 2}, {-1, -1}}, torch::kInt64));
  EXPECT_TRUE(output.detach().equal(torch::tensor({{6.0F, 7.0F, 8.0F}, {0.0F, 0.0F, 0.0F}})));
}

TEST(EngineDeathTest, AWrongShapeIsOurBug) {
  ParameterBuilder builder;
  const LinearLayer layer = builder.Linear("layer", 4, 3);
  Tape tape(torch::zeros({builder.size()}), 2, 1);
  EXPECT_DEATH(tape.Linear(layer, torch::zeros({2, 5})), "internal error");
}

}  // namespace
}  // namespace synod::engine
