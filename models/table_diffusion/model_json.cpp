#include "models/table_diffusion/model_json.h"

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

Json ModelJson(const Options& options, const std::vector<float>& context, const std::vector<float>& offsets) {
  return {{"options", options.ToJson()}, {"histogram", FloatsToJson(context)}, {"offsets", FloatsToJson(offsets)}};
}

Result<OpenedModel> OpenModelJson(const Json& json) {
  if (!json.is_object() || json.size() != 3 || !json.contains("options") || !json.contains("histogram") ||
      !json.contains("offsets")) {
    return BadInput("the generator's model is not one of table_diffusion");
  }
  OpenedModel model;
  SYNOD_ASSIGN_OR_RETURN(model.options, Options::FromJson(json["options"]));
  SYNOD_ASSIGN_OR_RETURN(model.context, FloatsFromJson(json["histogram"], "histogram"));
  SYNOD_ASSIGN_OR_RETURN(model.offsets, FloatsFromJson(json["offsets"], "offsets"));
  return model;
}

}  // namespace synod::table_diffusion
