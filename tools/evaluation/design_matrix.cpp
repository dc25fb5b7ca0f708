#include "tools/evaluation/design_matrix.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/core/check.h"

namespace synod {
namespace {

// A number this many standard deviations away is as far as one can be: a constant column of the synthetic table must
// not blow up a classifier.
constexpr double kMaxDeviations = 50.0;

}  // namespace

DesignMatrix::Block DesignMatrix::NumericBlock(const std::vector<double>& numbers, bool missing_allowed) {
  Block block;
  block.numeric = true;
  double sum = 0.0;
  double present = 0.0;
  for (const double x : numbers) {
    if (std::isnan(x)) continue;
    sum += x;
    present += 1.0;
  }
  if (present > 0.0) {
    block.mean = sum / present;
    double squares = 0.0;
    for (const double x : numbers) {
      if (!std::isnan(x)) squares += (x - block.mean) * (x - block.mean);
    }
    const double deviation = std::sqrt(squares / present);
    block.deviation = deviation > 0.0 ? deviation : 1.0;
  }
  if (missing_allowed) block.missing_place = 1;
  return block;
}

DesignMatrix::Block DesignMatrix::CategoryBlock(const std::vector<std::uint16_t>& codes, const Column& column) {
  Block block;
  const std::size_t values = column.values.size() + 1;
  block.places.assign(values, -1);
  if (column.values.size() <= 2) {
    // One number says which of two it is; missing gets its own if it can occur.
    if (column.values.size() == 2) block.places[1] = 0;
    if (column.missing_allowed) block.places.back() = column.values.size() == 2 ? 1 : 0;
    return block;
  }
  std::vector<std::size_t> counts(values, 0);
  for (const std::uint16_t code : codes) ++counts[code];
  std::vector<std::size_t> order(column.values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (order.size() > kMaxOneHot) {
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  }
  for (std::size_t i = 0; i < order.size(); ++i) block.places[order[i]] = static_cast<int>(std::min(i, kMaxOneHot));
  if (column.missing_allowed) block.places.back() = static_cast<int>(std::min(order.size(), kMaxOneHot + 1));
  return block;
}

DesignMatrix DesignMatrix::Fit(const Table& table, const std::vector<std::size_t>& columns) {
  SYNOD_CHECK(table.rows() > 0, "a design matrix needs rows to be fitted on");
  DesignMatrix design;
  for (const std::size_t index : columns) {
    const Column& column = table.schema().columns()[index];
    Block block = column.is_numeric() ? NumericBlock(table.column(index).numbers, column.missing_allowed)
                                      : CategoryBlock(table.column(index).codes, column);
    block.column = index;
    block.first = design.width_;
    const int last =
        block.numeric ? std::max(0, block.missing_place) : *std::max_element(block.places.begin(), block.places.end());
    design.width_ += static_cast<std::size_t>(last + 1);
    design.blocks_.push_back(std::move(block));
  }
  return design;
}

FloatRows DesignMatrix::Build(const Table& table, const std::vector<std::size_t>& rows) const {
  FloatRows matrix = FloatRows::Zero(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(width_));
  for (const Block& block : blocks_) {
    const ColumnCells& cells = table.column(block.column);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto row = static_cast<Eigen::Index>(i);
      const auto first = static_cast<Eigen::Index>(block.first);
      if (!block.numeric) {
        const int place = block.places[cells.codes[rows[i]]];
        if (place >= 0) matrix(row, first + place) = 1.0F;
      } else if (std::isnan(cells.numbers[rows[i]])) {
        if (block.missing_place >= 0) matrix(row, first + block.missing_place) = 1.0F;
      } else {
        const double scaled = (cells.numbers[rows[i]] - block.mean) / block.deviation;
        matrix(row, first) = static_cast<float>(std::clamp(scaled, -kMaxDeviations, kMaxDeviations));
      }
    }
  }
  return matrix;
}

}  // namespace synod
