// The rows of a CSV file (RFC 4180), one cell after the other, without keeping any.
//
// Accepted: comma as the separator, LF, CRLF or CR at the end of a row, cells in double quotes with doubled quotes,
// separators and newlines inside, a UTF-8 byte order mark, a last row without a newline. Blank lines are skipped.
// Blanks belong to a cell. Refused, with the number of the row: NUL bytes, text that is not UTF-8, a quote inside a
// cell that is not quoted, a quote that is never closed, and whatever exceeds csv_limits.h.
//
// Rows count from 0 for the header; the first data row is row 1. Errors name rows, never contents.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "common/core/result.h"

namespace synod {

class CsvHandler {
 public:
  virtual ~CsvHandler() = default;
  // One cell; `text` is valid during the call only.
  virtual void Cell(std::string_view text) = 0;
  // The end of row `row`. An error ends the reading and is what ReadCsv returns.
  virtual Status EndRow(std::uint64_t row) = 0;
};

// Bytes read so far and in all (0 where it is not known, as for a pipe).
using CsvProgress = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

// Reads `path` to its end. An empty file has no rows.
Status ReadCsv(const std::string& path, CsvHandler& handler, const CsvProgress& progress = {});

}  // namespace synod
