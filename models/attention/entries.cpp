#include "models/attention/entries.h"

#include <algorithm>
#include <cmath>

#include "common/config/run_specification.h"
#include "models/attention/shape.h"
#include "models/tabular/histogram_sum.h"
#include "models/tabular/token_transform.h"

namespace synod::attention {

double LossBound(const std::vector<tabular::PublicGrid>& grids, const Options& options) {
  double bound = 0.0;
  for (const tabular::PublicGrid& grid : grids) {
    bound += std::log(static_cast<double>(std::max<std::size_t>(2, grid.cells())));
  }
  return bound + static_cast<double>(options.latent);
}

Result<ParameterLayout> LayoutFor(const std::vector<tabular::PublicGrid>& grids, const Options& options) {
  return gradient_family::LayoutOf(Shape(grids, options).builder);
}

Result<FamilyPlan> PlanRun(const RunSpecification& run, const Schema& schema) {
  SYNOD_ASSIGN_OR_RETURN(Options options, Options::FromToml(run.model, {run.privacy.units, run.privacy.epsilon}));
  options.clip = run.privacy.clip;
  const std::vector<tabular::PublicGrid> grids = tabular::GridsOf(schema);
  SYNOD_ASSIGN_OR_RETURN(ParameterLayout layout, LayoutFor(grids, options));
  return gradient_family::PlanTraining(run, schema, options, options.ToJson(), std::move(layout),
                                       LossBound(grids, options));
}

Result<ModelParts> PartsOf(const FamilyRun& run) {
  SYNOD_ASSIGN_OR_RETURN(const Options options, Options::FromJson(run.options));
  std::vector<tabular::PublicGrid> grids = tabular::GridsOf(*run.schema);
  SYNOD_ASSIGN_OR_RETURN(ParameterLayout layout, LayoutFor(grids, options));
  SYNOD_RETURN_IF_ERROR(gradient_family::CheckPlan(run, "attention", tabular::HistogramSize(grids), layout.size()));
  SYNOD_ASSIGN_OR_RETURN(const SideCoordinates side, gradient_family::SideOf(options, LossBound(grids, options)));
  return ModelParts{options, std::move(grids), std::move(layout), side};
}

}  // namespace synod::attention
