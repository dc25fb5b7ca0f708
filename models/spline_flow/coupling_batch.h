// One micro-batch of the coupling variant: every row of every unit in several dequantisations, all inside the unit's
// one clip. The loss of a unit is the mean over them of -log density of the row's cells: that of the flow on the unit
// cube, plus the lengths of the cells' intervals.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/data/unit_table.h"
#include "models/spline_flow/normal_scores.h"

namespace synod::spline_flow {

struct CouplingBatch {
  std::size_t uses = 0;        // of each unit: rows of the unit with the most x draws
  std::vector<float> scores;   // [units * uses][columns]
  std::vector<float> weight;   // [units * uses]: 1 / (rows of the unit x draws); 0 for uses that a unit lacks
  std::vector<float> lengths;  // [units * uses]: sum of the log lengths of the cells' intervals
};

// `cells`: [column][row] of the units' table. `streams`: one word for each of `units`, where its draws begin. Draw m of
// a row takes its positions from the m-th of `draws` equal strata.
CouplingBatch MakeCouplingBatch(const NormalScores& scores, const std::vector<std::vector<std::uint16_t>>& cells,
                                const UnitTable& table, std::uint32_t draws, std::span<const std::uint32_t> units,
                                std::span<const std::uint64_t> streams);

}  // namespace synod::spline_flow
