// Pieces of a published model as JSON, read strictly.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "models/family.h"

namespace synod::gradient_family {

Json FloatsToJson(std::span<const float> values);
// BadInput, with `name`, unless it is a list of finite numbers.
Result<std::vector<float>> FloatsFromJson(const Json& json, std::string_view name);

// The member of the state of `model` under `key` as finite numbers; BadInput where it is absent.
Result<std::vector<float>> StateFloats(const GeneratorModel& model, std::string_view key);

// BadInput unless every parameter is finite and there are as many as `layout` has, and the state has exactly
// `state_members` members.
Status CheckModel(const GeneratorModel& model, const ParameterLayout& layout, std::size_t state_members);

}  // namespace synod::gradient_family
