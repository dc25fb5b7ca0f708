// What loading a table found, as row numbers, columns and rules; never a value. Counts are statistics of real records:
// the report is the data holder's own, to be shown locally and not to be sent or logged.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/core/canonical_json.h"

namespace synod {

enum class CellRule : std::uint8_t {
  kMissing,     // empty, and the schema does not allow it
  kNotANumber,  // or not one that a 64-bit float holds; NaN and infinity are none
  kNotAnInteger,
  kNotADate,
  kOutOfRange,  // below min or above max
  kUnknownCategory,
  kNoSubject,  // the subject cell is empty
  kRagged,     // more or fewer cells than the header; of the row, no column
};
inline constexpr std::size_t kCellRules = 8;

std::string_view CellRuleText(CellRule rule);  // "is missing", "is not a number", ...

struct CellIssue {
  std::uint64_t row = 0;  // the first row after the header is 1
  std::string column;     // empty for kRagged
  CellRule rule = CellRule::kMissing;
};

struct LoadReport {
  static constexpr std::size_t kMaxListedIssues = 100;

  std::uint64_t rows_read = 0;
  std::uint64_t rows_kept = 0;
  std::uint64_t rows_dropped = 0;   // read - kept
  std::uint64_t cells_clamped = 0;  // out of range, moved to the bound, in rows that were kept
  std::vector<CellIssue> issues;    // the first kMaxListedIssues, in file order
  std::map<std::pair<std::string, CellRule>, std::uint64_t> counts;  // all of them, exactly
  std::vector<std::string> extra_columns;                            // in the file, not in the schema: not read

  bool clean() const { return rows_dropped == 0 && cells_clamped == 0; }

  // For people: one sentence a line, the totals first.
  std::vector<std::string> Lines() const;
  Json ToJson() const;
};

}  // namespace synod
