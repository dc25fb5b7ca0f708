#include "models/table_diffusion/entries.h"

#include <algorithm>
#include <cmath>

#include "common/config/run_specification.h"
#include "models/table_diffusion/denoiser_loss.h"
#include "models/table_diffusion/model_json.h"
#include "models/tabular/token_transform.h"

namespace synod::table_diffusion {

double LossBound(const std::vector<tabular::PublicGrid>& grids, const Options& options) {
  // The published variant predicts noise of variance at most about one a coordinate, averaged over coordinates.
  if (options.variant == Variant::kPublished) return 2.0;
  if (options.variant == Variant::kDenoiser) return DenoiserLossBound(grids);
  double bound = 0.0;
  for (const tabular::PublicGrid& grid : grids) {
    bound += std::log(static_cast<double>(std::max<std::size_t>(2, tabular::TokenCapacity(grid, {options.tokens}))));
  }
  return bound;
}

Result<FamilyPlan> PlanRun(const RunSpecification& run, const Schema& schema) {
  SYNOD_ASSIGN_OR_RETURN(Options options, Options::FromToml(run.model, {run.privacy.units, run.privacy.epsilon}));
  options.clip = run.privacy.clip;
  const std::vector<tabular::PublicGrid> grids = tabular::GridsOf(schema);
  SYNOD_ASSIGN_OR_RETURN(ParameterLayout layout, LayoutFor(grids, options));
  return gradient_family::PlanTraining(run, schema, options, options.ToJson(), std::move(layout),
                                       LossBound(grids, options));
}

}  // namespace synod::table_diffusion
