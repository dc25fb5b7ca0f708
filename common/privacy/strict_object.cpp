#include "common/privacy/strict_object.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/core/hex.h"

namespace synod {

bool IsPlainName(std::string_view text, std::size_t max_bytes) {
  return !text.empty() && text.size() <= max_bytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

Result<StrictObject> StrictObject::Of(const Json& json, std::string where,
                                      std::initializer_list<std::string_view> keys) {
  if (!json.is_object()) return BadInput(fmt::format("{} is not an object", where));
  for (const std::string_view key : keys) {
    if (json.find(key) == json.end()) return BadInput(fmt::format("{}: \"{}\" is missing", where, key));
  }
  for (const auto& [key, value] : json.items()) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    return BadInput(fmt::format("{}: unknown key \"{}\"", where, IsPlainName(key) ? key : "(not printable)"));
  }
  return StrictObject(&json, std::move(where));
}

Error StrictObject::Wrong(std::string_view key, std::string_view what) const {
  return BadInput(fmt::format("{}: \"{}\" {}", where_, key, what));
}

Result<std::string> StrictObject::Text(std::string_view key, std::size_t max_bytes) const {
  const Json& value = At(key);
  if (!value.is_string()) return Wrong(key, "is not a text");
  const std::string& text = value.get_ref<const std::string&>();
  if (text.size() > max_bytes) return Wrong(key, fmt::format("has more than {} bytes", max_bytes));
  return text;
}

Result<std::string> StrictObject::PlainName(std::string_view key) const {
  SYNOD_ASSIGN_OR_RETURN(std::string text, Text(key, 128));
  if (!IsPlainName(text)) return Wrong(key, "is empty or has characters that are not printable ASCII");
  return text;
}

Result<std::uint64_t> StrictObject::Unsigned(std::string_view key, std::uint64_t minimum, std::uint64_t maximum) const {
  const Json& value = At(key);
  const bool whole = value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
  if (!whole) return Wrong(key, "is not a whole number of 0 or more");
  const std::uint64_t number = value.get<std::uint64_t>();
  if (number < minimum || number > maximum) return Wrong(key, fmt::format("is not in {} .. {}", minimum, maximum));
  return number;
}

Result<std::uint32_t> StrictObject::Unsigned32(std::string_view key, std::uint32_t minimum,
                                               std::uint32_t maximum) const {
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t number, Unsigned(key, minimum, maximum));
  return static_cast<std::uint32_t>(number);
}

Result<double> StrictObject::Real(std::string_view key) const {
  const Json& value = At(key);
  if (!value.is_number()) return Wrong(key, "is not a number");
  const double number = value.get<double>();
  if (!std::isfinite(number)) return Wrong(key, "is not finite");
  return number;
}

Result<bool> StrictObject::Boolean(std::string_view key) const {
  const Json& value = At(key);
  if (!value.is_boolean()) return Wrong(key, "is not true or false");
  return value.get<bool>();
}

Result<Digest> StrictObject::Hash(std::string_view key) const {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, Text(key, 64));
  Result<Digest> digest = FixedFromHex<32>(text);
  if (!digest.ok() || ToHex(*digest) != text) return Wrong(key, "is not 64 lower-case hexadecimal digits");
  return *digest;
}

Result<const Json*> StrictObject::Array(std::string_view key, std::size_t max_items) const {
  const Json& value = At(key);
  if (!value.is_array()) return Wrong(key, "is not a list");
  if (value.size() > max_items) return Wrong(key, fmt::format("has more than {} items", max_items));
  return &value;
}

Result<Json> ParseCanonicalJson(std::string_view label, std::uint32_t version, std::string_view text,
                                std::size_t max_bytes) {
  const std::string prefix = fmt::format("{}/{}\n", label, version);
  if (text.substr(0, prefix.size()) != prefix) {
    return BadInput(fmt::format("not a document of the kind {} version {}", label, version));
  }
  SYNOD_ASSIGN_OR_RETURN(Json json, ParseJson(text.substr(prefix.size()), max_bytes));
  SYNOD_ASSIGN_OR_RETURN(const std::string again, CanonicalJson(label, version, json));
  if (again != text) return BadInput(fmt::format("the document {} is not in canonical form", label));
  return json;
}

}  // namespace synod
