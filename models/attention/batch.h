// One micro-batch as plain arrays: the rows in their columns' alphabets, what is revealed, and the latent noise.
//
// One by one: draw m of M of a row reveals floor(u k) of its k columns, u drawn in the m-th of M equal strata, the
// columns chosen at random. Together: nothing is revealed. All draws for a unit come from a stream of its own, so that
// no unit's gradient depends on who else was drawn.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/data/unit_table.h"
#include "models/attention/column_code.h"
#include "models/attention/shape.h"

namespace synod::attention {

struct Batch {
  std::size_t uses = 0;              // of each unit: rows per unit x draws per row
  std::vector<float> shares;         // [units * uses][slots]: of every column's cell, less the noisy weights
  std::vector<float> mask;           // [units * uses][places]: 0 where a token may be looked at, -infinity elsewhere
  std::vector<float> noise;          // [units * uses][latent]: standard normal
  std::vector<std::uint16_t> cells;  // [units * uses][columns]
  std::vector<float> weight;         // [units * uses]: 1 / (rows of the unit x draws); 0 for uses that a unit lacks
};

class Batcher {
 public:
  // `cells`: [column][row] of the units' table. The arguments must outlive the batcher.
  Batcher(const Shape& shape, const Options& options, const std::vector<ColumnCode>& codes,
          const std::vector<std::vector<std::uint16_t>>& cells, const UnitTable& units);

  // `streams`: one word for each of `units`, where its draws begin.
  Batch Make(std::span<const std::uint32_t> units, std::span<const std::uint64_t> streams) const;

 private:
  void FillRow(std::uint32_t row, std::uint32_t draw, std::uint64_t stream, std::size_t use, Batch& batch) const;
  void Reveal(std::uint32_t draw, std::uint64_t stream, std::span<float> mask) const;

  const Shape& shape_;
  const Options& options_;
  const std::vector<ColumnCode>& codes_;
  const std::vector<std::vector<std::uint16_t>>& cells_;
  const UnitTable& units_;
};

// The loss of one cell, -log P(cell), for the logits that are added to the log of the noisy weights; in place of the
// logits its gradient by them, times `weight`.
float CellLoss(const ColumnCode& code, std::size_t cell, float weight, std::span<float> logits);

// Weighted losses of every unit over the columns that are not revealed, and in place of the logits ([units *
// uses][slots]) the gradient of their sum.
std::vector<float> LossAndGradient(const Shape& shape, const std::vector<ColumnCode>& codes, const Batch& batch,
                                   std::span<float> logits);

}  // namespace synod::attention
