// The critic over a tape: what the sites compute. LibTorch.
#pragma once

#include "models/engine/tape.h"
#include "models/wgan/shape.h"

namespace synod::wgan {

// input [rows, slots] -> D, [rows, 1].
inline torch::Tensor CriticForward(const Shape& shape, engine::Tape& tape, const torch::Tensor& input) {
  torch::Tensor value = input;
  for (std::size_t l = 0; l + 1 < shape.critic.size(); ++l) {
    value = torch::leaky_relu(tape.Linear(shape.critic[l], value), kLeak);
  }
  return tape.Linear(shape.critic.back(), value);
}

}  // namespace synod::wgan
