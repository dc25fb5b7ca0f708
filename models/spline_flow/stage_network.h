// The forward pass of the autoregressive variant over a tape: all stages of a row at once.
#pragma once

#include "models/engine/tape.h"
#include "models/spline_flow/stage_shape.h"

namespace synod::spline_flow {

// visible [rows, slots] -> outputs of all stages side by side, [rows, outputs]. Those of a stage follow from the slots
// of earlier stages alone.
torch::Tensor StageForward(const StageShape& shape, engine::Tape& tape, const torch::Tensor& visible);

}  // namespace synod::spline_flow
