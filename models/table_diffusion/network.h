// Forward passes of the variants over a tape: the same code trains and samples.
#pragma once

#include "models/engine/tape.h"
#include "models/table_diffusion/masked_shape.h"
#include "models/table_diffusion/published_shape.h"

namespace synod::table_diffusion {

// visible [rows, slots], time [rows, embedding] -> what is added to the log shares, [rows, slots].
inline torch::Tensor MaskedForward(const MaskedShape& shape, engine::Tape& tape, const torch::Tensor& visible,
                                   const torch::Tensor& time) {
  torch::Tensor hidden = tape.Linear(shape.input, visible);
  if (shape.time.in > 0) hidden = hidden + tape.Linear(shape.time, time);
  return tape.Linear(shape.output, torch::tanh(hidden));
}

// noisy [rows, coordinates] -> predicted noise, or the clean row (logits where it is a one-hot), [rows, coordinates].
inline torch::Tensor PublishedForward(const PublishedShape& shape, engine::Tape& tape, const torch::Tensor& noisy) {
  torch::Tensor x = noisy;
  x = torch::cat({torch::relu(tape.Norm(shape.first_norm, tape.Linear(shape.first, x))), x}, 1);
  x = torch::cat({torch::relu(tape.Norm(shape.second_norm, tape.Linear(shape.second, x))), x}, 1);
  return tape.Linear(shape.last, x);
}

}  // namespace synod::table_diffusion
