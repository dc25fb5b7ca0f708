#include <gtest/gtest.h>

#include <cmath>

#include "common/privacy/epsilon.h"
#include "common/privacy/gaussian_tail.h"
#include "tests/unit/privacy/brute_force.h"

namespace synod {
namespace {

TEST(GaussianDp, MatchesPublishedValues) {
  EXPECT_NEAR(GaussianEpsilon(1.0, 1e-5), 4.377178095681133, 1e-9);
  EXPECT_NEAR(GaussianEpsilon(1.0 / 0.3, 1e-3), 15.153356399099101, 1e-8);
  EXPECT_NEAR(GaussianEpsilon(0.25, 1e-10), 1.4920268569853743, 1e-9);
  EXPECT_NEAR(GaussianEpsilon(std::sqrt(1e5) / 10.0, 1e-5), 633.9298513356148, 1e-6);
}

TEST(GaussianDp, MatchesDirectIntegration) {
  for (const double mu : {0.05, 0.3, 1.0, 3.0}) {
    for (const double epsilon : {0.0, 0.1, 1.0, 4.0}) {
      const double exact = testing::BruteForceDelta({1.0, 1.0 / mu, 1}, epsilon, true);
      EXPECT_NEAR(GaussianDelta(mu, epsilon), exact, 1e-5 * exact + 1e-12) << mu << " " << epsilon;
    }
  }
}

TEST(GaussianDp, KeepsRelativePrecisionFarInTheTail) {
  // delta -> density(t) mu / t^2 (1 + ...): compare with the integral of the tail at 30 deviations.
  for (const double mu : {1e-9, 1e-4, 0.2, 0.3}) {
    const double epsilon = 30.0 * mu;
    const double t = epsilon / mu - 0.5 * mu;
    double integral = 0.0;  // of -d/dx Mills ratio = 1 - x M(x), by its asymptotic series
    for (int i = 0; i < 1000; ++i) {
      const double x = t + mu * (i + 0.5) / 1000.0;
      const double z = 1.0 / (x * x);
      integral += mu / 1000.0 * z * (1.0 - z * (3.0 - z * (15.0 - z * (105.0 - z * (945.0 - z * 10395.0)))));
    }
    EXPECT_NEAR(GaussianDelta(mu, epsilon) / (NormalDensity(t) * integral), 1.0, 1e-6) << mu;
  }
}

TEST(GaussianDp, NegativeEpsilonFollowsTheSymmetryOfThePair) {
  EXPECT_NEAR(GaussianDelta(1.0, -0.7), testing::BruteForceDelta({1.0, 1.0, 1}, -0.7, true), 1e-6);
  EXPECT_DOUBLE_EQ(GaussianDelta(0.0, 0.5), 0.0);
}

TEST(GaussianDp, MuAndEpsilonAreInverse) {
  for (const double delta : {1e-12, 1e-6, 1e-2}) {
    for (const double epsilon : {0.01, 1.0, 10.0, 100.0}) {
      const double mu = GaussianMu(epsilon, delta);
      EXPECT_LE(GaussianDelta(mu, epsilon), delta);
      EXPECT_NEAR(GaussianEpsilon(mu, delta) / epsilon, 1.0, 1e-9);
    }
  }
}

TEST(GaussianDp, MillsRatioIsContinuousAcrossItsTwoForms) {
  EXPECT_NEAR(MillsRatio(8.0 - 1e-12) / MillsRatio(8.0), 1.0, 1e-12);
  EXPECT_NEAR(MillsRatio(0.0), std::sqrt(M_PI / 2.0), 1e-15);
}

TEST(GaussianDp, MassOfAnIntervalNeverCancels) {
  EXPECT_NEAR(NormalMass(10.0, 11.0) / (NormalTail(10.0) - NormalTail(11.0)), 1.0, 1e-14);
  EXPECT_NEAR(NormalMass(-11.0, -10.0) / NormalMass(10.0, 11.0), 1.0, 1e-14);
  EXPECT_DOUBLE_EQ(NormalMass(-INFINITY, INFINITY), 1.0);
  EXPECT_DOUBLE_EQ(NormalMass(1.0, 1.0), 0.0);
}

}  // namespace
}  // namespace synod
