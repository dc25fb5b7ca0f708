// Per-unit gradients of a recorded forward pass: upper bounds of their norms, clipping weights, and the clipped sum of
// each block, all from one backward pass.
//
// Privacy rests on this file: a unit's contribution to a block sum has L2 norm at most `clip` by the upper-bound norms
// (rounding included), whatever the unit's rows are; a unit with any non-finite value contributes zero.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "models/engine/block_bound.h"
#include "models/engine/tape.h"
#include "models/engine/torch.h"

namespace synod::engine {

struct ClipOptions {
  double clip = 1.0;  // L2 norm bound of one unit's gradient
  // Bound on sum over uses of weight * |g||a| relative to `clip`: keeps the proven rounding error of a block sum
  // small when the gradients of a unit's uses nearly cancel.
  double max_magnitude_ratio = kMaxMagnitudeRatio;
};

class PerUnitGradient {
 public:
  // `unit_losses` [units]: the loss of each unit, a mean over its uses, from the pre-activations on `tape`. One
  // backward pass of their sum; row r of every gradient depends on its own unit only because no layer mixes rows.
  PerUnitGradient(Tape& tape, const torch::Tensor& unit_losses, const ClipOptions& options);

  // The same where the gradient of the summed losses by the network's output is known in closed form.
  PerUnitGradient(Tape& tape, const torch::Tensor& output, const torch::Tensor& gradient_by_output,
                  const ClipOptions& options);

  // Upper bound of each unit's gradient norm, [units] float64; 0 for a unit that was zeroed as non-finite.
  const torch::Tensor& norms() const { return norms_; }
  // min(1, clip / norm) and so on; 0 for a unit that was zeroed.
  const torch::Tensor& weights() const { return weights_; }
  // Whether the unit's gradient was finite, [units] bool.
  const torch::Tensor& finite() const { return finite_; }

  // The clipped sum over units [first, last) as one flat float32 vector in parameter order, written to `flat`.
  void BlockSum(std::int64_t first_unit, std::int64_t last_unit, std::span<float> flat) const;

 private:
  void Clip(const ClipOptions& options);

  Tape& tape_;
  torch::Tensor norms_;
  torch::Tensor weights_;
  torch::Tensor finite_;
};

}  // namespace synod::engine
