// The parameters of a model as one flat float32 vector with named, shaped parts; the hash of the layout is in the plan,
// so that both ends mean the same numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/canonical_json.h"
#include "common/core/result.h"

namespace synod {

struct ParameterPart {
  std::string name;                  // "encoder.0.weight"
  std::vector<std::uint64_t> shape;  // row-major; empty for one number
  std::uint64_t offset = 0;          // of its first number in the flat vector; set by the layout
  std::uint64_t size = 0;            // product of the shape; set by the layout
  bool operator==(const ParameterPart&) const = default;
};

class ParameterLayout {
 public:
  static constexpr std::uint64_t kMostParameters = std::uint64_t{1} << 32;

  ParameterLayout() = default;  // no parameters

  // Parts one after the other, in this order. BadInput for an empty or repeated name, a zero extent, or too many
  // numbers.
  static Result<ParameterLayout> Make(std::vector<ParameterPart> parts);
  static Result<ParameterLayout> FromJson(const Json& json);

  std::uint64_t size() const { return size_; }  // numbers in the flat vector
  const std::vector<ParameterPart>& parts() const { return parts_; }
  // Null where there is no such part.
  const ParameterPart* Find(std::string_view name) const;

  Json ToJson() const;  // [{"name": ..., "shape": [...]}, ...]
  Digest Hash() const;  // SHA-256 of the canonical JSON "synod.parameter_layout"/1
  bool operator==(const ParameterLayout&) const = default;

 private:
  std::vector<ParameterPart> parts_;
  std::uint64_t size_ = 0;
};

// Flat float32 vectors as little-endian bytes. Reading refuses a length that is no multiple of 4 and numbers that are
// not finite (BadInput).
Bytes EncodeFloats(std::span<const float> values);
Result<std::vector<float>> DecodeFloats(ByteView bytes);

}  // namespace synod
