#include "tools/evaluation/column_bins.h"

#include <algorithm>
#include <cmath>

#include "tools/evaluation/quantile.h"

namespace synod {
namespace {

constexpr int kQuantileBins = 20;
constexpr double kSpikeShareOfRange = 0.005;

std::vector<double> DistinctEdges(const std::vector<double>& sorted) {
  std::vector<double> edges;
  if (sorted.empty()) return edges;
  for (int i = 1; i < kQuantileBins; ++i) edges.push_back(Quantile(sorted, i / static_cast<double>(kQuantileBins)));
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return edges;
}

}  // namespace

ColumnBins ColumnBins::FromReal(const Column& column, const ColumnCells& real) {
  ColumnBins bins;
  bins.numeric_ = column.is_numeric();
  if (!bins.numeric_) {
    bins.count_ = column.values.size() + 1;
    return bins;
  }
  const std::vector<double> sorted = SortedPresent(real.numbers);
  bins.edges_ = DistinctEdges(sorted);
  bins.spiky_ = bins.edges_.size() < kQuantileBins - 1;
  if (bins.spiky_ && column.type != ColumnType::kInteger && !sorted.empty()) {
    bins.spike_width_ = kSpikeShareOfRange * (Quantile(sorted, 0.99) - Quantile(sorted, 0.01));
  }
  bins.count_ = (bins.spiky_ ? 2 * bins.edges_.size() + 1 : bins.edges_.size() + 1) + 1;
  return bins;
}

std::uint32_t ColumnBins::BinOf(double number) const {
  if (!spiky_) {
    return static_cast<std::uint32_t>(std::upper_bound(edges_.begin(), edges_.end(), number) - edges_.begin());
  }
  // Even bins lie between the edges, odd ones are the edges themselves.
  const auto above = std::lower_bound(edges_.begin(), edges_.end(), number);
  auto nearest = above;
  if (above == edges_.end() || (above != edges_.begin() && number - *(above - 1) <= *above - number)) {
    if (!edges_.empty()) nearest = above - 1;
  }
  if (nearest != edges_.end() && std::abs(number - *nearest) <= spike_width_) {
    return static_cast<std::uint32_t>(2 * (nearest - edges_.begin()) + 1);
  }
  return static_cast<std::uint32_t>(2 * (above - edges_.begin()));
}

BinnedColumn ColumnBins::Assign(const ColumnCells& cells) const {
  BinnedColumn binned;
  binned.count = count_;
  const auto missing = static_cast<std::uint32_t>(count_ - 1);
  if (numeric_) {
    binned.bins.reserve(cells.numbers.size());
    for (const double x : cells.numbers) binned.bins.push_back(std::isnan(x) ? missing : BinOf(x));
  } else {
    binned.bins.reserve(cells.codes.size());
    for (const std::uint16_t code : cells.codes) binned.bins.push_back(std::min<std::uint32_t>(code, missing));
  }
  return binned;
}

}  // namespace synod
