// The one writer of bytes that are hashed or signed (plan, schema, configuration, certificate, parameter layout).
//
// Form: `label`, a slash, `version`, a newline, then JSON with keys sorted bytewise, no blanks, UTF-8, integers as they
// are, reals in their shortest round-trip form (std::to_chars), no null. Equal values give equal bytes on every
// compiler; golden vectors in tests/unit/core hold it there.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/core/result.h"

namespace synod {

using Json = nlohmann::json;  // its object type is std::map: keys are sorted bytewise

// Fails on null, a non-finite number, invalid UTF-8 or binary values.
Result<std::string> CanonicalJson(std::string_view label, std::uint32_t version, const Json& value);

// The JSON text alone, without the label line: for files that are read back. Same failures.
Result<std::string> CanonicalJsonText(const Json& value);

// Parses JSON from outside: at most `max_bytes` and `max_depth` levels, duplicate keys refused, no exception.
Result<Json> ParseJson(std::string_view text, std::size_t max_bytes, std::size_t max_depth = 64);

}  // namespace synod
