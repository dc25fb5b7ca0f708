#include "models/table_diffusion/options.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace synod::table_diffusion {
namespace {

// One description of every key serves the file, the canonical JSON and the checks.
struct IntegerKey {
  const char* name;
  std::uint32_t Options::*field;
  std::int64_t low;
  std::int64_t high;
};
struct RealKey {
  const char* name;
  double Options::*field;
  double low;
  double high;
};

constexpr IntegerKey kIntegers[] = {
    {"steps", &Options::steps, 1, 1000000},
    {"batch", &Options::batch, 1, 1 << 22},
    {"levels_per_row", &Options::levels_per_row, 1, 64},
    {"hidden", &Options::hidden, 1, 4096},
    {"time_embedding", &Options::time_embedding, 0, 256},
    {"tokens", &Options::tokens, 2, 256},
    {"levels", &Options::levels, 2, 20},
    {"calibration_rounds", &Options::calibration_rounds, 0, 100},
};
constexpr RealKey kReals[] = {
    {"clip", &Options::clip, 1e-6, 1e6},
    {"learning_rate", &Options::learning_rate, 1e-8, 10.0},
    {"beta1", &Options::beta1, 0.0, 0.9999},
    {"beta2", &Options::beta2, 0.0, 0.99999},
    {"average_decay", &Options::average_decay, 0.0, 0.99999},
};

Options Defaults(Variant variant, const RunSize& size) {
  Options options;
  options.variant = variant;
  const double units = static_cast<double>(std::max<std::uint64_t>(size.units, 1));
  if (variant == Variant::kPublished) {
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

std::string_view VariantName(Variant variant) {
  return variant == Variant::kMasked ? "masked" : "published";
}

Result<Options> Options::FromToml(const TomlSection& section, const RunSize& size) {
  SYNOD_ASSIGN_OR_RETURN(const std::size_t chosen, section.Choice("variant", 0, {"masked", "published"}));
  SYNOD_ASSIGN_OR_RETURN(const std::string family, section.Text("family", "table_diffusion"));
  Options options = Defaults(chosen == 0 ? Variant::kMasked : Variant::kPublished, size);
  for (const IntegerKey& key : kIntegers) {
    SYNOD_ASSIGN_OR_RETURN(const std::int64_t value, section.Integer(key.name, options.*key.field, key.low, key.high));
    options.*key.field = static_cast<std::uint32_t>(value);
  }
  for (const RealKey& key : kReals) {
    SYNOD_ASSIGN_OR_RETURN(options.*key.field, section.Real(key.name, options.*key.field, key.low, key.high));
  }
  if (options.time_embedding % 2 != 0) return section.ErrorAt("time_embedding", "must be even");
  if (section.Has("clip")) {
    return section.ErrorAt("clip", "is not an option of the model", "the clip of a run is privacy.clip");
  }
  // The published variant runs every level of a row in one clip: that is its re-use of a batch.
  if (options.variant == Variant::kPublished) {
    if (section.Has("levels_per_row")) {
      return section.ErrorAt("levels_per_row", "has no meaning for the published variant", "set levels");
    }
    options.levels_per_row = options.levels;
  }
  SYNOD_RETURN_IF_ERROR(section.Finish());
  return options;
}

Json Options::ToJson() const {
  Json json = {{"variant", std::string(VariantName(variant))}};
  for (const IntegerKey& key : kIntegers) json[key.name] = this->*key.field;
  for (const RealKey& key : kReals) json[key.name] = this->*key.field;
  return json;
}

Result<Options> Options::FromJson(const Json& json) {
  const Error broken = BadInput("the options of table_diffusion are not complete and in range");
  if (!json.is_object() || !json.contains("variant") || !json["variant"].is_string()) return broken;
  if (json.size() != std::size(kIntegers) + std::size(kReals) + 1) return broken;
  Options options;
  const std::string variant = json["variant"].get<std::string>();
  if (variant != "masked" && variant != "published") return broken;
  options.variant = variant == "masked" ? Variant::kMasked : Variant::kPublished;
  for (const IntegerKey& key : kIntegers) {
    if (!json.contains(key.name) || !json[key.name].is_number_integer()) return broken;
    const auto value = json[key.name].get<std::int64_t>();
    if (value < key.low || value > key.high) return broken;
    options.*key.field = static_cast<std::uint32_t>(value);
  }
  for (const RealKey& key : kReals) {
    if (!json.contains(key.name) || !json[key.name].is_number()) return broken;
    const double value = json[key.name].get<double>();
    if (!(value >= key.low && value <= key.high)) return broken;
    options.*key.field = value;
  }
  if (options.time_embedding % 2 != 0) return broken;
  // Both say how many uses a row has: batches are made by one and laid out by the other.
  if (options.variant == Variant::kPublished && options.levels_per_row != options.levels) return broken;
  return options;
}

}  // namespace synod::table_diffusion
