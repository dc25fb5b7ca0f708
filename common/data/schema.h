// The public statement of what a table looks like: columns, their types, bounds and categories. Nothing in it is ever
// learned from private data; whoever writes it vouches that it is public.
//
// Invariants of a Schema that exists: at least one feature column; column names are unique, non-empty, at most
// kMaxNameBytes of UTF-8; numeric bounds are finite with minimum < maximum (minimum == maximum is allowed for a column
// that is constant); categorical columns have 1 to kMaxCategories unique values, binary ones exactly two; at most one
// label and at most one subject column. Names and categories have no control characters and no blanks at their ends.
// Of a column with the role subject or ignored nothing but its name is used; the rules for bounds and values do not
// apply to it.
//
// A datetime column whose bounds are both at midnight holds days: the time of day of a cell is dropped.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/canonical_json.h"
#include "common/core/result.h"

namespace synod {

enum class ColumnType : std::uint8_t { kContinuous, kInteger, kCategorical, kBinary, kDatetime };
enum class ColumnRole : std::uint8_t { kFeature, kLabel, kSubject, kIgnored };
// How the values of a wide numeric column are spread, as far as is publicly known: it says where the cells of its grid
// are cut. Unstated: both ways at once, evenly and logarithmically.
enum class ColumnScale : std::uint8_t { kUnstated, kLinear, kLog };

struct Column {
  std::string name;
  ColumnType type = ColumnType::kContinuous;
  ColumnRole role = ColumnRole::kFeature;
  double minimum = 0.0;  // numeric columns; datetime: seconds since the Unix epoch, UTC
  double maximum = 0.0;
  std::vector<std::string> values;  // categorical and binary columns: the category names, in schema order
  bool missing_allowed = false;
  int decimals = -1;  // continuous columns: digits after the point of its values; -1 is not stated
  // Numeric columns: public single values that occur often (a fill-in constant, 0). They keep their own digits, which
  // may be more than `decimals`.
  std::vector<double> special_values;
  ColumnScale scale = ColumnScale::kUnstated;  // continuous and integer columns; kLog: minimum is not below 0

  // Continuous, integer and datetime columns are numeric; categorical and binary ones are not.
  bool is_numeric() const { return type != ColumnType::kCategorical && type != ColumnType::kBinary; }
  // Part of what is modelled and synthesised: features and the label.
  bool is_modelled() const { return role == ColumnRole::kFeature || role == ColumnRole::kLabel; }
  // A datetime column that holds days, not seconds.
  bool is_whole_days() const {
    return type == ColumnType::kDatetime && std::fmod(minimum, 86400.0) == 0.0 && std::fmod(maximum, 86400.0) == 0.0;
  }
};

class Schema {
 public:
  static constexpr std::size_t kMaxColumns = 1024;
  static constexpr std::size_t kMaxCategories = 4096;
  static constexpr std::size_t kMaxNameBytes = 256;
  static constexpr std::size_t kMaxSpecialValues = 64;
  static constexpr std::size_t kMaxFileBytes = 4u << 20;

  // Checks the invariants; the error names the column.
  static Result<Schema> Create(std::string name, std::vector<Column> columns);
  // Strict TOML: an unknown key, a wrong type, a duplicate or a non-finite bound is an error with `file`, line and key.
  static Result<Schema> FromToml(std::string_view text, const std::string& file);
  static Result<Schema> FromFile(const std::string& path);
  static Result<Schema> FromJson(const Json& json);

  const std::string& name() const { return name_; }
  const std::vector<Column>& columns() const { return columns_; }
  // Index of the label or subject column, or -1.
  int label() const { return label_; }
  int subject() const { return subject_; }

  Json ToJson() const;
  // SHA-256 of CanonicalJson("synod.schema", 1, ToJson()).
  Digest Hash() const;

 private:
  Schema() = default;
  std::string name_;
  std::vector<Column> columns_;
  int label_ = -1;
  int subject_ = -1;
};

}  // namespace synod
