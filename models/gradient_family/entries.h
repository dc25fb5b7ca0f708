// The two entries of a plan of these families, and what their vectors are made of. The same at both ends.
//
//   column_histograms   how many units are in each cell of every column (models/tabular), once; its share of the budget
//                       is the run's [budget] transforms, or without a [budget] TransformShare (models/tabular)
//   training            the clipped gradient of each drawn unit, and the side coordinates behind it, `steps` times
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/query/side_coordinates.h"
#include "models/engine/parameter_view.h"
#include "models/family.h"
#include "models/gradient_family/training_options.h"
#include "models/tabular/public_grid.h"

namespace synod {
struct RunSpecification;
}

namespace synod::gradient_family {

inline constexpr std::uint32_t kHistogramEntry = 0;
inline constexpr std::uint32_t kTrainingEntry = 1;

// Side coordinates of the gradient: their weights, as shares of the clip. Together they take 0.4 % of the gradient's
// norm.
inline constexpr double kSideShare = 0.05;

// `loss_bound`: what the loss of one unit is clamped to where it is reported.
Result<SideCoordinates> SideOf(const TrainingOptions& options, double loss_bound);

Result<ParameterLayout> LayoutOf(const engine::ParameterBuilder& builder);

// Entries, canonical options and layout of a run. `options_json`: every hyper-parameter of the family. Refuses a batch
// above the number of units.
Result<FamilyPlan> PlanTraining(const RunSpecification& run, const Schema& schema, const TrainingOptions& options,
                                Json options_json, ParameterLayout layout, double loss_bound);

// Fails where the run's plan has not these two entries for these cells and this many parameters.
Status CheckPlan(const FamilyRun& run, std::string_view family, std::size_t cells, std::size_t parameters);

// The numbers in a gradient query's context: the noisy histogram behind its standard deviation and the clipping
// threshold, which is 0 unless the clip adapts.
struct TrainingContext {
  double sigma = 0.0;
  double threshold = 0.0;
  std::span<const float> counts;
};
std::vector<float> EncodeContext(double sigma, std::span<const float> counts, double threshold = 0.0);
Result<TrainingContext> DecodeContext(std::span<const float> context, std::size_t cells);

}  // namespace synod::gradient_family
