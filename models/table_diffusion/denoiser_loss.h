// What the denoiser variant is trained on: the clean row. Squared error for a number, cross-entropy of a softmax over
// the whole block of a categorical column, and of a yes or no (sigmoid) for "missing" beside a number, whose value then
// has no loss. The loss of a row is the mean over its columns.
//
// Blocks are those of PublishedShape: where a column begins is read there and computed nowhere else.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/query/public_random.h"
#include "models/table_diffusion/published_batch.h"
#include "models/table_diffusion/published_shape.h"
#include "models/tabular/public_grid.h"

namespace synod::table_diffusion {

// Loss of every unit, and the gradient of the summed losses by the outputs ([units * uses][coordinates], written in
// their place). `target` of the batch is the clean row.
std::vector<float> DenoiserLossAndGradient(const PublishedShape& shape, const std::vector<tabular::PublicGrid>& grids,
                                           const PublishedBatch& batch, std::size_t units, std::span<float> outputs);

// What the reported loss of a unit is clamped to: a number at the far end, every block drawn evenly.
double DenoiserLossBound(const std::vector<tabular::PublicGrid>& grids);

// A clean row drawn from the outputs of one row, in their place: one-hots by the softmax of their block, "missing" by
// its sigmoid (the number is then 0.5, as rows are encoded), a number as predicted, within [0, 1].
void DrawCleanRow(const PublishedShape& shape, const std::vector<tabular::PublicGrid>& grids, PublicRandom& random,
                  std::span<float> outputs);

}  // namespace synod::table_diffusion
