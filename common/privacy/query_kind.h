// What a query asks for. The vocabulary is compiled in at both ends: no code is ever shipped.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace synod {

enum class QueryKind : std::uint8_t {
  kHistogram = 0,  // bounded statistics of units: one-hots, counts, random features
  kGradient = 1,   // the clipped gradient of a unit, with its side coordinates
};

constexpr std::string_view QueryKindName(QueryKind kind) {
  return kind == QueryKind::kHistogram ? "histogram" : "gradient";
}

constexpr std::optional<QueryKind> QueryKindFromName(std::string_view name) {
  if (name == "histogram") return QueryKind::kHistogram;
  if (name == "gradient") return QueryKind::kGradient;
  return std::nullopt;
}

}  // namespace synod
