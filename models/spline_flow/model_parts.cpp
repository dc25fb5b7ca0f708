#include "models/spline_flow/model_parts.h"

#include <algorithm>
#include <cmath>

#include "common/config/run_specification.h"
#include "models/gradient_family/model_values.h"
#include "models/spline_flow/coupling_shape.h"
#include "models/spline_flow/stage_shape.h"
#include "models/tabular/histogram_sum.h"

namespace synod::spline_flow {

Result<ModelParts> PartsFor(const Schema& schema, const Options& options) {
  ModelParts parts;
  parts.options = options;
  parts.grids = tabular::GridsOf(schema);
  parts.label = ModelledLabel(schema);
  if (options.variant == Variant::kCoupling) {
    if (parts.grids.size() < 2) {
      return BadInput("the coupling variant of spline_flow needs two columns at least",
                      "leave variant out: the autoregressive one takes a single column");
    }
    parts.builder = CouplingShape(parts.grids.size(), options).builder;
  } else {
    parts.builder = StageShape(parts.grids, parts.label, options).builder;
  }
  SYNOD_ASSIGN_OR_RETURN(parts.layout, gradient_family::LayoutOf(parts.builder));
  return parts;
}

Result<ModelParts> PartsOf(const FamilyRun& run) {
  SYNOD_ASSIGN_OR_RETURN(const Options options, Options::FromJson(run.options));
  SYNOD_ASSIGN_OR_RETURN(ModelParts parts, PartsFor(*run.schema, options));
  SYNOD_RETURN_IF_ERROR(
      gradient_family::CheckPlan(run, "spline_flow", tabular::HistogramSize(parts.grids), parts.layout.size()));
  return parts;
}

double LossBound(const std::vector<tabular::PublicGrid>& grids) {
  double bound = 0.0;
  for (const tabular::PublicGrid& grid : grids) {
    bound += std::log(static_cast<double>(std::max<std::size_t>(2, grid.cells())));
  }
  return bound;
}

Result<FamilyPlan> PlanRun(const RunSpecification& run, const Schema& schema) {
  SYNOD_ASSIGN_OR_RETURN(Options options, Options::FromToml(run.model, {run.privacy.units, run.privacy.epsilon}));
  options.clip = run.privacy.clip;
  SYNOD_ASSIGN_OR_RETURN(ModelParts parts, PartsFor(schema, options));
  return gradient_family::PlanTraining(run, schema, options, options.ToJson(), std::move(parts.layout),
                                       LossBound(parts.grids));
}

Json StateJson(const std::vector<float>& context, const std::vector<float>& offsets) {
  return {{"histogram", gradient_family::FloatsToJson(context)}, {"offsets", gradient_family::FloatsToJson(offsets)}};
}

Result<OpenedModel> OpenModel(const GeneratorModel& model) {
  if (!model.state.is_object() || model.state.size() != 2) {
    return BadInput("the generator's state is not one of spline_flow");
  }
  const bool finite =
      std::all_of(model.parameters.begin(), model.parameters.end(), [](float x) { return std::isfinite(x); });
  if (!finite) return BadInput("the generator has parameters that are not finite");
  OpenedModel opened;
  SYNOD_ASSIGN_OR_RETURN(opened.options, Options::FromJson(model.options));
  SYNOD_ASSIGN_OR_RETURN(opened.context, gradient_family::StateFloats(model, "histogram"));
  SYNOD_ASSIGN_OR_RETURN(opened.offsets, gradient_family::StateFloats(model, "offsets"));
  return opened;
}

}  // namespace synod::spline_flow
