// The names of column types, roles and scales in schema files.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "common/data/schema.h"

namespace synod {

// In the order of the enumerations.
inline constexpr std::array<std::string_view, 5> kColumnTypeNames = {"continuous", "integer", "categorical", "binary",
                                                                     "datetime"};
inline constexpr std::array<std::string_view, 4> kColumnRoleNames = {"feature", "label", "subject", "ignored"};
// Without the first, which stands for no name at all.
inline constexpr std::array<std::string_view, 2> kColumnScaleNames = {"linear", "log"};

std::string_view ColumnTypeName(ColumnType type);
std::string_view ColumnRoleName(ColumnRole role);
std::optional<ColumnType> ColumnTypeFromName(std::string_view name);
std::optional<ColumnRole> ColumnRoleFromName(std::string_view name);
// Precondition: stated.
std::string_view ColumnScaleName(ColumnScale scale);
std::optional<ColumnScale> ColumnScaleFromName(std::string_view name);

}  // namespace synod
