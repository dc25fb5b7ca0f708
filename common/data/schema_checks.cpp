#include "common/data/schema_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "common/data/schema_names.h"
#include "common/data/utf8.h"

namespace synod {
namespace {

using Problem = std::optional<ColumnProblem>;

constexpr double kMaxExactInteger = 9007199254740992.0;  // 2^53
constexpr double kMinUnixSeconds = -62135596800.0;       // 0001-01-01
constexpr double kMaxUnixSeconds = 253402300799.0;       // 9999-12-31T23:59:59
constexpr int kMaxDecimals = 12;

bool IsOnGrid(double value, int decimals) {
  const double scaled = value * std::pow(10.0, decimals);
  return std::abs(scaled - std::round(scaled)) <= 1e-9 * std::max(1.0, std::abs(scaled));
}

Problem CheckNumber(const Column& column, double value, const char* key) {
  if (!std::isfinite(value)) return ColumnProblem{key, "is not finite", "write a public number"};
  if (column.type == ColumnType::kInteger && (value != std::floor(value) || std::abs(value) > kMaxExactInteger)) {
    return ColumnProblem{key, "is not a whole number within 2^53",
                         "write a whole number, or give the column the type \"continuous\""};
  }
  if (column.type == ColumnType::kDatetime &&
      (value != std::floor(value) || value < kMinUnixSeconds || value > kMaxUnixSeconds)) {
    return ColumnProblem{key, "is not a whole second of the years 0001 to 9999", ""};
  }
  if (column.decimals >= 0 && !IsOnGrid(value, column.decimals)) {
    return ColumnProblem{key, fmt::format("has more digits after the point than decimals = {}", column.decimals),
                         "round it, or raise decimals"};
  }
  return std::nullopt;
}

Problem CheckSpecialValues(const Column& column) {
  if (column.special_values.size() > Schema::kMaxSpecialValues) {
    return ColumnProblem{"special_values", fmt::format("has more than {} numbers", Schema::kMaxSpecialValues), ""};
  }
  std::set<double> seen;
  for (const double value : column.special_values) {
    Column plain = column;
    plain.decimals = -1;  // a fill-in constant is often told by a digit that no measurement has
    if (const Problem problem = CheckNumber(plain, value, "special_values")) return problem;
    if (value < column.minimum || value > column.maximum) {
      return ColumnProblem{"special_values", "has a number outside min and max", ""};
    }
    if (!seen.insert(value).second)
      return ColumnProblem{"special_values", "has a number twice", "remove one of the two"};
  }
  return std::nullopt;
}

Problem CheckNumeric(const Column& column) {
  if (!column.values.empty()) return ColumnProblem{"values", "is for categorical and binary columns", "remove it"};
  if (column.decimals < -1 || column.decimals > kMaxDecimals) {
    return ColumnProblem{"decimals", fmt::format("must be between 0 and {}", kMaxDecimals), ""};
  }
  if (column.decimals >= 0 && column.type != ColumnType::kContinuous) {
    return ColumnProblem{"decimals", "is for continuous columns", "remove it"};
  }
  if (const Problem problem = CheckNumber(column, column.minimum, "min")) return problem;
  if (const Problem problem = CheckNumber(column, column.maximum, "max")) return problem;
  if (column.minimum > column.maximum) return ColumnProblem{"min", "is greater than max", "exchange the two"};
  if (column.scale != ColumnScale::kUnstated && column.type == ColumnType::kDatetime) {
    return ColumnProblem{"scale", "is for continuous and integer columns", "remove it"};
  }
  if (column.scale == ColumnScale::kLog && column.minimum < 0.0) {
    return ColumnProblem{"scale", "is \"log\", but min is below 0", "raise min, or remove scale"};
  }
  return CheckSpecialValues(column);
}

Problem CheckCategories(const Column& column) {
  if (!column.special_values.empty()) return ColumnProblem{"special_values", "is for numeric columns", "remove it"};
  if (column.scale != ColumnScale::kUnstated) return ColumnProblem{"scale", "is for numeric columns", "remove it"};
  if (column.decimals != -1) return ColumnProblem{"decimals", "is for continuous columns", "remove it"};
  const std::vector<std::string>& values = column.values;
  if (values.empty()) return ColumnProblem{"values", "is empty", "list the public categories, at least one"};
  if (values.size() > Schema::kMaxCategories) {
    return ColumnProblem{"values", fmt::format("has more than {} categories", Schema::kMaxCategories),
                         "merge rare categories"};
  }
  if (column.type == ColumnType::kBinary && values.size() != 2) {
    return ColumnProblem{"values", fmt::format("has {} categories; a binary column has two", values.size()),
                         "list two values, or give the column the type \"categorical\""};
  }
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string& value = values[i];
    if (const char* problem = FindTextProblem(value)) {
      return ColumnProblem{"values", fmt::format("has a category (number {}) that {}", i + 1, problem), ""};
    }
    if (!seen.insert(value).second) {
      return ColumnProblem{"values", fmt::format("has the category \"{}\" twice", value), "remove one of the two"};
    }
  }
  return std::nullopt;
}

// Names are unique, and at most one column is the label and one the subject.
Problem CheckBeside(std::span<const Column> before, const Column& column) {
  const bool is_single = column.role == ColumnRole::kLabel || column.role == ColumnRole::kSubject;
  for (const Column& other : before) {
    if (other.name == column.name) {
      return ColumnProblem{"name", fmt::format("\"{}\" is given to two columns", column.name), "names must be unique"};
    }
    if (is_single && other.role == column.role) {
      return ColumnProblem{"role", fmt::format("\"{}\" is given to two columns", ColumnRoleName(column.role)),
                           "keep one of the two"};
    }
  }
  return std::nullopt;
}

}  // namespace

const char* FindTextProblem(std::string_view text) {
  if (text.empty()) return "is empty";
  static_assert(Schema::kMaxNameBytes == 256);
  if (text.size() > Schema::kMaxNameBytes) return "is longer than 256 bytes";
  if (!IsValidUtf8(text)) return "is not valid UTF-8";
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(text.begin(), text.end(), is_control)) return "contains a control character";
  if (text.front() == ' ' || text.back() == ' ') return "begins or ends with a blank";
  return nullptr;
}

std::optional<ColumnProblem> FindColumnProblem(std::span<const Column> columns, std::size_t index) {
  const Column& column = columns[index];
  if (const char* problem = FindTextProblem(column.name)) return ColumnProblem{"name", problem, ""};
  if (const Problem problem = CheckBeside(columns.first(index), column)) return problem;
  if (!column.is_modelled()) return std::nullopt;  // only its name is used
  return column.is_numeric() ? CheckNumeric(column) : CheckCategories(column);
}

}  // namespace synod
