#include "common/data/table.h"

#include <fmt/format.h>

#include <algorithm>

namespace synod {
namespace {

// The rule that some number breaks, or nullptr.
const char* NumbersProblem(const Column& column, const std::vector<double>& numbers) {
  const bool whole = column.type == ColumnType::kInteger || column.type == ColumnType::kDatetime;
  for (const double number : numbers) {
    if (std::isnan(number)) {
      if (!column.missing_allowed) return "a cell is missing, which the schema does not allow";
    } else if (number < column.minimum || number > column.maximum) {
      return "a number is outside min and max";
    } else if (whole && number != std::floor(number)) {
      return "a number is not whole";
    }
  }
  return nullptr;
}

const char* CodesProblem(const Column& column, const std::vector<std::uint16_t>& codes) {
  const std::size_t missing = column.values.size();
  for (const std::uint16_t code : codes) {
    if (code > missing) return "a code is not a category";
    if (code == missing && !column.missing_allowed) return "a cell is missing, which the schema does not allow";
  }
  return nullptr;
}

const char* CellsProblem(const Column& column, const ColumnCells& cells, std::size_t rows) {
  const std::size_t numbers = column.is_modelled() && column.is_numeric() ? rows : 0;
  const std::size_t codes = column.is_modelled() && !column.is_numeric() ? rows : 0;
  if (cells.numbers.size() != numbers || cells.codes.size() != codes) return "has the wrong number of cells";
  return column.is_numeric() ? NumbersProblem(column, cells.numbers) : CodesProblem(column, cells.codes);
}

}  // namespace

Result<Table> Table::Create(std::shared_ptr<const Schema> schema, std::vector<ColumnCells> columns, std::size_t rows,
                            std::vector<std::uint64_t> subjects) {
  SYNOD_CHECK(schema != nullptr, "a table has a schema");
  if (columns.size() != schema->columns().size()) {
    return BadInput(
        fmt::format("a table of {} columns does not fit a schema of {}", columns.size(), schema->columns().size()));
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Column& column = schema->columns()[i];
    if (const char* problem = CellsProblem(column, columns[i], rows)) {
      return BadInput(fmt::format("column \"{}\": {}", column.name, problem));
    }
  }
  if (!subjects.empty() && (subjects.size() != rows || schema->subject() < 0)) {
    return BadInput("subject ids do not fit the table");
  }
  Table table;
  table.schema_ = std::move(schema);
  table.columns_ = std::move(columns);
  table.subjects_ = std::move(subjects);
  table.rows_ = rows;
  return table;
}

Table Table::Select(const std::vector<std::size_t>& rows) const {
  SYNOD_CHECK(std::all_of(rows.begin(), rows.end(), [this](std::size_t row) { return row < rows_; }),
              "only rows of the table are selected");
  const auto pick = [&rows](const auto& from, auto& to) {
    if (from.empty()) return;
    to.reserve(rows.size());
    for (const std::size_t row : rows) to.push_back(from[row]);
  };
  Table table;
  table.schema_ = schema_;
  table.rows_ = rows.size();
  table.columns_.resize(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    pick(columns_[i].numbers, table.columns_[i].numbers);
    pick(columns_[i].codes, table.columns_[i].codes);
  }
  pick(subjects_, table.subjects_);
  return table;
}

}  // namespace synod
