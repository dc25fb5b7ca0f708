// Schema as TOML: name = TEXT and one [[column]] each with name, type and, by type, min and max (and optionally
// special_values, decimals, scale) or values; optionally role ("feature") and missing (false). A column with the role
// "subject" or "ignored" needs its name only; a type that is given must still be a known one.
#include <limits>

#include "common/core/file.h"
#include "common/data/date_time.h"
#include "common/data/schema.h"
#include "common/data/schema_checks.h"
#include "common/data/schema_names.h"
#include "common/data/toml_section.h"

namespace synod {
namespace {

constexpr double kAnyLow = std::numeric_limits<double>::lowest();
constexpr double kAnyHigh = std::numeric_limits<double>::max();

template <typename Names>
std::vector<std::string_view> Listed(const Names& names) {
  return {names.begin(), names.end()};
}

Result<double> ReadMoment(const TomlSection& section, std::string_view key) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, section.RequiredDateText(key));
  const std::optional<std::int64_t> seconds = ParseDateTime(text);
  if (!seconds) {
    return section.ErrorAt(key, "is not a date", "write 2024-01-31 or 2024-01-31T12:00:00Z");
  }
  return static_cast<double>(*seconds);
}

Status ReadBounds(const TomlSection& section, Column& column) {
  for (const char* key : {"min", "max"}) {
    if (!section.Has(key)) {
      return section.ErrorAt(key, "is required and not given",
                             "state a public bound; bounds are never learned from the records");
    }
  }
  if (column.type == ColumnType::kDatetime) {
    SYNOD_ASSIGN_OR_RETURN(column.minimum, ReadMoment(section, "min"));
    SYNOD_ASSIGN_OR_RETURN(column.maximum, ReadMoment(section, "max"));
    return {};
  }
  SYNOD_ASSIGN_OR_RETURN(column.minimum, section.RequiredReal("min", kAnyLow, kAnyHigh));
  SYNOD_ASSIGN_OR_RETURN(column.maximum, section.RequiredReal("max", kAnyLow, kAnyHigh));
  SYNOD_ASSIGN_OR_RETURN(column.special_values, section.Reals("special_values", {}, kAnyLow, kAnyHigh));
  if (column.type == ColumnType::kContinuous) {
    SYNOD_ASSIGN_OR_RETURN(const std::int64_t decimals, section.Integer("decimals", -1, 0, 12));
    column.decimals = static_cast<int>(decimals);
  }
  if (section.Has("scale")) {
    SYNOD_ASSIGN_OR_RETURN(const std::size_t scale, section.Choice("scale", 0, Listed(kColumnScaleNames)));
    column.scale = static_cast<ColumnScale>(scale + 1);  // unstated has no name
  }
  return {};
}

Status ReadValues(const TomlSection& section, Column& column) {
  if (!section.Has("values")) {
    return section.ErrorAt("values", "is required and not given",
                           "list the public categories; they are never learned from the records");
  }
  SYNOD_ASSIGN_OR_RETURN(column.values, section.Strings("values", {}));
  return {};
}

Result<Column> ReadColumn(const TomlSection& section) {
  Column column;
  SYNOD_ASSIGN_OR_RETURN(column.name, section.RequiredText("name"));
  SYNOD_ASSIGN_OR_RETURN(const std::size_t role, section.Choice("role", 0, Listed(kColumnRoleNames)));
  column.role = static_cast<ColumnRole>(role);
  const std::vector<std::string_view> types = Listed(kColumnTypeNames);
  if (!column.is_modelled()) {
    const auto categorical = static_cast<std::size_t>(ColumnType::kCategorical);
    SYNOD_ASSIGN_OR_RETURN(const std::size_t type, section.Choice("type", categorical, types));
    column.type = static_cast<ColumnType>(type);
    return column;
  }
  SYNOD_ASSIGN_OR_RETURN(const std::size_t type, section.RequiredChoice("type", types));
  column.type = static_cast<ColumnType>(type);
  SYNOD_ASSIGN_OR_RETURN(column.missing_allowed, section.Bool("missing", false));
  SYNOD_RETURN_IF_ERROR(column.is_numeric() ? ReadBounds(section, column) : ReadValues(section, column));
  return column;
}

}  // namespace

Result<Schema> Schema::FromToml(std::string_view text, const std::string& file) {
  SYNOD_ASSIGN_OR_RETURN(const TomlSection root, TomlSection::Parse(text, file));
  SYNOD_ASSIGN_OR_RETURN(const std::string name, root.RequiredText("name"));
  SYNOD_ASSIGN_OR_RETURN(const std::vector<TomlSection> sections, root.Sections("column"));
  SYNOD_RETURN_IF_ERROR(root.Finish());
  std::vector<Column> columns;
  for (const TomlSection& section : sections) {
    SYNOD_ASSIGN_OR_RETURN(const Column column, ReadColumn(section));
    SYNOD_RETURN_IF_ERROR(section.Finish());
    columns.push_back(column);
    if (const std::optional<ColumnProblem> problem = FindColumnProblem(columns, columns.size() - 1)) {
      return section.ErrorAt(problem->key, problem->what, problem->hint);
    }
  }
  Result<Schema> schema = Create(name, std::move(columns));
  if (!schema.ok()) return schema.error().Within(file);
  return schema;
}

Result<Schema> Schema::FromFile(const std::string& path) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxFileBytes));
  return FromToml(text, path);
}

}  // namespace synod
