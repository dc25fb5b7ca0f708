// From tokens or cells back to values of the schema. A cell is drawn within its token by the noisy cell shares, a
// number evenly within its cell: every value satisfies the schema.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/data/table.h"
#include "common/query/public_random.h"
#include "models/family.h"
#include "models/tabular/public_grid.h"
#include "models/tabular/token_transform.h"

namespace synod::tabular {

class RowDecoder {
 public:
  // `transform` and `grids` must outlive the decoder.
  RowDecoder(std::shared_ptr<const Schema> schema, const std::vector<PublicGrid>& grids,
             const TokenTransform& transform);

  // A cell of the token, drawn with one uniform number.
  std::size_t DrawCell(std::size_t column, std::uint16_t token, double uniform) const;

  // Appends the value of one modelled column's cell to its output column.
  void AppendCell(std::size_t column, std::size_t cell, double uniform, std::vector<ColumnCells>& output) const;
  // Appends a given value as it is.
  void AppendGiven(std::size_t column, const GivenValue& value, std::vector<ColumnCells>& output) const;

  // The cell of a given value, or an error where the schema does not allow it. `column`: among the modelled ones.
  Result<std::size_t> CellOfGiven(std::size_t column, const GivenValue& value) const;
  // The modelled column of a schema column, or an error.
  Result<std::size_t> ModelledColumn(std::size_t schema_column) const;

  // A table of these columns, one entry for each column of the schema.
  Result<Table> Finish(std::vector<ColumnCells> output, std::size_t rows) const;
  std::vector<ColumnCells> EmptyOutput() const { return std::vector<ColumnCells>(schema_->columns().size()); }

 private:
  std::shared_ptr<const Schema> schema_;
  const std::vector<PublicGrid>& grids_;
  std::vector<std::size_t> modelled_;                           // schema column of each modelled column
  std::vector<std::vector<std::vector<std::uint16_t>>> cells_;  // [column][token]: its cells
  std::vector<std::vector<std::vector<double>>> cumulative_;    // [column][token]: cumulative shares of those cells
};

}  // namespace synod::tabular
