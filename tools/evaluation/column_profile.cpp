#include "tools/evaluation/column_profile.h"

#include <algorithm>
#include <cmath>

#include "tools/evaluation/quantile.h"

namespace synod {
namespace {

std::optional<NumberSummary> Summarise(const std::vector<double>& sorted) {
  if (sorted.empty()) return std::nullopt;
  NumberSummary summary;
  double sum = 0.0;
  for (const double x : sorted) sum += x;
  summary.minimum = sorted.front();
  summary.quantile_5 = Quantile(sorted, 0.05);
  summary.median = Quantile(sorted, 0.5);
  summary.mean = sum / static_cast<double>(sorted.size());
  summary.quantile_95 = Quantile(sorted, 0.95);
  summary.maximum = sorted.back();
  return summary;
}

ColumnSide CategorySide(const ColumnCells& cells, std::size_t categories, std::size_t rows) {
  ColumnSide side;
  std::vector<double> counts(categories + 1, 0.0);
  for (const std::uint16_t code : cells.codes) counts[code] += 1.0;
  for (double& count : counts) count /= static_cast<double>(rows);
  side.missing = counts.back();
  counts.pop_back();
  side.shares = std::move(counts);
  return side;
}

ColumnSide NumberSide(const std::vector<double>& sorted, double low, double high, std::size_t bins, std::size_t rows) {
  ColumnSide side;
  side.shares.assign(bins, 0.0);
  const auto total = static_cast<double>(rows);
  const double width = (high - low) / static_cast<double>(bins);
  for (const double x : sorted) {
    const double position = width > 0.0 ? std::floor((x - low) / width) : 0.0;
    const double last = static_cast<double>(bins) - 1.0;
    side.shares[static_cast<std::size_t>(std::clamp(position, 0.0, last))] += 1.0 / total;
  }
  side.missing = static_cast<double>(rows - sorted.size()) / total;
  side.numbers = Summarise(sorted);
  return side;
}

}  // namespace

ColumnProfile ProfileColumn(const Table& real, const Table& synthetic, std::size_t column) {
  ColumnProfile profile;
  profile.column = real.schema().columns()[column];
  if (!profile.column.is_numeric()) {
    const std::size_t categories = profile.column.values.size();
    profile.real = CategorySide(real.column(column), categories, real.rows());
    profile.synthetic = CategorySide(synthetic.column(column), categories, synthetic.rows());
    return profile;
  }
  const std::vector<double> a = SortedPresent(real.column(column).numbers);
  const std::vector<double> b = SortedPresent(synthetic.column(column).numbers);
  std::size_t bins = 1;
  if (!a.empty() || !b.empty()) {
    profile.low = a.empty() ? b.front() : b.empty() ? a.front() : std::min(a.front(), b.front());
    profile.high = a.empty() ? b.back() : b.empty() ? a.back() : std::max(a.back(), b.back());
    bins = profile.high > profile.low ? ColumnProfile::kHistogramBins : 1;
    if (profile.column.type == ColumnType::kInteger && profile.high > profile.low) {
      // Every bin holds the same number of integers, or the picture has false teeth.
      const double values = std::floor(profile.high) - std::floor(profile.low) + 1.0;
      const double in_bin = std::ceil(values / static_cast<double>(ColumnProfile::kHistogramBins));
      bins = static_cast<std::size_t>(std::ceil(values / in_bin));
      profile.low = std::floor(profile.low) - 0.5;
      profile.high = profile.low + in_bin * static_cast<double>(bins);
    }
  }
  profile.real = NumberSide(a, profile.low, profile.high, bins, real.rows());
  profile.synthetic = NumberSide(b, profile.low, profile.high, bins, synthetic.rows());
  return profile;
}

}  // namespace synod
