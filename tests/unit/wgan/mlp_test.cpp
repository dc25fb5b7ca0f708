#include "models/wgan/mlp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "common/query/public_random.h"

namespace synod::wgan {
namespace {

struct SmallNetwork {
  explicit SmallNetwork(bool last_bias = true) {
    std::vector<engine::LinearLayer> layers = {builder.Linear("a", 4, 6), builder.Linear("b", 6, 5),
                                               builder.Linear("c", 5, 2, last_bias)};
    network = std::make_unique<Mlp>(std::move(layers));
    parameters.resize(static_cast<std::size_t>(builder.size()));
    random.FillNormal(parameters);
  }
  Matrix Normal(Eigen::Index rows, Eigen::Index columns) {
    Matrix values(rows, columns);
    random.FillNormal(std::span(values.data(), static_cast<std::size_t>(values.size())));
    return values;
  }
  // The sum over rows of by_output . output.
  double Loss(const std::vector<float>& at, const Matrix& input, const Matrix& by_output) const {
    const Matrix output = network->Forward(at, input).output;
    return output.cast<double>().cwiseProduct(by_output.cast<double>()).sum();
  }

  PublicRandom random{5, "test.mlp"};
  engine::ParameterBuilder builder;
  std::unique_ptr<Mlp> network;
  std::vector<float> parameters;
};

constexpr float kStep = 1e-2F;

// Kinks of the leaky ReLU lie between the two points for a few parameters in a hundred: those are left out where the
// one-sided slopes differ.
template <typename LossAt>
void ExpectSlope(const LossAt& loss, double slope, const char* what, std::size_t index) {
  const double here = loss(0.0F);
  const double forward = (loss(kStep) - here) / kStep;
  const double backward = (here - loss(-kStep)) / kStep;
  if (std::abs(forward - backward) > 1e-2) return;
  EXPECT_NEAR(0.5 * (forward + backward), slope, 5e-3 * (1.0 + std::abs(slope))) << what << " " << index;
}

TEST(Mlp, HasTheGradientByParametersThatFiniteDifferencesFind) {
  for (const bool last_bias : {true, false}) {
    SmallNetwork small(last_bias);
    const Matrix input = small.Normal(3, 4);
    const Matrix by_output = small.Normal(3, 2);
    const std::vector<double> weights = {1.0, -0.5, 2.0};
    const Mlp::Pass pass = small.network->Forward(small.parameters, input);
    std::vector<double> gradient(small.parameters.size(), 0.0);
    small.network->AddGradient(pass, small.network->Backward(small.parameters, pass, by_output), weights, gradient);
    Matrix weighted = by_output;
    for (Eigen::Index row = 0; row < 3; ++row) weighted.row(row) *= static_cast<float>(weights[row]);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const auto loss = [&](float shift) {
        std::vector<float> moved = small.parameters;
        moved[i] += shift;
        return small.Loss(moved, input, weighted);
      };
      ExpectSlope(loss, gradient[i], "parameter", i);
    }
  }
}

TEST(Mlp, HasTheGradientByInputsThatFiniteDifferencesFind) {
  SmallNetwork small;
  const Matrix input = small.Normal(3, 4);
  const Matrix by_output = small.Normal(3, 2);
  const Mlp::Pass pass = small.network->Forward(small.parameters, input);
  const Matrix gradient =
      small.network->ByInput(small.parameters, small.network->Backward(small.parameters, pass, by_output));
  for (Eigen::Index i = 0; i < input.size(); ++i) {
    const auto loss = [&](float shift) {
      Matrix moved = input;
      moved.data()[i] += shift;
      return small.Loss(small.parameters, moved, by_output);
    };
    ExpectSlope(loss, gradient.data()[i], "input", static_cast<std::size_t>(i));
  }
}

// What generated rows are clipped by: the norm of each row's gradient, from products of norms alone.
TEST(Mlp, KnowsTheNormOfEachRowsOwnGradient) {
  SmallNetwork small(false);
  const Matrix input = small.Normal(7, 4);
  const Mlp::Pass pass = small.network->Forward(small.parameters, input);
  const Mlp::Deltas deltas = small.network->Backward(small.parameters, pass, Matrix::Ones(7, 2));
  const std::vector<double> squared = small.network->SquaredNorms(pass, deltas);
  for (std::size_t row = 0; row < 7; ++row) {
    std::vector<double> only(7, 0.0);
    only[row] = 1.0;
    std::vector<double> gradient(small.parameters.size(), 0.0);
    small.network->AddGradient(pass, deltas, only, gradient);
    EXPECT_NEAR(std::inner_product(gradient.begin(), gradient.end(), gradient.begin(), 0.0) / squared[row], 1.0, 1e-5);
  }
}

TEST(Mlp, KeepsRowsApart) {
  SmallNetwork small;
  const Matrix input = small.Normal(9, 4);
  const Mlp::Pass all = small.network->Forward(small.parameters, input);
  for (Eigen::Index row = 0; row < 9; ++row) {
    const Mlp::Pass alone = small.network->Forward(small.parameters, input.row(row));
    EXPECT_LT((alone.output - all.output.row(row)).norm(), 1e-5F);
  }
}

}  // namespace
}  // namespace synod::wgan
