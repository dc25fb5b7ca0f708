// Loads a CSV file as a Table: every cell is checked against the schema, every row is kept or dropped on its own.
//
// The first row names the columns; columns of the schema are found by name, in any order; columns that the schema does
// not have are reported and not read. Columns with the role ignored need not be there. A row is dropped where it is
// ragged, a cell breaks a rule, or (with a subject column) its subject is missing. A file with a header and no rows is
// a table of no rows. Files that are not CSV at all, or lack a column, are errors (see csv_reader.h).
//
// Privacy: what happens to a row depends on that row alone; the report stays with the data holder (load_report.h).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/core/result.h"
#include "common/data/csv_reader.h"
#include "common/data/load_report.h"
#include "common/data/table.h"

namespace synod {

enum class RowPolicy : std::uint8_t {
  kDrop,   // a row with any broken rule is dropped
  kClamp,  // a number or date outside its bounds moves to the bound; rows with other broken rules are dropped
};

struct LoadedTable {
  Table table;
  LoadReport report;
};

Result<LoadedTable> LoadTable(const std::string& path, std::shared_ptr<const Schema> schema,
                              RowPolicy policy = RowPolicy::kDrop, const CsvProgress& progress = {});

}  // namespace synod
