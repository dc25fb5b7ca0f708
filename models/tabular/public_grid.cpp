#include "models/tabular/public_grid.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"

namespace synod::tabular {
namespace {

// Breakpoints strictly inside (low, high): evenly spaced, and logarithmically spaced away from `origin`.
std::vector<double> Breakpoints(double low, double high, double origin) {
  std::vector<double> points;
  const double range = high - low;
  for (std::size_t i = 1; i < PublicGrid::kEvenCells; ++i) {
    points.push_back(low + range * static_cast<double>(i) / static_cast<double>(PublicGrid::kEvenCells));
  }
  constexpr double kSpread =
      1000.0;  // the finest logarithmic cell is about 1/kSpread of the range times log(kSpread)/n
  for (std::size_t i = 1; i <= PublicGrid::kLogCells; ++i) {
    const double fraction = static_cast<double>(i) / static_cast<double>(PublicGrid::kLogCells);
    const double step = range * std::expm1(fraction * std::log1p(kSpread)) / kSpread;
    points.push_back(origin + step);
    points.push_back(origin - step);
  }
  points.push_back(origin);
  // Points that only rounding tells apart are one point: a mathematical library's last digit must not add a cell.
  const double same = 1e-9 * range;
  std::erase_if(points, [&](double x) { return !(x > low + same && x < high - same); });
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end(), [&](double a, double b) { return b - a <= same; }),
               points.end());
  return points;
}

double LogOrigin(const Column& column) {
  return column.minimum < 0.0 && column.maximum > 0.0 ? 0.0 : column.minimum;
}

}  // namespace

PublicGrid::PublicGrid(const Column& column)
    : numeric_(column.is_numeric()),
      integer_(column.type == ColumnType::kInteger || column.type == ColumnType::kDatetime),
      has_missing_(column.missing_allowed),
      categories_(column.values.size()),
      minimum_(column.minimum),
      maximum_(column.maximum),
      decimals_(column.decimals) {
  if (!numeric_) return;
  if (integer_) {
    CutInteger(column);
  } else {
    CutContinuous(column);
  }
  for (const double atom : column.atoms) SplitAt(atom);
  SYNOD_CHECK(cells_.size() < 65535, "a grid fits 16-bit cell numbers");
}

void PublicGrid::CutInteger(const Column& column) {
  const double low = std::ceil(column.minimum);
  const double high = std::floor(column.maximum);
  if (high - low + 1.0 <= static_cast<double>(kFineValues)) {
    // Counted, not stepped: at 2^53 the next whole number is no double, and a step of one would stay where it is.
    const auto count = static_cast<std::size_t>(high - low) + 1;
    for (std::size_t i = 0; i < count; ++i) {
      cells_.push_back({low + static_cast<double>(i), low + static_cast<double>(i)});
    }
    return;
  }
  std::vector<double> starts = {low, low + 1.0, high};
  for (const double point : Breakpoints(low, high, LogOrigin(column))) starts.push_back(std::ceil(point));
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  for (std::size_t i = 0; i < starts.size(); ++i) {
    cells_.push_back({starts[i], i + 1 < starts.size() ? starts[i + 1] - 1.0 : high});
  }
}

void PublicGrid::CutContinuous(const Column& column) {
  if (column.minimum == column.maximum) {
    cells_.push_back({column.minimum, column.minimum});
    return;
  }
  double low = column.minimum;
  for (const double point : Breakpoints(column.minimum, column.maximum, LogOrigin(column))) {
    cells_.push_back({low, point});
    low = point;
  }
  cells_.push_back({low, column.maximum});
}

void PublicGrid::SplitAt(double atom) {
  const std::size_t index = CellOfNumber(atom);
  const Cell cell = cells_[index];
  if (cell.low == cell.high) return;  // it is a cell of its own already
  std::vector<Cell> parts;
  const double before = integer_ ? atom - 1.0 : atom;
  const double after = integer_ ? atom + 1.0 : atom;
  if (atom > cell.low) parts.push_back({cell.low, before});
  parts.push_back({atom, atom});
  if (atom < cell.high) parts.push_back({after, cell.high});
  cells_.erase(cells_.begin() + static_cast<std::ptrdiff_t>(index));
  cells_.insert(cells_.begin() + static_cast<std::ptrdiff_t>(index), parts.begin(), parts.end());
}

bool PublicGrid::single(std::size_t cell) const {
  return !numeric_ || cell >= cells_.size() || cells_[cell].low == cells_[cell].high;
}

double PublicGrid::Extent(std::size_t cell) const {
  if (single(cell)) return 1.0;
  const double length = cells_[cell].high - cells_[cell].low;
  return integer_ ? length + 1.0 : length;
}

std::size_t PublicGrid::CellOfNumber(double number) const {
  if (std::isnan(number)) {
    SYNOD_CHECK(has_missing_, "a missing value in a column that has no missing cell");
    return missing_cell();
  }
  const auto after =
      std::upper_bound(cells_.begin(), cells_.end(), number, [](double x, const Cell& cell) { return x < cell.low; });
  std::size_t index = after == cells_.begin() ? 0 : static_cast<std::size_t>(after - cells_.begin()) - 1;
  // The interval above an atom starts at the atom itself: the atom comes first.
  if (index > 0 && cells_[index - 1].low == number && cells_[index - 1].high == number) --index;
  return index;
}

double PublicGrid::NumberInCell(std::size_t cell, double uniform) const {
  SYNOD_CHECK(cell < cells_.size(), "a number is drawn in a numeric cell");
  const Cell& c = cells_[cell];
  if (c.low == c.high) return c.low;
  if (integer_) return std::min(c.high, c.low + std::floor(uniform * (c.high - c.low + 1.0)));
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
