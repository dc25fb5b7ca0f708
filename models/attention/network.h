// The forward pass over a tape. Needs LibTorch.
#pragma once

#include "models/attention/shape.h"
#include "models/engine/tape.h"

namespace synod::attention {

struct NetworkInput {
  torch::Tensor shares;  // [rows, slots]
  torch::Tensor mask;    // [rows, places]
  torch::Tensor noise;   // [rows, latent]
};

struct NetworkOutput {
  torch::Tensor logits;      // [rows, slots]: added to the log of the noisy weights
  torch::Tensor divergence;  // [rows]: of q(z | row) from the standard normal; undefined without a latent
};

// Rows stay apart: attention goes over the columns of one row. `together`: the decoders look at the latent token alone.
NetworkOutput Forward(const Shape& shape, bool together, engine::Tape& tape, const NetworkInput& input);

// KL(N(mean, exp(log_variance)) || N(0, I)), summed over the last extent.
torch::Tensor DivergenceFromPrior(const torch::Tensor& mean, const torch::Tensor& log_variance);

}  // namespace synod::attention
