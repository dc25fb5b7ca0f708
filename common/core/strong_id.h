// Identifiers that cannot be mixed up: a run is 16 random bytes, a registered data set is 16 random bytes (never a
// digest of its content), queries of a run count up from 0 and an attempt numbers the tries of one query from 0.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

namespace synod {

template <typename Tag>
struct RandomId {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const RandomId&) const = default;
};

using RunId = RandomId<struct RunIdTag>;
using DatasetId = RandomId<struct DatasetIdTag>;

// The name of one answer: two different answers under one name must never exist (THREAT_MODEL.md).
struct QueryName {
  RunId run;
  std::uint32_t query = 0;
  std::uint32_t attempt = 0;
  auto operator<=>(const QueryName&) const = default;
};

}  // namespace synod
