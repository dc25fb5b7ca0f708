// Multi-head self-attention over the positions of one row (columns as tokens), never across rows. Its projections are
// Linear layers on tokens; the attention itself has no parameters.
#pragma once

#include "models/engine/tape.h"

namespace synod::engine {

// input [rows, positions, width] -> the same shape. `scores_added`, where defined: what is added to the scores before
// the softmax, [rows or 1, heads or 1, positions, positions] (a public mask of -infinity, or a learned bias from
// Tape::Broadcast).
torch::Tensor Attend(Tape& tape, const AttentionLayer& layer, const torch::Tensor& input,
                     const torch::Tensor& scores_added = {});

}  // namespace synod::engine
