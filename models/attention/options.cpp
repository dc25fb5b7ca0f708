#include "models/attention/options.h"

#include <algorithm>
#include <string>

namespace synod::attention {
namespace {

using gradient_family::ChoiceKey;
using gradient_family::IntegerKey;
using gradient_family::OptionKeys;
using gradient_family::RealKey;

constexpr IntegerKey<Options> kIntegers[] = {
    {"draws_per_row", &Options::draws_per_row, 1, 64},
    {"width", &Options::width, 1, 1024},
    {"heads", &Options::heads, 1, 64},
    {"hidden", &Options::hidden, 1, 4096},
    {"latent", &Options::latent, 0, 256},
    {"calibration_rounds", &Options::calibration_rounds, 0, 100},
};
constexpr RealKey<Options> kReals[] = {{"kl_weight", &Options::kl_weight, 0.0, 100.0}};
constexpr std::string_view kDecodings[] = {"one_by_one", "together"};
constexpr ChoiceKey<Options> kChoices[] = {
    {"decoding", kDecodings, [](const Options& options) { return static_cast<std::size_t>(options.decoding); },
     [](Options& options, std::size_t index) { options.decoding = static_cast<Decoding>(index); }},
};
constexpr OptionKeys<Options> kKeys = {kIntegers, kReals, kChoices};

constexpr std::uint32_t kLatent = 4;

Options Defaults(const RunSize& size) {
  Options options;
  const double units = static_cast<double>(std::max<std::uint64_t>(size.units, 1));
  // Small tables cannot carry a large network's noise, and fewer tokens stand out of theirs. The latent vector and its
  // encoder are the first that goes under in it. The noise in a step's mean gradient hardly depends on the batch: a
  // small one is as good and takes less time.
  const bool small = units < 4000.0;
  const bool middling = units < 16000.0;
  options.batch = static_cast<std::uint32_t>(std::clamp(units / (small ? 3.0 : 32.0), 1.0, 1024.0));
  options.tokens = middling ? 8 : 16;
  options.latent = middling ? 0 : kLatent;
  options.width = small ? 16 : 32;
  options.hidden = small ? 32 : middling ? 128 : 64;
  options.steps = small ? 200 : size.epsilon > 2.0 ? 600 : 300;
  options.learning_rate = small ? 0.01 : size.epsilon > 2.0 ? 0.015 : 0.02;
  return options;
}

bool HeadsFit(const Options& options) {
  return options.width % options.heads == 0;
}

bool HasSource(const Options& options) {
  return options.latent > 0 || options.decoding == Decoding::kOneByOne;
}

}  // namespace

Result<Options> Options::FromToml(const TomlSection& section, const RunSize& size) {
  SYNOD_ASSIGN_OR_RETURN(const std::string family, section.Text("family", "attention"));
  Options options = Defaults(size);
  SYNOD_RETURN_IF_ERROR(gradient_family::ReadTrainingKeys(section, options));
  SYNOD_RETURN_IF_ERROR(gradient_family::ReadKeys(section, kKeys, options));
  if (options.decoding == Decoding::kTogether && !section.Has("latent")) options.latent = kLatent;
  if (!HeadsFit(options)) return section.ErrorAt("heads", "must divide the width of a token");
  if (!HasSource(options)) {
    return section.ErrorAt("latent", "must be at least 1 where all columns are decoded together",
                           "without a latent vector the columns would not know of each other");
  }
  SYNOD_RETURN_IF_ERROR(section.Finish());
  return options;
}

Json Options::ToJson() const {
  Json json = Json::object();
  gradient_family::TrainingToJson(*this, json);
  gradient_family::KeysToJson(kKeys, *this, json);
  return json;
}

Result<Options> Options::FromJson(const Json& json) {
  const Error broken = BadInput("the options of attention are not complete and in range");
  Options options;
  if (!json.is_object() || json.size() != gradient_family::TrainingJsonSize() + kKeys.size()) return broken;
  if (!gradient_family::TrainingFromJson(json, options)) return broken;
  if (!gradient_family::KeysFromJson(kKeys, json, options)) return broken;
  if (!HeadsFit(options) || !HasSource(options)) return broken;
  return options;
}

}  // namespace synod::attention
