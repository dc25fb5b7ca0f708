#include "models/table_diffusion/model_json.h"

#include <algorithm>
#include <cmath>

#include "models/gradient_family/entries.h"
#include "models/gradient_family/model_values.h"
#include "models/table_diffusion/masked_shape.h"
#include "models/table_diffusion/published_shape.h"
#include "models/tabular/histogram_sum.h"

namespace synod::table_diffusion {
Result<ParameterLayout> LayoutFor(const std::vector<tabular::PublicGrid>& grids, const Options& options) {
  const engine::ParameterBuilder builder = options.variant == Variant::kMasked ? MaskedShape(grids, options).builder
                                                                               : PublishedShape(grids, options).builder;
  return gradient_family::LayoutOf(builder);
}

Result<ModelParts> PartsOf(const FamilyRun& run) {
  ModelParts parts;
  SYNOD_ASSIGN_OR_RETURN(parts.options, Options::FromJson(run.options));
  parts.grids = tabular::GridsOf(*run.schema);
  SYNOD_ASSIGN_OR_RETURN(parts.layout, LayoutFor(parts.grids, parts.options));
  SYNOD_RETURN_IF_ERROR(
      gradient_family::CheckPlan(run, "table_diffusion", tabular::HistogramSize(parts.grids), parts.layout.size()));
  return parts;
}

Json StateJson(const std::vector<float>& context, const std::vector<float>& offsets) {
  return {{"histogram", gradient_family::FloatsToJson(context)}, {"offsets", gradient_family::FloatsToJson(offsets)}};
}

Result<OpenedModel> OpenModel(const GeneratorModel& model) {
  const Json& state = model.state;
  if (!state.is_object() || state.size() != 2 || !state.contains("histogram") || !state.contains("offsets")) {
    return BadInput("the generator's state is not one of table_diffusion");
  }
  const bool finite =
      std::all_of(model.parameters.begin(), model.parameters.end(), [](float x) { return std::isfinite(x); });
  if (!finite) return BadInput("the generator has parameters that are not finite");
  OpenedModel opened;
  SYNOD_ASSIGN_OR_RETURN(opened.options, Options::FromJson(model.options));
  SYNOD_ASSIGN_OR_RETURN(opened.context, gradient_family::FloatsFromJson(state["histogram"], "histogram"));
  SYNOD_ASSIGN_OR_RETURN(opened.offsets, gradient_family::FloatsFromJson(state["offsets"], "offsets"));
  return opened;
}

}  // namespace synod::table_diffusion
