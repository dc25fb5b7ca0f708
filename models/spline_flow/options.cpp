#include "models/spline_flow/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace synod::spline_flow {
namespace {

using gradient_family::ChoiceKey;
using gradient_family::Clipping;
using gradient_family::IntegerKey;
using gradient_family::KeysFromJson;
using gradient_family::KeysToJson;
using gradient_family::OptionKeys;
using gradient_family::ReadKeys;
using gradient_family::RealKey;

constexpr IntegerKey<Options> kIntegers[] = {
    {"hidden", &Options::hidden, 1, 4096},
    {"calibration_rounds", &Options::calibration_rounds, 0, 100},
    {"stages", &Options::stages, 1, 32},
    {"bins", &Options::bins, 2, 64},
    {"draws_per_row", &Options::draws_per_row, 1, 64},
};
// A keep rate of 0 would train nothing.
constexpr RealKey<Options> kReals[] = {
    {"keep_rate", &Options::keep_rate, 0.01, 1.0},
    {"tail", &Options::tail, 1.0, 10.0},
};
constexpr std::string_view kVariants[] = {"autoregressive", "coupling"};
constexpr std::string_view kLabels[] = {"last", "first"};
constexpr std::string_view kSlopes[] = {"smooth", "learned"};
constexpr ChoiceKey<Options> kChoices[] = {
    {"variant", kVariants, [](const Options& options) { return static_cast<std::size_t>(options.variant); },
     [](Options& options, std::size_t index) { options.variant = static_cast<Variant>(index); }},
    {"label", kLabels, [](const Options& options) { return static_cast<std::size_t>(options.label); },
     [](Options& options, std::size_t index) { options.label = static_cast<LabelPlace>(index); }},
    {"slopes", kSlopes, [](const Options& options) { return static_cast<std::size_t>(options.slopes); },
     [](Options& options, std::size_t index) { options.slopes = static_cast<Slopes>(index); }},
};
constexpr OptionKeys<Options> kKeys = {kIntegers, kReals, kChoices};
constexpr char kShared[] = "shared";

constexpr const char* kOfAutoregressive[] = {"label", "slopes", "calibration_rounds", "tokens"};
constexpr const char* kOfCoupling[] = {"stages", "bins", "tail", "draws_per_row"};

Options Defaults(Variant variant, const RunSize& size) {
  Options options;
  options.variant = variant;
  const double units = static_cast<double>(std::max<std::uint64_t>(size.units, 1));
  // Small tables cannot carry a large network's noise, and fewer tokens stand out of theirs.
  const bool small = units < 4000.0;
  options.batch = static_cast<std::uint32_t>(std::clamp(units / (small ? 3.0 : 8.0), 1.0, 1024.0));
  options.hidden = small ? 32 : 128;
  options.tokens = small ? 8 : 16;
  options.steps = small ? 200 : size.epsilon > 2.0 ? 600 : 300;
  options.learning_rate = small ? 0.01 : size.epsilon > 2.0 ? 0.015 : 0.02;
  if (variant == Variant::kCoupling) {
    options.hidden = small ? 16 : 64;
    options.learning_rate *= 0.5;
  }
  return options;
}

// What no range of one key can say.
const char* Contradiction(const Options& options) {
  if (options.keep_rate < 1.0 && options.clipping != Clipping::kPerNeuron) {
    return "below 1 needs clipping = \"per_neuron\": the mask is one of output neurons";
  }
  return nullptr;
}

}  // namespace

Result<Options> Options::FromToml(const TomlSection& section, const RunSize& size) {
  SYNOD_ASSIGN_OR_RETURN(const std::size_t chosen,
                         section.Choice("variant", 0, {std::begin(kVariants), std::end(kVariants)}));
  SYNOD_ASSIGN_OR_RETURN(const std::string family, section.Text("family", "spline_flow"));
  Options options = Defaults(static_cast<Variant>(chosen), size);
  const auto others = chosen == 0 ? std::span<const char* const>(kOfCoupling) : std::span(kOfAutoregressive);
  for (const char* key : others) {
    if (section.Has(key)) {
      return section.ErrorAt(key, fmt::format("has no meaning for the variant {}", kVariants[chosen]));
    }
  }
  SYNOD_RETURN_IF_ERROR(gradient_family::ReadTrainingKeys(section, options));
  SYNOD_RETURN_IF_ERROR(ReadKeys(section, kKeys, options));
  SYNOD_ASSIGN_OR_RETURN(options.shared, section.Bool(kShared, options.shared));
  if (const char* wrong = Contradiction(options)) return section.ErrorAt("keep_rate", wrong);
  SYNOD_RETURN_IF_ERROR(section.Finish());
  return options;
}

Json Options::ToJson() const {
  Json json = Json::object();
  gradient_family::TrainingToJson(*this, json);
  KeysToJson(kKeys, *this, json);
  json[kShared] = shared;
  return json;
}

Result<Options> Options::FromJson(const Json& json) {
  const Error broken = BadInput("the options of spline_flow are not complete and in range");
  Options options;
  if (!json.is_object() || json.size() != gradient_family::TrainingJsonSize() + kKeys.size() + 1) return broken;
  if (!gradient_family::TrainingFromJson(json, options) || !KeysFromJson(kKeys, json, options)) return broken;
  if (!json.contains(kShared) || !json[kShared].is_boolean()) return broken;
  options.shared = json[kShared].get<bool>();
  if (Contradiction(options) != nullptr) return broken;
  return options;
}

}  // namespace synod::spline_flow
