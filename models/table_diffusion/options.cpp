#include "models/table_diffusion/options.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace synod::table_diffusion {
namespace {

using gradient_family::ChoiceKey;
using gradient_family::IntegerKey;
using gradient_family::KeysFromJson;
using gradient_family::KeysToJson;
using gradient_family::OptionKeys;
using gradient_family::ReadKeys;
using gradient_family::RealKey;

constexpr IntegerKey<Options> kIntegers[] = {
    {"levels_per_row", &Options::levels_per_row, 1, 64},          {"hidden", &Options::hidden, 1, 4096},
    {"time_embedding", &Options::time_embedding, 0, 256},         {"levels", &Options::levels, 2, 20},
    {"calibration_rounds", &Options::calibration_rounds, 0, 100},
};
constexpr std::string_view kVariants[] = {"masked", "published", "denoiser"};
constexpr ChoiceKey<Options> kChoices[] = {
    {"variant", kVariants, [](const Options& options) { return static_cast<std::size_t>(options.variant); },
     [](Options& options, std::size_t index) { options.variant = static_cast<Variant>(index); }},
};
constexpr OptionKeys<Options> kKeys = {kIntegers, {}, kChoices};

Options Defaults(Variant variant, const RunSize& size) {
  Options options;
  options.variant = variant;
  const double units = static_cast<double>(std::max<std::uint64_t>(size.units, 1));
  if (options.gaussian()) {
    options.batch = static_cast<std::uint32_t>(std::clamp(units / 8.0, 1.0, 1024.0));
    options.steps = static_cast<std::uint32_t>(std::min(5.0 * std::ceil(units / options.batch), 1e6));  // five epochs
    options.levels_per_row = options.levels;
    options.learning_rate = 0.005;
    options.beta1 = 0.5;
    options.average_decay = 0.0;
    return options;
  }
  // Small tables cannot carry a large network's noise, and fewer tokens stand out of theirs.
  const bool small = units < 4000.0;
  options.batch = static_cast<std::uint32_t>(std::clamp(units / (small ? 3.0 : 8.0), 1.0, 1024.0));
  options.hidden = small ? 32 : 128;
  options.tokens = small ? 8 : 16;
  options.steps = small ? 200 : size.epsilon > 2.0 ? 600 : 300;
  options.learning_rate = small ? 0.01 : size.epsilon > 2.0 ? 0.015 : 0.02;
  return options;
}

}  // namespace

Result<Options> Options::FromToml(const TomlSection& section, const RunSize& size) {
  SYNOD_ASSIGN_OR_RETURN(const std::size_t chosen,
                         section.Choice("variant", 0, {std::begin(kVariants), std::end(kVariants)}));
  SYNOD_ASSIGN_OR_RETURN(const std::string family, section.Text("family", "table_diffusion"));
  Options options = Defaults(static_cast<Variant>(chosen), size);
  SYNOD_RETURN_IF_ERROR(gradient_family::ReadTrainingKeys(section, options));
  SYNOD_RETURN_IF_ERROR(ReadKeys(section, kKeys, options));
  if (options.time_embedding % 2 != 0) return section.ErrorAt("time_embedding", "must be even");
  // These variants run every level of a row in one clip: that is their re-use of a batch.
  if (options.gaussian()) {
    if (section.Has("levels_per_row")) {
      return section.ErrorAt("levels_per_row", "has a meaning for the masked variant alone", "set levels");
    }
    options.levels_per_row = options.levels;
  }
  SYNOD_RETURN_IF_ERROR(section.Finish());
  return options;
}

Json Options::ToJson() const {
  Json json = Json::object();
  gradient_family::TrainingToJson(*this, json);
  KeysToJson(kKeys, *this, json);
  return json;
}

Result<Options> Options::FromJson(const Json& json) {
  const Error broken = BadInput("the options of table_diffusion are not complete and in range");
  Options options;
  if (!json.is_object() || json.size() != gradient_family::TrainingJsonSize() + kKeys.size()) return broken;
  if (!gradient_family::TrainingFromJson(json, options) || !KeysFromJson(kKeys, json, options)) return broken;
  if (options.time_embedding % 2 != 0) return broken;
  // Both say how many uses a row has: batches are made by one and laid out by the other.
  if (options.gaussian() && options.levels_per_row != options.levels) return broken;
  return options;
}

}  // namespace synod::table_diffusion
