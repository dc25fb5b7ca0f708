#include "models/table_diffusion/model_json.h"

#include <algorithm>
#include <cmath>

#include "models/table_diffusion/entries.h"
#include "models/table_diffusion/masked_shape.h"
#include "models/table_diffusion/published_shape.h"
#include "models/tabular/histogram_sum.h"

namespace synod::table_diffusion {
namespace {

Json FloatsToJson(const std::vector<float>& values) {
  Json json = Json::array();
  for (const float value : values) json.push_back(static_cast<double>(value));
  return json;
}

Result<std::vector<float>> FloatsFromJson(const Json& json, const char* name) {
  const Error broken = BadInput(std::string("the generator's ") + name + " is not a list of finite numbers");
  if (!json.is_array()) return broken;
  std::vector<float> values;
  for (const Json& item : json) {
    if (!item.is_number()) return broken;
    values.push_back(static_cast<float>(item.get<double>()));
    if (!std::isfinite(values.back())) return broken;
  }
  return values;
}

}  // namespace

Result<ParameterLayout> LayoutFor(const std::vector<tabular::PublicGrid>& grids, const Options& options) {
  const engine::ParameterBuilder builder = options.variant == Variant::kMasked ? MaskedShape(grids, options).builder
                                                                               : PublishedShape(grids, options).builder;
  std::vector<ParameterPart> parts;
  for (const auto& part : builder.parts()) {
    parts.push_back({part.name, std::vector<std::uint64_t>(part.shape.begin(), part.shape.end())});
  }
  return ParameterLayout::Make(std::move(parts));
}

Result<ModelParts> PartsOf(const FamilyRun& run) {
  ModelParts parts;
  SYNOD_ASSIGN_OR_RETURN(parts.options, Options::FromJson(run.options));
  parts.grids = tabular::GridsOf(*run.schema);
  SYNOD_ASSIGN_OR_RETURN(parts.layout, LayoutFor(parts.grids, parts.options));
  const auto& entries = run.plan->entries();
  const bool fits = entries.size() == 2 && entries[kHistogramEntry].kind == QueryKind::kHistogram &&
                    entries[kHistogramEntry].dimension == tabular::HistogramSize(parts.grids) &&
                    entries[kTrainingEntry].kind == QueryKind::kGradient &&
                    entries[kTrainingEntry].dimension == parts.layout.size() + SideCoordinates::kCount;
  if (!fits) return BadInput("the plan is not one of table_diffusion on this schema");
  return parts;
}

Json StateJson(const std::vector<float>& context, const std::vector<float>& offsets) {
  return {{"histogram", FloatsToJson(context)}, {"offsets", FloatsToJson(offsets)}};
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
  SYNOD_ASSIGN_OR_RETURN(opened.context, FloatsFromJson(state["histogram"], "histogram"));
  SYNOD_ASSIGN_OR_RETURN(opened.offsets, FloatsFromJson(state["offsets"], "offsets"));
  return opened;
}

}  // namespace synod::table_diffusion
