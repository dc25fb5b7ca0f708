// The one entry of an independent_columns plan, and what both ends derive from it.
#pragma once

#include <vector>

#include "models/family.h"
#include "models/independent_columns/options.h"
#include "models/tabular/public_grid.h"

namespace synod {
struct RunSpecification;
}

namespace synod::independent_columns {

// Entry, canonical options and parameter layout for a run on this schema: a part for each modelled column with the
// (noisy) count of each of its cells. Refuses options of a run that would have no effect: the shares of the budget, and
// the clip, which follows from the schema.
Result<FamilyPlan> PlanRun(const RunSpecification& run, const Schema& schema);

struct RunParts {
  Options options;
  std::vector<tabular::PublicGrid> grids;
  ParameterLayout layout;
};

// Fails when the options are broken, or the plan is not one of this family on this schema.
Result<RunParts> PartsOf(const FamilyRun& run);
Result<ParameterLayout> LayoutFor(const Schema& schema, const std::vector<tabular::PublicGrid>& grids);

}  // namespace synod::independent_columns
