#include <gtest/gtest.h>

#include <cmath>

#include "common/privacy/epsilon.h"

namespace synod {
namespace {

TEST(Calibration, MeetsTheTargetWithinATenthOfAPerCentAndNeverAboveIt) {
  for (const double target : {0.5, 3.0, 10.0}) {
    for (const double q : {0.01, 0.2}) {
      const auto events = [q](double z) { return PrivacyEvents{{q, z, 400}, {1.0, 5.0 * z, 3}}; };
      const Result<double> z = CalibrateNoise(events, target, 1e-5);
      ASSERT_TRUE(z.ok()) << z.error().message;
      const Result<EpsilonBounds> bounds = ComputeEpsilon(events(*z), 1e-5);
      ASSERT_TRUE(bounds.ok());
      EXPECT_LE(bounds->upper, target);
      EXPECT_GE(bounds->upper, 0.999 * target);
    }
  }
}

TEST(Calibration, FindsThePublishedNoiseMultipliers) {
  const auto noise = [](double q, std::uint64_t steps, double epsilon, double delta) {
    const Result<double> z = CalibrateNoise(
        [=](double scale) {
          return PrivacyEvents{{q, scale, steps}};
        },
        epsilon, delta);
    return z.ok() ? *z : -1.0;
  };
  EXPECT_NEAR(noise(0.0128, 782, 1.0, 8.5e-5), 1.39, 0.01);
  EXPECT_NEAR(noise(0.0512, 977, 3.0, 8.5e-5), 2.13, 0.01);
  EXPECT_NEAR(noise(1.0, 100, 1.0, 6.77e-6), 38.2, 0.1);
}

TEST(Calibration, WorksForOtherRelationsAndSubjectsAtSeveralSites) {
  const auto events = [](double z) { return PrivacyEvents{{0.02, z, 100}}; };
  const Result<double> one = CalibrateNoise(events, 2.0, 1e-5);
  const Result<double> two = CalibrateNoise(events, 2.0, 1e-5, Adjacency::kAddRemove, 2);
  const Result<double> replace = CalibrateNoise(events, 2.0, 1e-5, Adjacency::kReplaceOne);
  ASSERT_TRUE(one.ok() && two.ok() && replace.ok());
  EXPECT_GT(*two, *one);
  EXPECT_GT(*replace, *one);
}

TEST(Calibration, FailsWhenNoNoiseIsEnough) {
  EXPECT_FALSE(CalibrateNoise([](double) { return PrivacyEvents{{1.0, 0.5, 10}}; }, 0.1, 1e-6).ok());
  EXPECT_FALSE(CalibrateNoise([](double z) { return PrivacyEvents{{1.0, z, 1}}; }, 0.0, 1e-6).ok());
  EXPECT_FALSE(CalibrateNoise([](double z) { return PrivacyEvents{{1.0, z, 1}}; }, std::nan(""), 1e-6).ok());
  EXPECT_FALSE(CalibrateNoise([](double z) { return PrivacyEvents{{1.0, z, 1}}; }, 1.0, 0.0).ok());
}

TEST(Calibration, ReturnsTheSmallestScaleWhenLittleNoiseIsNeeded) {
  const Result<double> z = CalibrateNoise([](double scale) { return PrivacyEvents{{1e-6, scale, 1}}; }, 1.0, 1e-3);
  ASSERT_TRUE(z.ok());
  EXPECT_LE(*z, 1.001 * kMinNoiseMultiplier);
}

}  // namespace
}  // namespace synod
