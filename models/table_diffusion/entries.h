// The two entries of a table_diffusion plan and what their vectors are made of. Same at both ends.
#pragma once

#include <cstdint>

#include "common/query/side_coordinates.h"
#include "models/family.h"
#include "models/table_diffusion/options.h"
#include "models/tabular/public_grid.h"

namespace synod {
struct RunSpecification;
}

namespace synod::table_diffusion {

inline constexpr std::uint32_t kHistogramEntry = 0;
inline constexpr std::uint32_t kTrainingEntry = 1;

// Side coordinates of the gradient: their weights, as shares of the clip. Together they take 0.4 % of the gradient's
// norm.
inline constexpr double kSideShare = 0.05;

// What the training loss of one row is clamped to: its value if every hidden column were drawn evenly.
double LossBound(const std::vector<tabular::PublicGrid>& grids, const Options& options);

Result<SideCoordinates> SideOf(const std::vector<tabular::PublicGrid>& grids, const Options& options);

// Entries, canonical options and parameter layout for a run on this schema. No data, no LibTorch.
Result<FamilyPlan> PlanRun(const RunSpecification& run, const Schema& schema);

// The numbers in a gradient query's context: the noisy histogram behind its standard deviation.
struct HistogramContext {
  double sigma = 0.0;
  std::span<const float> counts;
};
std::vector<float> EncodeContext(double sigma, std::span<const float> counts);
Result<HistogramContext> DecodeContext(std::span<const float> context, std::size_t cells);

}  // namespace synod::table_diffusion
