#include "models/gradient_family/model_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace synod::gradient_family {

Json FloatsToJson(std::span<const float> values) {
  Json json = Json::array();
  for (const float value : values) json.push_back(static_cast<double>(value));
  return json;
}

Result<std::vector<float>> FloatsFromJson(const Json& json, std::string_view name) {
  const Error broken = BadInput(fmt::format("the generator's {} is not a list of finite numbers", name));
  if (!json.is_array()) return broken;
  std::vector<float> values;
  for (const Json& item : json) {
    if (!item.is_number()) return broken;
    values.push_back(static_cast<float>(item.get<double>()));
    if (!std::isfinite(values.back())) return broken;
  }
  return values;
}

Result<std::vector<float>> StateFloats(const GeneratorModel& model, std::string_view key) {
  const auto found = model.state.is_object() ? model.state.find(key) : model.state.end();
  if (found == model.state.end()) return BadInput(fmt::format("the generator's state has no \"{}\"", key));
  return FloatsFromJson(*found, key);
}

Status CheckModel(const GeneratorModel& model, const ParameterLayout& layout, std::size_t state_members) {
  if (!model.state.is_object() || model.state.size() != state_members) {
    return BadInput(fmt::format("the generator's state is not one of {}", model.family));
  }
  // A file holds the layout's digest, which was held against the plan when it was read; not the layout.
  if (model.parameters.size() != layout.size()) {
    return BadInput("the generator's parameters do not fit its schema and options");
  }
  const bool finite =
      std::all_of(model.parameters.begin(), model.parameters.end(), [](float x) { return std::isfinite(x); });
  if (!finite) return BadInput("the generator has parameters that are not finite");
  return {};
}

}  // namespace synod::gradient_family
