// One micro-batch of the autoregressive variant as plain arrays: every row of every unit with all of its stages. The
// loss of a unit is the mean over its rows of -log P(row): the exact negative log-likelihood of its grid cells, without
// any draw.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/data/unit_table.h"
#include "models/spline_flow/column_base.h"
#include "models/spline_flow/stage_shape.h"
#include "models/tabular/token_transform.h"

namespace synod::spline_flow {

// Of every modelled column.
std::vector<ColumnBase> BasesOf(const std::vector<tabular::PublicGrid>& grids,
                                const tabular::TokenTransform& transform);

struct StageBatch {
  std::size_t uses = 0;              // rows of the unit with the most
  std::vector<float> visible;        // [units * uses][slots]
  std::vector<std::uint16_t> cells;  // [units * uses][stages]
  std::vector<float> weight;         // [units * uses]: 1 / (rows of the unit); 0 for uses that a unit lacks
};

class StageBatcher {
 public:
  // `cells`: [column][row] of the units' table. All must outlive the batcher.
  StageBatcher(const StageShape& shape, const std::vector<ColumnBase>& bases,
               const std::vector<std::vector<std::uint16_t>>& cells, const UnitTable& units);

  StageBatch Make(std::span<const std::uint32_t> units) const;

  // Loss of every unit, and the gradient of the summed losses by the outputs ([units * uses][outputs]), written in
  // place of them.
  std::vector<float> LossAndGradient(const StageBatch& batch, std::span<float> outputs) const;

 private:
  const StageShape& shape_;
  const std::vector<ColumnBase>& bases_;
  const std::vector<std::vector<std::uint16_t>>& cells_;
  const UnitTable& units_;
};

}  // namespace synod::spline_flow
