// Small tables for the tests of the evaluation.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "common/data/schema.h"
#include "common/data/table.h"
#include "tools/evaluation/evaluation_random.h"

namespace synod::testing {

inline constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

inline Column NumberColumn(std::string name, double minimum, double maximum,
                           ColumnType type = ColumnType::kContinuous) {
  Column column;
  column.name = std::move(name);
  column.type = type;
  column.minimum = minimum;
  column.maximum = maximum;
  column.missing_allowed = true;
  return column;
}

inline Column CategoryColumn(std::string name, std::vector<std::string> values,
                             ColumnRole role = ColumnRole::kFeature) {
  Column column;
  column.name = std::move(name);
  column.type = values.size() == 2 ? ColumnType::kBinary : ColumnType::kCategorical;
  column.role = role;
  column.values = std::move(values);
  column.missing_allowed = true;
  return column;
}

inline std::shared_ptr<const Schema> SchemaOf(std::vector<Column> columns) {
  Result<Schema> schema = Schema::Create("test", std::move(columns));
  SYNOD_CHECK(schema.ok(), "the schema of a test is valid");
  return std::make_shared<const Schema>(*schema);
}

inline Table TableOf(std::shared_ptr<const Schema> schema, std::vector<ColumnCells> cells, std::size_t rows) {
  Result<Table> table = Table::Create(std::move(schema), std::move(cells), rows);
  SYNOD_CHECK(table.ok(), "the table of a test is valid");
  return std::move(table).value();
}

// Two numbers, a category of three, and a binary label that depends on the first number: `rows` rows of one stream.
inline std::shared_ptr<const Schema> PatientSchema() {
  return SchemaOf({NumberColumn("pressure", 0, 300), NumberColumn("visits", 0, 50, ColumnType::kInteger),
                   CategoryColumn("ward", {"a", "b", "c"}), CategoryColumn("died", {"no", "yes"}, ColumnRole::kLabel)});
}

inline Table Patients(std::size_t rows, std::uint64_t seed, double shift = 0.0) {
  EvaluationRandom random(seed);
  std::vector<ColumnCells> cells(4);
  for (std::size_t i = 0; i < rows; ++i) {
    const double pressure = 100.0 + shift + 100.0 * random.Uniform();
    cells[0].numbers.push_back(random.Below(20) == 0 ? kNone : pressure);
    cells[1].numbers.push_back(static_cast<double>(random.Below(6)));
    cells[2].codes.push_back(static_cast<std::uint16_t>(random.Below(3)));
    cells[3].codes.push_back(random.Uniform() < (pressure - shift - 100.0) / 100.0 ? 1 : 0);
  }
  return TableOf(PatientSchema(), std::move(cells), rows);
}

// A file of unquoted comma-separated cells whose header names the columns of the schema.
inline Table ReadPlainCsv(const std::string& path, const std::shared_ptr<const Schema>& schema) {
  const auto split = [](const std::string& line) {
    std::vector<std::string> parts;
    std::stringstream stream(line);
    for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
    return parts;
  };
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::map<std::string, std::size_t> places;
  for (const std::string& name : split(line)) places.emplace(name, places.size());
  std::vector<ColumnCells> cells(schema->columns().size());
  std::vector<std::map<std::string, std::uint16_t>> codes(cells.size());
  for (std::size_t j = 0; j < cells.size(); ++j) {
    for (const std::string& value : schema->columns()[j].values) {
      codes[j].emplace(value, static_cast<std::uint16_t>(codes[j].size()));
    }
  }
  std::size_t rows = 0;
  for (; std::getline(file, line); ++rows) {
    const std::vector<std::string> parts = split(line);
    for (std::size_t j = 0; j < cells.size(); ++j) {
      const std::string& text = parts.at(places.at(schema->columns()[j].name));
      if (schema->columns()[j].is_numeric()) {
        cells[j].numbers.push_back(std::stod(text));
      } else {
        cells[j].codes.push_back(codes[j].at(text));
      }
    }
  }
  return TableOf(schema, std::move(cells), rows);
}

}  // namespace synod::testing
