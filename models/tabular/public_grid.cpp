#include "models/tabular/public_grid.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"

namespace synod::tabular {
namespace {

constexpr double kMaxExactInteger = 9007199254740992.0;  // 2^53
constexpr double kLogSpread = 1000.0;                    // range over the unit of the logarithmic scale
// Where the schema itself says that a column is logarithmic, its minimum is believed down to this share of the range.
constexpr double kLeastLogUnit = 1e-6;

}  // namespace

PublicGrid::PublicGrid(const Column& column)
    : numeric_(column.is_numeric()),
      has_missing_(column.missing_allowed),
      categories_(column.values.size()),
      minimum_(column.minimum),
      maximum_(column.maximum),
      decimals_(column.decimals) {
  if (!numeric_) return;
  ChooseSteps(column);
  const double range = high_ - low_;
  origin_ = low_ < 0.0 && high_ > 0.0 ? 0.0 : low_;
  log_unit_ = range / kLogSpread;
  if (column.scale == ColumnScale::kLog && low_ > 0.0) log_unit_ = std::max(low_, kLeastLogUnit * range);
  if (stepped_) log_unit_ = std::max(log_unit_, 1.0);
  if (stepped_) {
    CutSteps(column.scale);
  } else {
    CutContinuous(column.scale);
  }
  for (const double value : column.special_values) SplitAt(value);
  for (std::size_t cell = 0; cell < cells_.size(); ++cell) {
    if (special(cell)) special_cells_.emplace(cells_[cell].special, cell);
  }
  SYNOD_CHECK(cells_.size() < 65535, "a grid fits 16-bit cell numbers");
}

void PublicGrid::ChooseSteps(const Column& column) {
  stepped_ = column.type != ColumnType::kContinuous;
  low_ = column.minimum;
  high_ = column.maximum;
  if (stepped_) {
    low_ = std::ceil(low_);
    high_ = std::floor(high_);
  } else if (decimals_ >= 0) {
    const double steps = std::pow(10.0, decimals_);
    // Steps that doubles cannot count are none.
    if (std::max(std::abs(low_), std::abs(high_)) * steps > kMaxExactInteger) return;
    stepped_ = true;
    steps_per_unit_ = steps;
    low_ = std::round(low_ * steps);
    high_ = std::round(high_ * steps);
  }
}

double PublicGrid::LogPosition(double x) const {
  const double distance = std::log1p(std::abs(x - origin_) / log_unit_);
  return x < origin_ ? -distance : distance;
}

// Points strictly inside the column, in order, spaced as `scale` says.
std::vector<double> PublicGrid::Breakpoints(ColumnScale scale) const {
  const double range = high_ - low_;
  std::vector<double> points;
  const auto logarithmic = [&](double from, std::size_t cells) {
    const double far = std::log1p(range / log_unit_);
    for (std::size_t i = 1; i <= cells; ++i) {
      const double step = log_unit_ * std::expm1(far * static_cast<double>(i) / static_cast<double>(cells));
      points.push_back(from + step);
      points.push_back(from - step);
    }
    points.push_back(from);
  };
  if (scale == ColumnScale::kLog) {
    logarithmic(low_, kScaleCells);
  } else {
    for (std::size_t i = 1; i < kScaleCells; ++i) {
      points.push_back(low_ + range * static_cast<double>(i) / static_cast<double>(kScaleCells));
    }
    if (scale == ColumnScale::kUnstated) logarithmic(origin_, kLogCells);
  }
  // Points that only rounding tells apart are one point: a mathematical library's last digit must not add a cell.
  const double same = 1e-9 * range;
  std::erase_if(points, [&](double x) { return !(x > low_ + same && x < high_ - same); });
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end(), [&](double a, double b) { return b - a <= same; }),
               points.end());
  return points;
}

void PublicGrid::CutSteps(ColumnScale scale) {
  if (high_ - low_ + 1.0 <= static_cast<double>(kFineValues)) {
    // Counted, not stepped: at 2^53 the next whole number is no double, and a step of one would stay where it is.
    const auto count = static_cast<std::size_t>(high_ - low_) + 1;
    for (std::size_t i = 0; i < count; ++i) {
      cells_.push_back({low_ + static_cast<double>(i), low_ + static_cast<double>(i)});
    }
    return;
  }
  std::vector<double> starts = {low_, low_ + 1.0, high_};
  // A point that should be whole and is not by a last digit is taken as whole.
  constexpr double kAlmost = 1e-6;
  for (const double point : Breakpoints(scale)) starts.push_back(std::clamp(std::ceil(point - kAlmost), low_, high_));
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  for (std::size_t i = 0; i < starts.size(); ++i) {
    cells_.push_back({starts[i], i + 1 < starts.size() ? starts[i + 1] - 1.0 : high_});
  }
}

void PublicGrid::CutContinuous(ColumnScale scale) {
  if (low_ == high_) {
    cells_.push_back({low_, low_});
    return;
  }
  double low = low_;
  for (const double point : Breakpoints(scale)) {
    cells_.push_back({low, point});
    low = point;
  }
  cells_.push_back({low, high_});
}

void PublicGrid::SplitAt(double special) {
  double at = special * steps_per_unit_;
  const double nearest = std::round(at);
  // What a decimal fraction in binary, times a power of ten, can be off.
  const double rounding = std::min(1e-3, 1e-9 * std::max(1.0, std::abs(at)));
  const bool on_step = stepped_ && std::abs(at - nearest) <= rounding;
  if (on_step) at = nearest;
  const auto after =
      std::upper_bound(cells_.begin(), cells_.end(), at, [](double x, const Cell& c) { return x < c.low; });
  const auto found = cells_.begin() + std::max<std::ptrdiff_t>(after - cells_.begin() - 1, 0);
  const Cell cell = *found;
  if (at > cell.high) {  // between two steps, and between their cells
    cells_.insert(found + 1, {at, at, special});
    return;
  }
  std::vector<Cell> parts;
  const double before = !stepped_ ? at : on_step ? at - 1.0 : std::floor(at);
  const double behind = !stepped_ ? at : on_step ? at + 1.0 : std::ceil(at);
  if (at > cell.low) parts.push_back({cell.low, before});
  parts.push_back({at, at, special});
  if (at < cell.high) parts.push_back({behind, cell.high});
  cells_.insert(cells_.erase(found), parts.begin(), parts.end());
}

bool PublicGrid::single(std::size_t cell) const {
  return !numeric_ || cell >= cells_.size() || cells_[cell].low == cells_[cell].high;
}

double PublicGrid::Extent(std::size_t cell) const {
  return single(cell) ? 1.0 : Width(cell);
}

bool PublicGrid::special(std::size_t cell) const {
  return numeric_ && cell < cells_.size() && !std::isnan(cells_[cell].special);
}

double PublicGrid::Width(std::size_t cell) const {
  SYNOD_CHECK(cell < cells_.size(), "a numeric cell has a width");
  const Cell& c = cells_[cell];
  if (stepped_) return c.high - c.low + 1.0;
  return c.high > c.low ? c.high - c.low : 1.0;
}

double PublicGrid::LogWidth(std::size_t cell) const {
  SYNOD_CHECK(cell < cells_.size(), "a numeric cell has a width");
  const Cell& c = cells_[cell];
  const double end = stepped_ ? c.high + 1.0 : c.high;
  const double width = LogPosition(end) - LogPosition(c.low);
  return width > 0.0 ? width : 1.0;
}

std::size_t PublicGrid::CellOfNumber(double number) const {
  if (std::isnan(number)) {
    SYNOD_CHECK(has_missing_, "a missing value in a column that has no missing cell");
    return missing_cell();
  }
  // A special value may lie between two steps, or be the lower end of the interval above it.
  const auto known = special_cells_.find(number);
  if (known != special_cells_.end()) return known->second;
  const double at = stepped_ ? std::round(number * steps_per_unit_) : number;
  const auto after =
      std::upper_bound(cells_.begin(), cells_.end(), at, [](double x, const Cell& cell) { return x < cell.low; });
  return after == cells_.begin() ? 0 : static_cast<std::size_t>(after - cells_.begin()) - 1;
}

double PublicGrid::NumberInCell(std::size_t cell, double uniform) const {
  SYNOD_CHECK(cell < cells_.size(), "a number is drawn in a numeric cell");
  const Cell& c = cells_[cell];
  if (!std::isnan(c.special)) return c.special;
  if (stepped_) {
    const double step = std::min(c.high, c.low + std::floor(uniform * (c.high - c.low + 1.0)));
    return std::clamp(step / steps_per_unit_, minimum_, maximum_);
  }
  double value = c.low + uniform * (c.high - c.low);
  if (decimals_ >= 0) {
    const double scale = std::pow(10.0, decimals_);
    value = std::round(value * scale) / scale;
  }
  return std::clamp(value, minimum_, maximum_);
}

std::vector<std::size_t> ModelledColumns(const Schema& schema) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < schema.columns().size(); ++i) {
    if (schema.columns()[i].is_modelled()) indices.push_back(i);
  }
  return indices;
}

std::vector<PublicGrid> GridsOf(const Schema& schema) {
  std::vector<PublicGrid> grids;
  for (const std::size_t index : ModelledColumns(schema)) grids.emplace_back(schema.columns()[index]);
  return grids;
}

std::vector<std::vector<std::uint16_t>> CellsOf(const Table& table, const std::vector<PublicGrid>& grids) {
  const std::vector<std::size_t> columns = ModelledColumns(table.schema());
  SYNOD_CHECK(columns.size() == grids.size(), "one grid for each modelled column");
  std::vector<std::vector<std::uint16_t>> cells(grids.size());
  for (std::size_t j = 0; j < grids.size(); ++j) {
    const ColumnCells& column = table.column(columns[j]);
    cells[j].resize(table.rows());
    for (std::size_t row = 0; row < table.rows(); ++row) {
      cells[j][row] = static_cast<std::uint16_t>(grids[j].numeric() ? grids[j].CellOfNumber(column.numbers[row])
                                                                    : grids[j].CellOfCode(column.codes[row]));
    }
  }
  return cells;
}

}  // namespace synod::tabular
