#include "models/tabular/row_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace synod::tabular {

RowDecoder::RowDecoder(std::shared_ptr<const Schema> schema, const std::vector<PublicGrid>& grids,
                       const TokenTransform& transform)
    : schema_(std::move(schema)), grids_(grids), modelled_(ModelledColumns(*schema_)) {
  for (std::size_t j = 0; j < grids.size(); ++j) {
    const TokenColumn& column = transform.column(j);
    std::vector<std::vector<std::uint16_t>> cells(column.tokens());
    std::vector<std::vector<double>> cumulative(column.tokens());
    for (std::size_t cell = 0; cell < grids[j].cells(); ++cell) {
      const std::uint16_t token = column.token_of_cell[cell];
      const double before = cumulative[token].empty() ? 0.0 : cumulative[token].back();
      cells[token].push_back(static_cast<std::uint16_t>(cell));
      cumulative[token].push_back(before + column.cell_probability[cell]);
    }
    // A token whose cells all have no share: evenly.
    for (std::vector<double>& sums : cumulative) {
      if (sums.empty() || sums.back() > 0.0) continue;
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = static_cast<double>(i + 1);
    }
    cells_.push_back(std::move(cells));
    cumulative_.push_back(std::move(cumulative));
  }
}

std::size_t RowDecoder::DrawCell(std::size_t column, std::uint16_t token, double uniform) const {
  const std::vector<double>& sums = cumulative_[column][token];
  const auto found = std::upper_bound(sums.begin(), sums.end(), uniform * sums.back());
  const auto index = std::min<std::size_t>(static_cast<std::size_t>(found - sums.begin()), sums.size() - 1);
  return cells_[column][token][index];
}

void RowDecoder::AppendCell(std::size_t column, std::size_t cell, double uniform,
                            std::vector<ColumnCells>& output) const {
  const PublicGrid& grid = grids_[column];
  ColumnCells& own = output[modelled_[column]];
  if (!grid.numeric()) {
    own.codes.push_back(static_cast<std::uint16_t>(cell));  // the missing cell is the missing code
  } else if (grid.has_missing() && cell == grid.missing_cell()) {
    own.numbers.push_back(std::nan(""));
  } else {
    own.numbers.push_back(grid.NumberInCell(cell, uniform));
  }
}

void RowDecoder::AppendGiven(std::size_t column, const GivenValue& value, std::vector<ColumnCells>& output) const {
  ColumnCells& own = output[modelled_[column]];
  if (grids_[column].numeric()) {
    own.numbers.push_back(value.number);
  } else {
    own.codes.push_back(value.code);
  }
}

Result<std::size_t> RowDecoder::ModelledColumn(std::size_t schema_column) const {
  const auto found = std::find(modelled_.begin(), modelled_.end(), schema_column);
  if (found == modelled_.end()) return BadInput("a condition names a column that the generator does not make");
  return static_cast<std::size_t>(found - modelled_.begin());
}

Result<std::size_t> RowDecoder::CellOfGiven(std::size_t column, const GivenValue& value) const {
  const Column& described = schema_->columns()[modelled_[column]];
  const PublicGrid& grid = grids_[column];
  const Error not_allowed =
      BadInput(fmt::format("column \"{}\" cannot have the value of the condition", described.name),
               "the schema says which values it has: see synod inspect");
  if (!grid.numeric()) {
    if (value.code >= grid.cells()) return not_allowed;
    return grid.CellOfCode(value.code);
  }
  if (std::isnan(value.number)) {
    if (!grid.has_missing()) return not_allowed;
    return grid.missing_cell();
  }
  if (value.number < described.minimum || value.number > described.maximum) return not_allowed;
  const bool whole = described.type == ColumnType::kContinuous || value.number == std::floor(value.number);
  if (!whole) return not_allowed;
  return grid.CellOfNumber(value.number);
}

Result<Table> RowDecoder::Finish(std::vector<ColumnCells> output, std::size_t rows) const {
  return Table::Create(schema_, std::move(output), rows);
}

}  // namespace synod::tabular
