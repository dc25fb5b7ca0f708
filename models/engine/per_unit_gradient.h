// Per-unit gradients of a recorded forward pass: upper bounds of their norms, clipping weights, and the clipped sum of
// each block, all from one backward pass.
//
// Privacy rests on this file: a unit's contribution to a block sum has L2 norm at most the plan's clip by the
// upper-bound norms (rounding included), whatever the unit's rows are, and so has each of its parts with its own bound;
// a unit with any non-finite value contributes zero.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/engine/block_bound.h"
#include "models/engine/clip_plan.h"
#include "models/engine/tape.h"
#include "models/engine/torch.h"

namespace synod::engine {

class PerUnitGradient {
 public:
  // `unit_losses` [units]: the loss of each unit, a mean over its uses, from the pre-activations on `tape`. One
  // backward pass of their sum; row r of every gradient depends on its own unit only because no layer mixes rows.
  // Takes over what the tape recorded. A layer that the losses do not depend on has gradient zero.
  PerUnitGradient(Tape& tape, const torch::Tensor& unit_losses, const ClipPlan& plan);

  // The same where the gradient of the summed losses by the network's output is known in closed form.
  PerUnitGradient(Tape& tape, const torch::Tensor& output, const torch::Tensor& gradient_by_output,
                  const ClipPlan& plan);

  // Upper bound of each unit's gradient norm, [units] float64; 0 for a unit that was zeroed as non-finite.
  const torch::Tensor& norms() const { return norms_; }
  // What the gradient, or the part of it in `group` of the plan, is multiplied by: float32 [units], or [units,
  // neurons]; 0 for a unit that was zeroed.
  const torch::Tensor& weights(std::size_t group = 0) const { return weights_[group]; }
  // Whether the norm of the unit, or of any of its parts, is above the threshold, [units] bool.
  const torch::Tensor& clipped() const { return clipped_; }
  // Whether the unit's gradient was finite, [units] bool.
  const torch::Tensor& finite() const { return finite_; }
  // The most units that a block may hold (block_bound.h, for this network and these uses): a public number.
  std::uint32_t units_per_block() const { return units_per_block_; }

  // The clipped sum over units [first, last) as one flat float32 vector in parameter order, written to `flat`. At most
  // units_per_block() of them (our own duty).
  void BlockSum(std::int64_t first_unit, std::int64_t last_unit, std::span<float> flat) const;

  // The same without the bound on the block, whose rounding error is then not proven: for benchmarks and tests.
  void SumWithoutBlockRule(std::int64_t first_unit, std::int64_t last_unit, std::span<float> flat) const;

 private:
  void Backward(const torch::Tensor& root, const torch::Tensor& by_root);
  void Clip(const ClipPlan& plan);
  void SetWeights(const ClipPlan& plan, const std::vector<torch::Tensor>& squared,
                  const std::vector<torch::Tensor>& magnitude_squared);
  void FindGaps();

  std::int64_t parameters_;
  torch::Device device_;
  Gradients gradients_;
  Tape::Record record_;
  std::vector<std::size_t> groups_;                          // of the plan, by rule
  std::vector<std::pair<std::int64_t, std::int64_t>> gaps_;  // [offset, size): parameters that no layer touched
  std::uint32_t units_per_block_ = 1;
  torch::Tensor norms_;
  std::vector<torch::Tensor> weights_;
  torch::Tensor clipped_;
  torch::Tensor finite_;
};

}  // namespace synod::engine
