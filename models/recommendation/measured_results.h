// What the families reached on public tables: the lines of measured_results.csv, which deploy/measure_families.sh makes
// and which is built into the program.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/result.h"

namespace synod {

// One trained generator and its rows against the real ones (tools/evaluation says what the measures are).
struct MeasuredResult {
  std::string data;
  std::uint64_t rows = 0;  // trained on
  std::uint32_t columns = 0;
  std::uint32_t numeric_columns = 0;
  std::string family;
  std::string variant;  // empty: the family has none
  double epsilon = 0.0;
  std::uint64_t seed = 0;
  double tvd1 = 0.0;           // mean distance of columns
  double tvd2 = 0.0;           // mean distance of pairs of columns
  double auroc = 0.0;          // of classifiers trained on the rows, on real test rows
  double discriminator = 0.0;  // AUROC of telling the rows from real ones; 0.5 is best
  double train_seconds = 0.0;
  double sample_rows_per_second = 0.0;
  double peak_mebibytes = 0.0;
};

// The text of a file with exactly these columns, by their names, in this order. BadInput names the line and the column.
Result<std::vector<MeasuredResult>> ParseMeasuredResults(std::string_view text);

// The built-in ones. That they can be read is tested.
const std::vector<MeasuredResult>& MeasuredResults();

}  // namespace synod
