// One micro-batch of the masked variant, as plain arrays: what is visible, how much, and what is to be predicted.
//
// Levels: use m of M of a row shows floor(u k) of the k columns, u drawn in the m-th of M equal strata, the columns
// chosen at random. The loss of a unit is the mean over its uses of the cross-entropies of the hidden columns: an
// estimate of the (weighted) any-order negative log-likelihood. All draws for a unit come from a stream of its own, so
// that no unit's gradient depends on who else was drawn.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/data/unit_table.h"
#include "models/table_diffusion/log_share.h"
#include "models/table_diffusion/masked_shape.h"
#include "models/tabular/token_transform.h"

namespace synod::table_diffusion {

struct MaskedBatch {
  std::size_t uses = 0;               // of each unit: rows per unit x levels per row
  std::vector<float> visible;         // [units * uses][slots]
  std::vector<float> time;            // [units * uses][time_embedding]
  std::vector<std::uint16_t> tokens;  // [units * uses][columns]
  std::vector<std::uint8_t> hidden;   // [units * uses][columns]: 1 where the column is to be predicted
  std::vector<float> weight;          // [units * uses]: 1 / (rows of the unit x levels); 0 for uses that a unit lacks
};

class MaskedBatcher {
 public:
  // `cells`: [column][row] of the units' table.
  MaskedBatcher(const MaskedShape& shape, const Options& options, const tabular::TokenTransform& transform,
                const std::vector<std::vector<std::uint16_t>>& cells, const UnitTable& units);

  // `streams`: one word for each of `units`, where its draws begin.
  MaskedBatch Make(std::span<const std::uint32_t> units, std::span<const std::uint64_t> streams) const;

  // Loss of every unit and the gradient of the summed losses by the logits ([units * uses][slots], written in place of
  // the network's outputs). Softmax over each hidden column's tokens of log share + output.
  std::vector<float> LossAndGradient(const MaskedBatch& batch, std::span<float> outputs) const;

 private:
  void FillRow(std::uint32_t row, std::uint32_t level, std::uint64_t stream, std::size_t use, MaskedBatch& batch) const;

  const MaskedShape& shape_;
  const Options& options_;
  const tabular::TokenTransform& transform_;
  const std::vector<std::vector<std::uint16_t>>& cells_;
  const UnitTable& units_;
  std::vector<std::vector<float>> log_shares_;       // [column][token]
  std::vector<std::vector<float>> time_embeddings_;  // [visible columns]
};

}  // namespace synod::table_diffusion
