#include "models/engine/adaptive_clip.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "common/query/side_coordinates.h"

namespace synod::engine {
namespace {

TEST(AdaptiveClip, NeverLeavesItsBoundsWhateverTheNoiseSays) {
  const AdaptiveClipOptions options{0.5, 8.0, 1.0, 0.5, 10.0};
  AdaptiveClip clip = *AdaptiveClip::Make(options);
  std::mt19937_64 random(1);
  std::cauchy_distribution<double> wild(0.0, 1e6);
  for (int step = 0; step < 100'000; ++step) {
    double clipped = wild(random);
    if (step % 7 == 0) clipped = std::numeric_limits<double>::quiet_NaN();
    if (step % 11 == 0) clipped = std::numeric_limits<double>::infinity() * (step % 2 == 0 ? 1.0 : -1.0);
    clip.Update(clipped, step % 13 == 0 ? 0.0 : 100.0);
    ASSERT_TRUE(AdaptiveClip::Allows(options, clip.threshold()));
    ASSERT_GE(clip.threshold(), 0.5);
    ASSERT_LE(clip.threshold(), 8.0);
  }
}

TEST(AdaptiveClip, FindsTheQuantileThatItIsAskedFor) {
  // Norms uniform on [0, 10]; a quarter above the threshold means a threshold of 7.5.
  AdaptiveClip clip = *AdaptiveClip::Make({0.01, 100.0, 0.1, 0.25, 0.2});
  for (int step = 0; step < 400; ++step) {
    const double above = std::max(0.0, 1.0 - clip.threshold() / 10.0);
    clip.Update(1000.0 * above, 1000.0);
  }
  EXPECT_NEAR(clip.threshold(), 7.5, 0.01);
}

TEST(AdaptiveClip, ReadsTheNoisySideCoordinates) {
  const SideCoordinates side = *SideCoordinates::Make(1.0, {0.05F, 0.05F, 0.05F, 1.0F});
  std::array<double, SideCoordinates::kCount> sums{};
  for (int unit = 0; unit < 100; ++unit) {
    const auto own = side.Encode(0.5F, unit < 80);
    for (std::size_t i = 0; i < own.size(); ++i) sums[i] += static_cast<double>(own[i]);
  }
  AdaptiveClip clip = *AdaptiveClip::Make({0.01, 100.0, 1.0, 0.5, 0.2});
  clip.Update(side.Decode(sums, 100.0).clipped, 100.0);
  EXPECT_NEAR(clip.threshold(), std::exp(0.2 * 0.3), 1e-6);
}

TEST(AdaptiveClip, TakesUpWhereACheckpointWasButNeverOutsideItsBounds) {
  AdaptiveClip clip = *AdaptiveClip::Make({0.1, 10.0, 1.0, 0.5, 0.2});
  EXPECT_TRUE(clip.Restore(7.0).ok());
  EXPECT_EQ(clip.threshold(), 7.0);
  EXPECT_FALSE(clip.Restore(10.5).ok());
  EXPECT_FALSE(clip.Restore(std::nan("")).ok());
  EXPECT_EQ(clip.threshold(), 7.0);
}

TEST(AdaptiveClip, RefusesBoundsThatAreNone) {
  const double nan = std::nan("");
  EXPECT_FALSE(AdaptiveClip::Make({0.0, 1.0, 0.5, 0.5, 0.2}).ok());
  EXPECT_FALSE(AdaptiveClip::Make({0.1, static_cast<double>(INFINITY), 0.5, 0.5, 0.2}).ok());
  EXPECT_FALSE(AdaptiveClip::Make({0.1, 1.0, 2.0, 0.5, 0.2}).ok());
  EXPECT_FALSE(AdaptiveClip::Make({0.1, 1.0, nan, 0.5, 0.2}).ok());
  EXPECT_FALSE(AdaptiveClip::Make({0.1, 1.0, 0.5, 1.0, 0.2}).ok());
  EXPECT_FALSE(AdaptiveClip::Make({0.1, 1.0, 0.5, 0.5, nan}).ok());
}

}  // namespace
}  // namespace synod::engine
