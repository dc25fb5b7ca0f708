#include "models/spline_flow/neuron_mask.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "tests/unit/spline_flow/stage_world.h"

namespace synod::spline_flow {
namespace {

TEST(NeuronMask, KeepsTheShareThatItWasAskedForAndOneAtLeast) {
  for (const double rate : {0.01, 0.1, 0.5, 0.9, 1.0}) {
    const std::vector<std::uint8_t> kept = KeptNeurons(1, 7, 40, rate);
    EXPECT_EQ(std::accumulate(kept.begin(), kept.end(), 0), std::max(1, static_cast<int>(std::lround(40 * rate))));
  }
}

TEST(NeuronMask, FollowsFromSeedAndQueryAlone) {
  EXPECT_EQ(KeptNeurons(1, 7, 200, 0.5), KeptNeurons(1, 7, 200, 0.5));
  EXPECT_NE(KeptNeurons(1, 7, 200, 0.5), KeptNeurons(1, 8, 200, 0.5));
  EXPECT_NE(KeptNeurons(1, 7, 200, 0.5), KeptNeurons(2, 7, 200, 0.5));
}

TEST(NeuronMask, NamesANeuronForEveryParameterOfBothNetworks) {
  for (const bool shared : {true, false}) {
    Options options = testing::SmallSpline();
    options.shared = shared;
    options.slopes = Slopes::kLearned;
    const auto grids = tabular::GridsOf(*testing::MixedSchema());
    const StageShape stages(grids, -1, options);
    const CouplingShape coupling(grids.size(), options);
    const std::vector<std::uint32_t> of_stages = NeuronsOf(stages);
    EXPECT_EQ(of_stages.size(), static_cast<std::size_t>(stages.parameters()));
    EXPECT_EQ(std::set<std::uint32_t>(of_stages.begin(), of_stages.end()).size(), NeuronCount(stages.builder))
        << "every neuron has parameters";
    const std::vector<std::uint32_t> of_coupling = NeuronsOf(coupling);
    EXPECT_EQ(of_coupling.size(), static_cast<std::size_t>(coupling.parameters()));
    for (const std::uint32_t neuron : of_coupling) ASSERT_LT(neuron, NeuronCount(coupling.builder));
  }
}

}  // namespace
}  // namespace synod::spline_flow
