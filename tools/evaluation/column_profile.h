// How one column is distributed in the real and in the synthetic table: what the report draws.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/data/table.h"

namespace synod {

// Of the present cells of a numeric column.
struct NumberSummary {
  double minimum = 0.0;
  double quantile_5 = 0.0;
  double median = 0.0;
  double mean = 0.0;
  double quantile_95 = 0.0;
  double maximum = 0.0;
};

// Shares are of all rows, missing ones included, so that `shares` and `missing` sum to 1.
struct ColumnSide {
  std::vector<double> shares;  // per category in schema order, or per histogram bin
  double missing = 0.0;
  std::optional<NumberSummary> numbers;  // numeric columns with at least one present cell
};

struct ColumnProfile {
  static constexpr std::size_t kHistogramBins = 30;

  Column column;
  double total_variation = 0.0;  // of synthetic against real training data, in the bins of ColumnBins
  // Numeric columns: the histogram covers [low, high] in equal bins; an integer column with few values has one bin a
  // value. `low` and `high` span both tables.
  double low = 0.0;
  double high = 0.0;
  ColumnSide real;
  ColumnSide synthetic;
};

// Both tables have one schema and at least one row. Leaves `total_variation` 0.
ColumnProfile ProfileColumn(const Table& real, const Table& synthetic, std::size_t column);

}  // namespace synod
