// A validated table in compact columnar memory: every cell satisfies the schema. Rows keep the order of the source.
//
// One entry of `columns` for each column of the schema, in schema order. Numeric columns fill `numbers` (NaN =
// missing); categorical and binary ones fill `codes` (index into Column::values; missing = values.size()). Ignored
// columns are empty; the subject column is not kept as text but as `subjects`: a 64-bit id per row (SubjectId in
// unit_table.h), empty where the table has none (no subject column, or synthetic rows). Threads: immutable after
// Create, safe to read from many.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/core/result.h"
#include "common/data/schema.h"

namespace synod {

struct ColumnCells {
  std::vector<double> numbers;
  std::vector<std::uint16_t> codes;
};

class Table {
 public:
  // Checks lengths, bounds, codes and missing cells against the schema; the error names column and rule, no value.
  static Result<Table> Create(std::shared_ptr<const Schema> schema, std::vector<ColumnCells> columns, std::size_t rows,
                              std::vector<std::uint64_t> subjects = {});

  const Schema& schema() const { return *schema_; }
  std::shared_ptr<const Schema> shared_schema() const { return schema_; }
  std::size_t rows() const { return rows_; }
  const ColumnCells& column(std::size_t index) const { return columns_[index]; }
  // One id for each row, or empty. Ids are secret like the records: never log or send them.
  const std::vector<std::uint64_t>& subjects() const { return subjects_; }

  // Of a modelled column.
  bool IsMissing(std::size_t column, std::size_t row) const {
    const Column& c = schema_->columns()[column];
    return c.is_numeric() ? std::isnan(columns_[column].numbers[row]) : columns_[column].codes[row] == c.values.size();
  }

  // The rows named, in that order (an index may repeat).
  Table Select(const std::vector<std::size_t>& rows) const;

 private:
  Table() = default;
  std::shared_ptr<const Schema> schema_;
  std::vector<ColumnCells> columns_;
  std::vector<std::uint64_t> subjects_;
  std::size_t rows_ = 0;
};

}  // namespace synod
