// The coupling variant's flow over a tape, and its inverse.
#pragma once

#include "models/engine/tape.h"
#include "models/spline_flow/coupling_shape.h"

namespace synod::spline_flow {

struct FlowOutput {
  torch::Tensor values;           // [rows, columns]
  torch::Tensor log_determinant;  // [rows]
};

// From normal scores [rows, columns] to what is compared with a standard normal.
FlowOutput CouplingForward(const CouplingShape& shape, engine::Tape& tape, const torch::Tensor& scores);

// -log density of every row on the unit cube, [rows]: the normal log density of its scores less that of what the flow
// makes of them, less the log determinant. 0 for the identity.
torch::Tensor CouplingLoss(const CouplingShape& shape, engine::Tape& tape, const torch::Tensor& scores);

// Scores from what comes out, for sampling. `parameters`: the flat float32 vector.
torch::Tensor CouplingInverse(const CouplingShape& shape, const torch::Tensor& parameters, const torch::Tensor& values);

}  // namespace synod::spline_flow
