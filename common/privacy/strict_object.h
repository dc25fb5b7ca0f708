// Reads a JSON object that must have exactly the keys named: a missing, unknown or mistyped one is an error that says
// where it is. Used for everything that is parsed from a plan, a ledger export, a certificate or a key file.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "common/core/bytes.h"
#include "common/core/canonical_json.h"
#include "common/core/result.h"

namespace synod {

// A name that is safe on a terminal and in a file: 1 to `max_bytes` printable ASCII characters.
bool IsPlainName(std::string_view text, std::size_t max_bytes = 128);

class StrictObject {
 public:
  // `where` names the object in errors. The Json must outlive the reader.
  static Result<StrictObject> Of(const Json& json, std::string where, std::initializer_list<std::string_view> keys);

  Result<std::string> Text(std::string_view key, std::size_t max_bytes) const;
  Result<std::string> PlainName(std::string_view key) const;
  Result<std::uint64_t> Unsigned(std::string_view key, std::uint64_t minimum, std::uint64_t maximum) const;
  Result<std::uint32_t> Unsigned32(std::string_view key, std::uint32_t minimum, std::uint32_t maximum) const;
  // A finite number; an integer is one too.
  Result<double> Real(std::string_view key) const;
  Result<bool> Boolean(std::string_view key) const;
  // Lower-case hexadecimal text of exactly 32 bytes.
  Result<Digest> Hash(std::string_view key) const;
  Result<const Json*> Array(std::string_view key, std::size_t max_items) const;
  const Json& At(std::string_view key) const { return *json_->find(key); }

  // The error of a field, with its place.
  Error Wrong(std::string_view key, std::string_view what) const;

 private:
  StrictObject(const Json* json, std::string where) : json_(json), where_(std::move(where)) {}
  const Json* json_;
  std::string where_;
};

// Bytes that CanonicalJson(label, version, ...) made, and nothing else: parsed, written again and compared, so that a
// document has one encoding only.
Result<Json> ParseCanonicalJson(std::string_view label, std::uint32_t version, std::string_view text,
                                std::size_t max_bytes);

}  // namespace synod
