#include "models/spline_flow/bin_curve.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/query/public_random.h"

namespace synod::spline_flow {
namespace {

// The curve as the paper writes it.
double Curve(const BinSlopes& slopes, double x) {
  const double bend = slopes.left + slopes.right - 2.0;
  return (x * x + slopes.left * x * (1.0 - x)) / (1.0 + bend * x * (1.0 - x));
}

BinSlopes RandomSlopes(PublicRandom& random) {
  return {std::exp(6.0 * random.Uniform() - 3.0), std::exp(6.0 * random.Uniform() - 3.0)};
}

TEST(BinCurve, ShareOfAnIntervalIsTheDifferenceOfTheCurve) {
  PublicRandom random(1, "curve");
  for (int round = 0; round < 2000; ++round) {
    const BinSlopes slopes = RandomSlopes(random);
    const double a = 0.9 * random.Uniform();
    const double b = a + (1.0 - a) * (0.05 + 0.95 * random.Uniform());
    const double share = std::exp(ShareOfInterval(slopes, a, b).log_density) * (b - a);
    ASSERT_NEAR(share, Curve(slopes, b) - Curve(slopes, a), 1e-12);
  }
}

TEST(BinCurve, SharesOfPartsAddUpToTheWholeBin) {
  PublicRandom random(2, "curve");
  for (int round = 0; round < 200; ++round) {
    const BinSlopes slopes = RandomSlopes(random);
    double sum = 0.0;
    double a = 0.0;
    for (int part = 0; part < 20; ++part) {
      const double b = part == 19 ? 1.0 : a + (1.0 - a) * 0.3 * random.Uniform();
      sum += std::exp(ShareOfInterval(slopes, a, b).log_density) * (b - a);
      a = b;
    }
    ASSERT_NEAR(sum, 1.0, 1e-12);
  }
}

// The difference of two values of the curve would have lost every digit here.
TEST(BinCurve, KnowsTheDensityOfAnIntervalOfNoWidth) {
  PublicRandom random(3, "curve");
  for (int round = 0; round < 200; ++round) {
    const BinSlopes slopes = RandomSlopes(random);
    const double x = random.Uniform();
    const double step = 1e-6;
    const double slope = (Curve(slopes, x + step) - Curve(slopes, x - step)) / (2.0 * step);
    ASSERT_NEAR(std::exp(ShareOfInterval(slopes, x, x + 1e-15).log_density), slope, 1e-5 * (1.0 + slope));
  }
}

TEST(BinCurve, DerivativesAgreeWithFiniteDifferences) {
  PublicRandom random(4, "curve");
  constexpr double kStep = 1e-5;
  for (int round = 0; round < 500; ++round) {
    const BinSlopes slopes = RandomSlopes(random);
    const double a = random.Uniform();
    const double b = a + (1.0 - a) * random.Uniform();
    const IntervalShare share = ShareOfInterval(slopes, a, b);
    const auto at = [&](double left, double right) {
      return ShareOfInterval({slopes.left * std::exp(left), slopes.right * std::exp(right)}, a, b).log_density;
    };
    ASSERT_NEAR(share.by_log_left, (at(kStep, 0) - at(-kStep, 0)) / (2.0 * kStep), 1e-8);
    ASSERT_NEAR(share.by_log_right, (at(0, kStep) - at(0, -kStep)) / (2.0 * kStep), 1e-8);
  }
}

TEST(BinCurve, InverseFindsTheWayBackAndKeepsOrder) {
  PublicRandom random(5, "curve");
  for (int round = 0; round < 300; ++round) {
    const BinSlopes slopes = RandomSlopes(random);
    EXPECT_EQ(InverseCurve(slopes, 0.0), 0.0);
    EXPECT_NEAR(InverseCurve(slopes, 1.0), 1.0, 1e-12);
    double before = 0.0;
    for (int i = 1; i < 100; ++i) {
      const double x = InverseCurve(slopes, i / 100.0);
      ASSERT_GT(x, before);
      ASSERT_NEAR(Curve(slopes, x), i / 100.0, 1e-10);
      before = x;
    }
  }
}

TEST(BinCurve, EqualSlopesAreTheIdentity) {
  const BinSlopes even;
  EXPECT_NEAR(ShareOfInterval(even, 0.2, 0.7).log_density, 0.0, 1e-15);
  EXPECT_DOUBLE_EQ(InverseCurve(even, 0.37), 0.37);
}

}  // namespace
}  // namespace synod::spline_flow
