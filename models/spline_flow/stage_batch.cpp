#include "models/spline_flow/stage_batch.h"

#include <algorithm>

#include "common/core/check.h"
#include "models/spline_flow/stage_density.h"

namespace synod::spline_flow {

std::vector<ColumnBase> BasesOf(const std::vector<tabular::PublicGrid>& grids,
                                const tabular::TokenTransform& transform) {
  std::vector<ColumnBase> bases;
  for (std::size_t j = 0; j < grids.size(); ++j) bases.emplace_back(grids[j], transform.column(j));
  return bases;
}

StageBatcher::StageBatcher(const StageShape& shape, const std::vector<ColumnBase>& bases,
                           const std::vector<std::vector<std::uint16_t>>& cells, const UnitTable& units)
    : shape_(shape), bases_(bases), cells_(cells), units_(units) {}

StageBatch StageBatcher::Make(std::span<const std::uint32_t> units) const {
  StageBatch batch;
  batch.uses = units_.max_rows_per_unit();
  const std::size_t rows = units.size() * batch.uses;
  const std::size_t slots = shape_.slots();
  batch.visible.assign(rows * slots, 0.0F);
  batch.cells.assign(rows * shape_.columns(), 0);
  batch.weight.assign(rows, 0.0F);
  for (std::size_t i = 0; i < units.size(); ++i) {
    const std::span<const std::uint32_t> own = units_.rows(units[i]);
    std::size_t use = i * batch.uses;
    for (const std::uint32_t row : own) {
      for (std::size_t s = 0; s < shape_.columns(); ++s) {
        const Stage& stage = shape_.stages[s];
        const ColumnBase& base = bases_[stage.column];
        const std::uint16_t cell = cells_[stage.column][row];
        batch.cells[use * shape_.columns() + s] = cell;
        float* slot = &batch.visible[use * slots + stage.first_slot];
        for (std::size_t v = 0; v < base.tokens(); ++v) slot[v] = -base.share[v];
        slot[base.token_of_cell[cell]] += 1.0F;
      }
      batch.weight[use++] = 1.0F / static_cast<float>(own.size());
    }
  }
  return batch;
}

std::vector<float> StageBatcher::LossAndGradient(const StageBatch& batch, std::span<float> outputs) const {
  const std::size_t width = shape_.outputs();
  SYNOD_CHECK(outputs.size() == batch.weight.size() * width, "one row of outputs for each use");
  std::vector<float> losses(batch.uses == 0 ? 0 : batch.weight.size() / batch.uses, 0.0F);
  for (std::size_t use = 0; use < batch.weight.size(); ++use) {
    const float weight = batch.weight[use];
    const std::span<float> row = outputs.subspan(use * width, width);
    if (weight == 0.0F) {
      std::fill(row.begin(), row.end(), 0.0F);
      continue;
    }
    double loss = 0.0;
    for (std::size_t s = 0; s < shape_.columns(); ++s) {
      const Stage& stage = shape_.stages[s];
      loss += spline_flow::LossAndGradient(bases_[stage.column], batch.cells[use * shape_.columns() + s], weight,
                                           stage.tokens, row.subspan(stage.first_output, stage.outputs()));
    }
    losses[use / batch.uses] += weight * static_cast<float>(loss);
  }
  return losses;
}

}  // namespace synod::spline_flow
