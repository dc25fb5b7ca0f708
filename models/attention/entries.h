// The plan of an attention run: the entries of its base, and what its loss is bounded by. Same at both ends.
#pragma once

#include <vector>

#include "models/attention/options.h"
#include "models/family.h"
#include "models/gradient_family/entries.h"
#include "models/tabular/public_grid.h"

namespace synod::attention {

// What the training loss of one unit is clamped to where it is reported: its value if every column were drawn evenly
// from its components.
double LossBound(const std::vector<tabular::PublicGrid>& grids, const Options& options);

Result<ParameterLayout> LayoutFor(const std::vector<tabular::PublicGrid>& grids, const Options& options);

// Entries, canonical options and parameter layout for a run on this schema. No data, no LibTorch.
Result<FamilyPlan> PlanRun(const RunSpecification& run, const Schema& schema);

// What a run's schema and options say about its network.
struct ModelParts {
  Options options;
  std::vector<tabular::PublicGrid> grids;
  ParameterLayout layout;
  SideCoordinates side;
};

// Fails when the options are broken, or the plan is not one of this family on this schema.
Result<ModelParts> PartsOf(const FamilyRun& run);

}  // namespace synod::attention
