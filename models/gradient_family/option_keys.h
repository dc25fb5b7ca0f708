// Hyper-parameters as tables: one line a key serves the run file, the canonical JSON and the checks of both.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/data/toml_section.h"

namespace synod::gradient_family {

template <typename Options>
struct IntegerKey {
  const char* name;
  std::uint32_t Options::*field;
  std::int64_t low;
  std::int64_t high;
};

template <typename Options>
struct RealKey {
  const char* name;
  double Options::*field;
  double low;
  double high;
};

// One of a closed list of words; the field is the index into it.
template <typename Options>
struct ChoiceKey {
  const char* name;
  std::span<const std::string_view> words;
  std::size_t (*get)(const Options&);
  void (*set)(Options&, std::size_t);
};

template <typename Options>
struct OptionKeys {
  std::span<const IntegerKey<Options>> integers;
  std::span<const RealKey<Options>> reals;
  std::span<const ChoiceKey<Options>> choices;

  std::size_t size() const { return integers.size() + reals.size() + choices.size(); }
};

// Every key that the section has replaces what `options` holds; the others stay. The caller finishes the section.
template <typename Options>
Status ReadKeys(const TomlSection& section, const OptionKeys<Options>& keys, Options& options) {
  for (const IntegerKey<Options>& key : keys.integers) {
    SYNOD_ASSIGN_OR_RETURN(const std::int64_t value, section.Integer(key.name, options.*key.field, key.low, key.high));
    options.*key.field = static_cast<std::uint32_t>(value);
  }
  for (const RealKey<Options>& key : keys.reals) {
    SYNOD_ASSIGN_OR_RETURN(options.*key.field, section.Real(key.name, options.*key.field, key.low, key.high));
  }
  for (const ChoiceKey<Options>& key : keys.choices) {
    SYNOD_ASSIGN_OR_RETURN(const std::size_t chosen,
                           section.Choice(key.name, key.get(options), {key.words.begin(), key.words.end()}));
    key.set(options, chosen);
  }
  return {};
}

template <typename Options>
void KeysToJson(const OptionKeys<Options>& keys, const Options& options, Json& json) {
  for (const IntegerKey<Options>& key : keys.integers) json[key.name] = options.*key.field;
  for (const RealKey<Options>& key : keys.reals) json[key.name] = options.*key.field;
  for (const ChoiceKey<Options>& key : keys.choices) json[key.name] = std::string(key.words[key.get(options)]);
}

// Every key must be there, of its type and in its range. False says that one is not: such JSON was never ours.
template <typename Options>
bool KeysFromJson(const OptionKeys<Options>& keys, const Json& json, Options& options) {
  for (const IntegerKey<Options>& key : keys.integers) {
    if (!json.contains(key.name) || !json[key.name].is_number_integer()) return false;
    const auto value = json[key.name].template get<std::int64_t>();
    if (value < key.low || value > key.high) return false;
    options.*key.field = static_cast<std::uint32_t>(value);
  }
  for (const RealKey<Options>& key : keys.reals) {
    if (!json.contains(key.name) || !json[key.name].is_number()) return false;
    const double value = json[key.name].template get<double>();
    if (!(value >= key.low && value <= key.high)) return false;
    options.*key.field = value;
  }
  for (const ChoiceKey<Options>& key : keys.choices) {
    if (!json.contains(key.name) || !json[key.name].is_string()) return false;
    const auto word = json[key.name].template get<std::string>();
    std::size_t index = 0;
    while (index < key.words.size() && key.words[index] != word) ++index;
    if (index == key.words.size()) return false;
    key.set(options, index);
  }
  return true;
}

}  // namespace synod::gradient_family
