// A square linear layer with a cheap determinant and inverse, for flows (Kingma and Dhariwal 2018; Oliva et al. 2018).
#pragma once

#include "models/engine/tape.h"

namespace synod::engine {

struct LuOutput {
  torch::Tensor values;           // [rows, features]
  torch::Tensor log_determinant;  // [rows]; the same number for every row, and a part of every unit's loss
};

// input [rows, features] -> L U P x + b. Masked layers make both factors; the diagonal is a broadcast parameter, so
// that its place in the determinant and in the product is one gradient.
LuOutput LuForward(Tape& tape, const LuLinearLayer& layer, const torch::Tensor& input);

// x from L U P x + b, for sampling: two triangular solves. `parameters`: the flat float32 vector.
torch::Tensor LuInverse(const torch::Tensor& parameters, const LuLinearLayer& layer, const torch::Tensor& output);

}  // namespace synod::engine
