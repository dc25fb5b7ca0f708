#include "common/data/load_report.h"

#include <fmt/format.h>

namespace synod {

std::string_view CellRuleText(CellRule rule) {
  switch (rule) {
    case CellRule::kMissing:
      return "is missing";
    case CellRule::kNotANumber:
      return "is not a number";
    case CellRule::kNotAnInteger:
      return "is not a whole number";
    case CellRule::kNotADate:
      return "is not a date";
    case CellRule::kOutOfRange:
      return "is out of range";
    case CellRule::kUnknownCategory:
      return "is not a category of the schema";
    case CellRule::kNoSubject:
      return "names no subject";
    case CellRule::kRagged:
      return "has not as many cells as the header";
  }
  return "";
}

std::vector<std::string> LoadReport::Lines() const {
  std::vector<std::string> lines;
  lines.push_back(fmt::format("{} rows read, {} kept, {} dropped, {} cells clamped to their bounds", rows_read,
                              rows_kept, rows_dropped, cells_clamped));
  if (rows_kept == 0) lines.push_back("the table has no rows");
  for (const auto& [key, count] : counts) {
    if (key.second == CellRule::kRagged) {
      lines.push_back(fmt::format("{} rows: the row {}", count, CellRuleText(key.second)));
    } else {
      lines.push_back(fmt::format("{} rows: column \"{}\" {}", count, key.first, CellRuleText(key.second)));
    }
  }
  for (const CellIssue& issue : issues) {
    const std::string where = issue.column.empty() ? "the row" : fmt::format("column \"{}\"", issue.column);
    lines.push_back(fmt::format("row {}: {} {}", issue.row, where, CellRuleText(issue.rule)));
  }
  for (const std::string& column : extra_columns) {
    lines.push_back(fmt::format("column \"{}\" of the file is not in the schema and was not read", column));
  }
  return lines;
}

Json LoadReport::ToJson() const {
  Json json{{"rows_read", rows_read},
            {"rows_kept", rows_kept},
            {"rows_dropped", rows_dropped},
            {"cells_clamped", cells_clamped},
            {"extra_columns", extra_columns}};
  json["counts"] = Json::array();
  for (const auto& [key, count] : counts) {
    json["counts"].push_back({{"column", key.first}, {"rule", CellRuleText(key.second)}, {"count", count}});
  }
  json["issues"] = Json::array();
  for (const CellIssue& issue : issues) {
    json["issues"].push_back({{"row", issue.row}, {"column", issue.column}, {"rule", CellRuleText(issue.rule)}});
  }
  return json;
}

}  // namespace synod
