#include "common/query/side_coordinates.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/query/public_random.h"

namespace synod {
namespace {

TEST(SideCoordinates, KeepTheWholeVectorWithinTheClip) {
  PublicRandom random(1, "side");
  for (int round = 0; round < 2000; ++round) {
    const double clip = std::exp(4.0 * random.Normal());
    const auto weight = [&] { return static_cast<float>(0.5 * clip * random.Uniform()); };
    const SideCoordinates side =
        SideCoordinates::Make(clip, {weight(), weight(), weight(), static_cast<float>(0.1 + random.Uniform())}).value();
    for (const float loss : {-1.0F, 0.0F, 0.05F, 1e30F, INFINITY, -INFINITY, NAN}) {
      for (const bool clipped : {false, true}) {
        double square = side.gradient_clip() * side.gradient_clip();
        for (const float value : side.Encode(loss, clipped)) square += static_cast<double>(value) * value;
        ASSERT_LE(square, clip * clip);
      }
    }
  }
}

TEST(SideCoordinates, CostTheGradientLittle) {
  const SideCoordinates side = SideCoordinates::Make(1.0, {0.05F, 0.05F, 0.05F, 10.0F}).value();
  EXPECT_GT(side.gradient_clip(), 0.996);
  EXPECT_LT(side.gradient_clip(), 1.0);
}

TEST(SideCoordinates, DecodeWhatTheyEncode) {
  const SideCoordinates side = SideCoordinates::Make(1.0, {0.05F, 0.1F, 0.025F, 4.0F}).value();
  std::array<double, SideCoordinates::kCount> sums{};
  for (int unit = 0; unit < 100; ++unit) {
    const std::array<float, SideCoordinates::kCount> values = side.Encode(unit < 50 ? 1.0F : 100.0F, unit < 30);
    for (std::size_t i = 0; i < values.size(); ++i) sums[i] += values[i];
  }
  const SideCoordinates::Totals totals = side.Decode(sums, 0.0);
  EXPECT_NEAR(totals.loss, 50 * 1.0 + 50 * 4.0, 1e-4);
  EXPECT_NEAR(totals.clipped, 30.0, 1e-4);
  EXPECT_NEAR(totals.count, 100.0, 1e-4);
}

TEST(SideCoordinates, UseThePublicCountWhereNoneIsAsked) {
  const SideCoordinates side = SideCoordinates::Make(1.0, {0.0F, 0.1F, 0.0F, 1.0F}).value();
  const std::array<double, SideCoordinates::kCount> sums = {0.0, -0.1 * 100 + 0.2 * 40, 0.0};
  const SideCoordinates::Totals totals = side.Decode(sums, 100.0);
  EXPECT_NEAR(totals.clipped, 40.0, 1e-4);
  EXPECT_EQ(totals.loss, 0.0);
  EXPECT_EQ(totals.count, 0.0);
}

TEST(SideCoordinates, RefuseWeightsThatLeaveNothing) {
  EXPECT_FALSE(SideCoordinates::Make(1.0, {1.0F, 0.0F, 0.0F, 1.0F}).ok());
  EXPECT_FALSE(SideCoordinates::Make(1.0, {0.6F, 0.6F, 0.6F, 1.0F}).ok());
  EXPECT_FALSE(SideCoordinates::Make(1.0, {-0.1F, 0.0F, 0.0F, 1.0F}).ok());
  EXPECT_FALSE(SideCoordinates::Make(1.0, {NAN, 0.0F, 0.0F, 1.0F}).ok());
  EXPECT_FALSE(SideCoordinates::Make(1.0, {0.1F, 0.0F, 0.0F, 0.0F}).ok());
  EXPECT_FALSE(SideCoordinates::Make(0.0, {0.0F, 0.0F, 0.0F, 1.0F}).ok());
  EXPECT_FALSE(SideCoordinates::Make(INFINITY, {0.1F, 0.0F, 0.0F, 1.0F}).ok());
}

}  // namespace
}  // namespace synod
