#include "common/data/schema_names.h"

#include <algorithm>

namespace synod {
namespace {

template <typename Enum, std::size_t kSize>
std::optional<Enum> Lookup(const std::array<std::string_view, kSize>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::string_view ColumnTypeName(ColumnType type) {
  return kColumnTypeNames[static_cast<std::size_t>(type)];
}
std::string_view ColumnRoleName(ColumnRole role) {
  return kColumnRoleNames[static_cast<std::size_t>(role)];
}
std::optional<ColumnType> ColumnTypeFromName(std::string_view name) {
  return Lookup<ColumnType>(kColumnTypeNames, name);
}
std::optional<ColumnRole> ColumnRoleFromName(std::string_view name) {
  return Lookup<ColumnRole>(kColumnRoleNames, name);
}
std::string_view ColumnScaleName(ColumnScale scale) {
  return kColumnScaleNames.at(static_cast<std::size_t>(scale) - 1);
}
std::optional<ColumnScale> ColumnScaleFromName(std::string_view name) {
  const auto found = std::find(kColumnScaleNames.begin(), kColumnScaleNames.end(), name);
  if (found == kColumnScaleNames.end()) return std::nullopt;
  return static_cast<ColumnScale>(found - kColumnScaleNames.begin() + 1);
}

}  // namespace synod
