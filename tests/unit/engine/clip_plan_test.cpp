#include "models/engine/clip_plan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "models/engine/adam.h"

namespace synod::engine {
namespace {

double SumOfSquares(const ClipPlan& plan) {
  double squares = 0.0;
  for (const ClipGroup& group : plan.groups()) {
    for (const double bound : group.bounds) squares += bound * bound;
  }
  return squares;
}

std::vector<ParameterRange> Layers(std::size_t count) {
  ParameterBuilder builder;
  for (std::size_t i = 0; i < count; ++i) builder.Linear("layer", 3, static_cast<std::int64_t>(1 + i % 7));
  return builder.layers();
}

TEST(ClipPlan, PartsNeverAddUpToMoreThanTheWhole) {
  for (const std::size_t count : {1U, 2U, 3U, 7U, 100U, 1001U}) {
    const std::vector<ParameterRange> layers = Layers(count);
    std::vector<double> shares;
    for (std::size_t i = 0; i < count; ++i) shares.push_back(0.1 + static_cast<double>(i * i % 13));
    for (const double clip : {1e-6, 0.3, 1.0, 123.456}) {
      for (const auto& plan : {ClipPlan::PerLayer(layers, clip), ClipPlan::PerLayer(layers, clip, shares),
                               ClipPlan::PerNeuron(layers, clip)}) {
        ASSERT_TRUE(plan.ok());
        EXPECT_LE(SumOfSquares(*plan), clip * clip);
        EXPECT_GT(SumOfSquares(*plan), clip * clip * (1.0 - 1e-9));
      }
    }
  }
}

TEST(ClipPlan, SharesDivideTheClipInTheirProportions) {
  const std::vector<double> shares = {3.0, 0.0, 4.0};
  const Result<ClipPlan> plan = ClipPlan::PerLayer(Layers(3), 10.0, shares);
  ASSERT_TRUE(plan.ok());
  EXPECT_NEAR(plan->groups()[0].bounds[0], 6.0, 1e-9);
  EXPECT_EQ(plan->groups()[1].bounds[0], 0.0);
  EXPECT_NEAR(plan->groups()[2].bounds[0], 8.0, 1e-9);
}

TEST(ClipPlan, NeuronsOfALayerHaveABoundEach) {
  const Result<ClipPlan> plan = ClipPlan::PerNeuron(Layers(3), 1.0);  // 1 + 2 + 3 neurons
  ASSERT_TRUE(plan.ok());
  EXPECT_TRUE(plan->by_neuron());
  EXPECT_EQ(plan->groups()[2].bounds.size(), 3U);
  EXPECT_NEAR(plan->groups()[2].bounds[1], 1.0 / std::sqrt(6.0), 1e-9);
}

// The clip goes to the kept neurons whole: nothing of it is left for those that the mask leaves out.
TEST(ClipPlan, AMaskOfNeuronsDividesTheClipAmongThoseThatItKeeps) {
  const std::vector<ParameterRange> layers = Layers(3);  // 1 + 2 + 3 neurons
  const std::vector<std::uint8_t> kept = {0, 1, 0, 1, 1, 0};
  const Result<ClipPlan> plan = ClipPlan::PerNeuron(layers, 2.0, kept);
  ASSERT_TRUE(plan.ok());
  EXPECT_TRUE(plan->by_neuron());
  std::vector<double> bounds;
  for (const ClipGroup& group : plan->groups()) bounds.insert(bounds.end(), group.bounds.begin(), group.bounds.end());
  ASSERT_EQ(bounds.size(), kept.size());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_NEAR(bounds[i], kept[i] != 0 ? 2.0 / std::sqrt(3.0) : 0.0, 1e-9);
  }
  EXPECT_LE(SumOfSquares(*plan), 4.0);
  EXPECT_FALSE(ClipPlan::PerNeuron(layers, 2.0, std::vector<std::uint8_t>(6, 0)).ok());
  EXPECT_FALSE(ClipPlan::PerNeuron(layers, 2.0, std::vector<std::uint8_t>(5, 1)).ok());
}

TEST(Adam, LeavesMaskedParametersAndTheirMomentsAsTheyAreAndCorrectsByTheirOwnSteps) {
  Adam sparse(2, {});
  Adam dense(1, {});
  std::vector<float> both = {1.0F, 1.0F};
  std::vector<float> one = {1.0F};
  for (int step = 0; step < 12; ++step) {
    const double gradient = std::sin(static_cast<double>(step));
    const bool keeps = step % 3 == 0;
    const std::vector<float> before = both;
    sparse.Step(std::vector<double>{0.5, gradient}, 0.1, both,
                std::vector<std::uint8_t>{1, static_cast<std::uint8_t>(keeps ? 1 : 0)});
    if (keeps) {
      dense.Step(std::vector<double>{gradient}, 0.1, one);
    } else {
      EXPECT_EQ(both[1], before[1]);
    }
    EXPECT_NE(both[0], before[0]);
    EXPECT_EQ(both[1], one[0]) << "as if the other steps had not been";
  }
  EXPECT_EQ(sparse.steps(), 12U);
  EXPECT_EQ(sparse.own_steps()[1], 4.0);
}

TEST(ClipPlan, RefusesWhatIsNoClip) {
  const std::vector<ParameterRange> layers = Layers(2);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double clip : {0.0, -1.0, nan, static_cast<double>(INFINITY)}) {
    EXPECT_FALSE(ClipPlan::PerLayer(layers, clip).ok());
    EXPECT_FALSE(ClipPlan::PerNeuron(layers, clip).ok());
    EXPECT_FALSE(ClipPlan::Automatic(clip, 0.01).ok());
    EXPECT_FALSE(ClipPlan::Automatic(1.0, clip).ok());
    EXPECT_FALSE(ClipPlan::Flat(1.0).WithThreshold(clip).ok());
  }
  EXPECT_FALSE(ClipPlan::Automatic(1.0, 0.01)->WithThreshold(1.0).ok());
  EXPECT_FALSE(ClipPlan::PerLayer({}, 1.0).ok());
  EXPECT_FALSE(ClipPlan::PerLayer(layers, 1.0, std::vector<double>{1.0}).ok());
  EXPECT_FALSE(ClipPlan::PerLayer(layers, 1.0, std::vector<double>{0.0, 0.0}).ok());
  EXPECT_FALSE(ClipPlan::PerLayer(layers, 1.0, std::vector<double>{1.0, nan}).ok());
  EXPECT_FALSE(ClipPlan::PerLayer(layers, 1.0, std::vector<double>{1.0, -0.5}).ok());
}

TEST(ClipPlanDeathTest, ParametersInTwoGroupsAreOurBug) {
  const std::vector<ParameterRange> layers = Layers(2);
  const ClipPlan plan = *ClipPlan::PerLayer(layers, 1.0);
  EXPECT_EQ(plan.GroupOf(layers[1].offset, 2), 1U);
  EXPECT_DEATH(plan.GroupOf(layers[1].offset - 1, 2), "groups");
}

TEST(ParameterBuilder, LayersCoverTheVectorWithoutGaps) {
  ParameterBuilder builder;
  builder.Linear("a", 3, 2);
  builder.LuLinear("b", {1, 0, 2});
  builder.Attention("c", 4, 2);
  builder.Conv2d("d", 1, 2, {3, 1, 1, false});
  std::int64_t next = 0;
  for (const ParameterRange& layer : builder.layers()) {
    EXPECT_EQ(layer.offset, next);
    EXPECT_GE(layer.neurons, 1);
    next += layer.size;
  }
  EXPECT_EQ(next, builder.size());
}

}  // namespace
}  // namespace synod::engine
