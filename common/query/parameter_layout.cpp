#include "common/query/parameter_layout.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <set>

#include "common/crypto/sha256.h"

namespace synod {
namespace {

static_assert(std::endian::native == std::endian::little, "parameters are little-endian");

Result<std::uint64_t> CheckedSize(const ParameterPart& part) {
  std::uint64_t size = 1;
  for (const std::uint64_t extent : part.shape) {
    if (extent == 0 || extent > ParameterLayout::kMostParameters / size) {
      return BadInput("the shape of parameter " + part.name + " is out of range");
    }
    size *= extent;
  }
  return size;
}

bool IsPlainName(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
  });
}

Result<ParameterPart> PartFromJson(const Json& json) {
  if (!json.is_object() || json.size() != 2 || !json.contains("name") || !json.contains("shape") ||
      !json["name"].is_string() || !json["shape"].is_array()) {
    return BadInput("a part of a parameter layout has a name and a shape");
  }
  ParameterPart part;
  part.name = json["name"].get<std::string>();
  for (const Json& extent : json["shape"]) {
    if (!extent.is_number_unsigned()) return BadInput("the shape of a parameter is a list of whole numbers");
    part.shape.push_back(extent.get<std::uint64_t>());
  }
  return part;
}

}  // namespace

Result<ParameterLayout> ParameterLayout::Make(std::vector<ParameterPart> parts) {
  ParameterLayout layout;
  std::set<std::string> names;
  for (ParameterPart& part : parts) {
    if (!IsPlainName(part.name)) return BadInput("a parameter name is made of letters, digits, '_', '.' and '-'");
    if (!names.insert(part.name).second) return BadInput("parameter " + part.name + " appears twice");
    SYNOD_ASSIGN_OR_RETURN(part.size, CheckedSize(part));
    part.offset = layout.size_;
    layout.size_ += part.size;
    if (layout.size_ > kMostParameters) return BadInput("a model with more than 2^32 parameters");
  }
  layout.parts_ = std::move(parts);
  return layout;
}

Result<ParameterLayout> ParameterLayout::FromJson(const Json& json) {
  if (!json.is_array()) return BadInput("a parameter layout is a list");
  std::vector<ParameterPart> parts;
  for (const Json& item : json) {
    SYNOD_ASSIGN_OR_RETURN(ParameterPart part, PartFromJson(item));
    parts.push_back(std::move(part));
  }
  return Make(std::move(parts));
}

const ParameterPart* ParameterLayout::Find(std::string_view name) const {
  const auto found =
      std::find_if(parts_.begin(), parts_.end(), [name](const ParameterPart& part) { return part.name == name; });
  return found == parts_.end() ? nullptr : &*found;
}

Json ParameterLayout::ToJson() const {
  Json json = Json::array();
  for (const ParameterPart& part : parts_) {
    json.push_back({{"name", part.name}, {"shape", Json(part.shape)}});
  }
  return json;
}

Digest ParameterLayout::Hash() const {
  const Result<std::string> text = CanonicalJson("synod.parameter_layout", 1, ToJson());
  SYNOD_CHECK(text.ok(), "a layout without canonical form");
  return Sha256(*text);
}

Bytes EncodeFloats(std::span<const float> values) {
  Bytes bytes(values.size_bytes());
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

Result<std::vector<float>> DecodeFloats(ByteView bytes) {
  if (bytes.size() % sizeof(float) != 0) return BadInput("a list of float32 numbers with a torn end");
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  const bool finite = std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  if (!finite) return BadInput("a list of float32 numbers holds one that is not finite");
  return values;
}

}  // namespace synod
