// The answer to a histogram query: how many units are in each cell of every column, as one vector.
//
// A unit's vector is the mean over its rows of the concatenated one-hots of k columns: its L2 norm is sqrt(k) for a
// unit of one row and at most that for more. The clip is applied all the same.
#pragma once

#include "common/data/unit_table.h"
#include "common/query/clipped_summer.h"
#include "common/query/keyed_blocks.h"
#include "models/tabular/public_grid.h"

namespace synod::tabular {

// The number of coordinates: the cells of all columns.
std::size_t HistogramSize(const std::vector<PublicGrid>& grids);

// `cells`: [column][row] as of CellsOf.
ClippedSum HistogramSum(const std::vector<PublicGrid>& grids, const std::vector<std::vector<std::uint16_t>>& cells,
                        const UnitTable& units, const BlockedBatch& batch, double clip);

}  // namespace synod::tabular
