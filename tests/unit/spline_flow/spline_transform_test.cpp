#include "models/spline_flow/spline_transform.h"

#include <gtest/gtest.h>

namespace synod::spline_flow {
namespace {

constexpr std::int64_t kBins = 6;
constexpr double kTail = 3.0;

torch::Tensor Parameters(std::int64_t rows, double size, torch::ScalarType type = torch::kFloat32) {
  return size * torch::randn({rows, 2, 3 * kBins - 1}, type);
}

TEST(SplineTransform, IsTheIdentityAtZeroParameters) {
  torch::manual_seed(1);
  const torch::Tensor x = 4.0 * torch::randn({500, 2});
  const SplineValues spline = ApplySpline(x, torch::zeros({500, 2, 3 * kBins - 1}), kBins, kTail);
  EXPECT_LT((spline.values - x).abs().max().item<float>(), 2e-6F);
  EXPECT_LT(spline.log_slope.abs().max().item<float>(), 2e-6F);
}

TEST(SplineTransform, LogSlopeAgreesWithFiniteDifferences) {
  torch::manual_seed(2);
  for (const double size : {0.3, 1.0, 3.0}) {
    const torch::Tensor x = 2.0 * torch::randn({2000, 2}, torch::kFloat64);
    const torch::Tensor parameters = Parameters(2000, size, torch::kFloat64);
    const double step = 1e-6;
    const torch::Tensor rise =
        ApplySpline(x + step, parameters, kBins, kTail).values - ApplySpline(x - step, parameters, kBins, kTail).values;
    const torch::Tensor slope = ApplySpline(x, parameters, kBins, kTail).log_slope.exp();
    // Where a knot lies between both points, second derivatives jump: the median and nearly all must agree.
    const torch::Tensor error = (rise / (2.0 * step) - slope).abs() / slope;
    EXPECT_LT(error.median().item<double>(), 1e-7);
    EXPECT_GT((error < 1e-3).to(torch::kFloat64).mean().item<double>(), 0.999);
  }
}

TEST(SplineTransform, GradientsAgreeWithFiniteDifferences) {
  torch::manual_seed(3);
  const torch::Tensor x = (1.5 * torch::randn({40, 2}, torch::kFloat64)).requires_grad_(true);
  const torch::Tensor parameters = Parameters(40, 0.7, torch::kFloat64).requires_grad_(true);
  const auto loss = [](const torch::Tensor& input, const torch::Tensor& given) {
    const SplineValues spline = ApplySpline(input, given, kBins, kTail);
    return spline.values.square().sum() - 0.3 * spline.log_slope.sum();
  };
  const auto gradients = torch::autograd::grad({loss(x, parameters)}, {x, parameters});
  const double step = 1e-6;
  const torch::NoGradGuard no_gradient;
  for (std::int64_t row = 0; row < 40; row += 7) {
    for (std::int64_t i = 0; i < 3 * kBins - 1; ++i) {
      torch::Tensor moved = torch::zeros_like(parameters);
      moved[row][1][i] = step;
      const double expected = (loss(x, parameters + moved) - loss(x, parameters - moved)).item<double>() / (2.0 * step);
      ASSERT_NEAR(gradients[1][row][1][i].item<double>(), expected, 1e-6 * (1.0 + std::abs(expected)));
    }
    torch::Tensor moved = torch::zeros_like(x);
    moved[row][0] = step;
    const double expected = (loss(x + moved, parameters) - loss(x - moved, parameters)).item<double>() / (2.0 * step);
    ASSERT_NEAR(gradients[0][row][0].item<double>(), expected, 1e-6 * (1.0 + std::abs(expected)));
  }
}

TEST(SplineTransform, InverseFindsTheWayBackInFloat32) {
  torch::manual_seed(4);
  for (const double size : {0.1, 0.5, 1.0}) {
    const torch::Tensor x = 1.5 * torch::randn({20000, 2});
    const torch::Tensor parameters = Parameters(20000, size);
    const torch::Tensor y = ApplySpline(x, parameters, kBins, kTail).values;
    const torch::Tensor back = InvertSpline(y, parameters, kBins, kTail);
    // Where a spline is nearly flat the place is lost in rounding, but not what it maps to.
    if (size < 1.0) {
      EXPECT_LT((back - x).abs().max().item<float>(), 1e-4F) << size;
    }
    const torch::Tensor again = ApplySpline(back, parameters, kBins, kTail).values;
    EXPECT_LT((again - y).abs().max().item<float>(), 1e-5F) << size;
    EXPECT_LT((back - x).abs().median().item<float>(), 1e-6F) << size;
  }
}

TEST(SplineTransform, StaysFiniteForAnyFiniteParameters) {
  torch::manual_seed(5);
  const torch::Tensor x = 3.0 * torch::randn({2000, 2});
  for (const double size : {30.0, 1e4, 1e20}) {
    const torch::Tensor parameters = Parameters(2000, size).clamp(-1e30, 1e30);
    const torch::Tensor back = InvertSpline(x, parameters, kBins, kTail);
    EXPECT_TRUE((back.abs() <= x.abs().clamp_min(kTail)).all().item<bool>()) << size;
  }
}

}  // namespace
}  // namespace synod::spline_flow
