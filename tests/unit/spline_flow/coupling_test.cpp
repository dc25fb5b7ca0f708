#include "models/spline_flow/coupling_network.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/engine/unit_influence.h"
#include "models/spline_flow/contribution.h"
#include "models/spline_flow/stage_network.h"
#include "models/spline_flow/trainer.h"
#include "tests/unit/spline_flow/stage_world.h"

namespace synod::spline_flow {
namespace {

using testing::SmallSpline;
using testing::StageWorld;

torch::Tensor RandomFlow(const CouplingShape& shape, double size) {
  torch::Tensor parameters = size * torch::randn({shape.parameters()});
  for (const engine::LuLinearLayer& layer : shape.linear) {
    parameters.narrow(0, layer.diagonal.offset, layer.diagonal.size).add_(kIdentityDiagonal);
  }
  return parameters;
}

FlowOutput Forward(const CouplingShape& shape, const torch::Tensor& parameters, const torch::Tensor& scores) {
  const torch::NoGradGuard no_gradient;
  engine::Tape tape(parameters, scores.size(0), 1, /*record=*/false);
  return CouplingForward(shape, tape, scores);
}

TEST(Coupling, StartsAsTheIdentity) {
  for (const bool shared : {true, false}) {
    Options options = SmallSpline(Variant::kCoupling);
    options.shared = shared;
    const StageWorld world(testing::MixedSchema(), options);
    const CouplingShape shape(world.parts.grids.size(), options);
    std::vector<float> values = InitialParameters(world.parts, 1);
    const torch::Tensor parameters = torch::from_blob(values.data(), {shape.parameters()}, torch::kFloat32);
    torch::manual_seed(1);
    const torch::Tensor scores = torch::randn({300, 4});
    engine::Tape tape(parameters, 300, 1, /*record=*/false);
    const torch::NoGradGuard no_gradient;
    EXPECT_LT(CouplingLoss(shape, tape, scores).abs().max().item<float>(), 1e-4F) << "the density of the unit cube";
  }
}

TEST(Coupling, InverseFindsTheWayBack) {
  torch::manual_seed(2);
  for (const std::size_t columns : {2U, 5U, 15U}) {
    for (const bool shared : {true, false}) {
      Options options = SmallSpline(Variant::kCoupling);
      options.shared = shared;
      options.stages = 4;
      const CouplingShape shape(columns, options);
      const torch::Tensor parameters = RandomFlow(shape, 0.15);
      const torch::Tensor scores = torch::randn({4000, shape.columns});
      const torch::Tensor back = CouplingInverse(shape, parameters, Forward(shape, parameters, scores).values);
      const torch::Tensor error = (back - scores).abs();
      RecordProperty("round_trip", std::to_string(error.max().item<float>()));
      EXPECT_LT(error.max().item<float>(), 1e-4F) << columns;
      EXPECT_LT(error.mean().item<float>(), 1e-6F * static_cast<float>(columns)) << columns;
    }
  }
}

TEST(Coupling, LogDeterminantIsThatOfTheJacobian) {
  torch::manual_seed(3);
  Options options = SmallSpline(Variant::kCoupling);
  const CouplingShape shape(4, options);
  const torch::Tensor parameters = RandomFlow(shape, 0.2);
  for (int round = 0; round < 10; ++round) {
    const torch::Tensor scores = torch::randn({1, 4});
    const float step = 1e-2F;
    torch::Tensor jacobian = torch::zeros({4, 4}, torch::kFloat64);
    for (std::int64_t j = 0; j < 4; ++j) {
      torch::Tensor moved = torch::zeros({1, 4});
      moved[0][j] = step;
      const torch::Tensor rise =
          Forward(shape, parameters, scores + moved).values - Forward(shape, parameters, scores - moved).values;
      jacobian.select(1, j).copy_(rise[0] / (2.0 * step));
    }
    const double expected = torch::log(torch::abs(torch::det(jacobian))).item<double>();
    EXPECT_NEAR(Forward(shape, parameters, scores).log_determinant.item<double>(), expected, 0.02);
  }
}

// Two columns over a square that holds all but 1e-6 of the mass; midpoint rule.
TEST(Coupling, DensityIntegratesToOne) {
  torch::manual_seed(4);
  const CouplingShape shape(2, SmallSpline(Variant::kCoupling));
  const torch::Tensor parameters = RandomFlow(shape, 0.3);
  constexpr std::int64_t kSteps = 800;
  constexpr double kHalf = 12.0;
  const double width = 2.0 * kHalf / kSteps;
  const torch::Tensor axis = torch::arange(kSteps).to(torch::kFloat32) * width - (kHalf - 0.5 * width);
  double sum = 0.0;
  for (std::int64_t i = 0; i < kSteps; ++i) {
    const torch::Tensor points = torch::stack({axis[i].expand({kSteps}), axis}, 1);
    const FlowOutput flow = Forward(shape, parameters, points);
    const torch::Tensor logs = -0.5 * flow.values.square().sum(1) - std::log(2.0 * M_PI) + flow.log_determinant;
    sum += logs.to(torch::kFloat64).exp().sum().item<double>() * width * width;
  }
  EXPECT_NEAR(sum, 1.0, 5e-3);
}

TEST(Coupling, KeepsUnitsApart) {
  torch::manual_seed(5);
  for (const bool shared : {true, false}) {
    Options options = SmallSpline(Variant::kCoupling);
    options.shared = shared;
    const CouplingShape shape(4, options);
    const auto network = [&](engine::Tape& tape, const torch::Tensor& input) {
      const FlowOutput flow = CouplingForward(shape, tape, input);
      return torch::cat({flow.values, flow.log_determinant.unsqueeze(1)}, 1);
    };
    EXPECT_TRUE(engine::KeepsUnitsApart(network, RandomFlow(shape, 0.3), torch::randn({12, 4}), 4));
  }
}

TEST(Stages, KeepUnitsApartAndLookAtEarlierColumnsOnly) {
  torch::manual_seed(6);
  for (const bool shared : {true, false}) {
    Options options = SmallSpline();
    options.shared = shared;
    const auto grids = tabular::GridsOf(*testing::MixedSchema());
    const StageShape shape(grids, -1, options);
    const torch::Tensor parameters = torch::randn({shape.parameters()});
    const auto slots = static_cast<std::int64_t>(shape.slots());
    const auto network = [&](engine::Tape& tape, const torch::Tensor& input) {
      return StageForward(shape, tape, input);
    };
    EXPECT_TRUE(engine::KeepsUnitsApart(network, parameters, torch::randn({12, slots}), 4));
    const torch::NoGradGuard no_gradient;
    engine::Tape tape(parameters, 2, 1, /*record=*/false);
    const torch::Tensor input = torch::randn({2, slots});
    const torch::Tensor before = StageForward(shape, tape, input);
    for (const Stage& stage : shape.stages) {
      torch::Tensor moved = input.clone();
      moved.narrow(1, static_cast<std::int64_t>(stage.first_slot), slots - static_cast<std::int64_t>(stage.first_slot))
          .add_(1.0);
      const torch::Tensor after = StageForward(shape, tape, moved);
      const auto end = static_cast<std::int64_t>(stage.first_output + stage.outputs());
      EXPECT_TRUE(torch::equal(before.narrow(1, 0, end), after.narrow(1, 0, end)));
    }
  }
}

TEST(CouplingGenerator, DrawsWhatTheSchemaAllowsAndMeetsConditions) {
  const StageWorld world(testing::MixedSchema(), SmallSpline(Variant::kCoupling));
  for (const double size : {0.0, 0.1, 10.0, 1e20}) {
    const auto generator = OpenCouplingGenerator(world.schema, world.Model(size)).value();
    const Result<Table> rows = generator->Block(1, 0, 200, {});
    ASSERT_TRUE(rows.ok()) << rows.error().message;
  }
  const auto generator = OpenCouplingGenerator(world.schema, world.Model(0.05)).value();
  const GivenValue given[] = {{2, 0.0, 1}};
  const Table rows = generator->Block(1, 0, 50, given).value();
  for (std::size_t row = 0; row < 50; ++row) ASSERT_EQ(rows.column(2).codes[row], 1);
  const Table whole = generator->Block(1, 0, 300, {}).value();
  const Table part = generator->Block(1, 0, 20, {}).value();
  for (std::size_t row = 0; row < 20; ++row) ASSERT_EQ(whole.column(1).codes[row], part.column(1).codes[row]);
}

TEST(CouplingGenerator, OfTheIdentityHasTheLikelihoodOfIndependentColumns) {
  const StageWorld world(testing::SchemaOf({testing::Categories("a", 3), testing::Categories("b", 2)}),
                         SmallSpline(Variant::kCoupling), 500);
  GeneratorModel model = world.Model(0.0);
  model.parameters = InitialParameters(world.parts, 1);
  const auto generator = OpenCouplingGenerator(world.schema, model).value();
  const RowLikelihoods logs = generator->likelihood()->LogLikelihood(*world.table).value();
  for (std::size_t row = 0; row < 20; ++row) {
    double expected = 0.0;
    for (std::size_t j = 0; j < 2; ++j) {
      expected += std::log(world.transform.column(j).probability[world.table->column(j).codes[row]]);
    }
    ASSERT_NEAR(logs.rows[row], expected, 1e-3);
  }
  EXPECT_TRUE(logs.columns.empty()) << "a coupling has no parts by column";
}

TEST(CouplingGenerator, RefusesADamagedModel) {
  const StageWorld world(testing::MixedSchema(), SmallSpline(Variant::kCoupling));
  const GeneratorModel good = world.Model(0.1);
  const auto refuses = [&](const char* what, auto damage) {
    GeneratorModel model = good;
    damage(model);
    EXPECT_FALSE(OpenCouplingGenerator(world.schema, model).ok()) << what;
  };
  refuses("state is nothing", [](GeneratorModel& m) { m.state = Json(); });
  refuses("offsets", [](GeneratorModel& m) { m.state["offsets"].push_back(1.0); });
  refuses("a count too few", [](GeneratorModel& m) { m.state["histogram"].erase(0); });
  refuses("a parameter too few", [](GeneratorModel& m) { m.parameters.pop_back(); });
  refuses("a parameter is NaN", [](GeneratorModel& m) { m.parameters[5] = std::nanf(""); });
  refuses("the other variant", [](GeneratorModel& m) { m.options["variant"] = "autoregressive"; });
  EXPECT_FALSE(OpenCouplingGenerator(testing::SchemaOf({testing::Categories("kind", 3)}), good).ok());
}

}  // namespace
}  // namespace synod::spline_flow
