// The gradients of a batch's losses by every pre-activation that the tape watched: one slot for each call of a layer.
#pragma once

#include <vector>

#include "models/engine/unit_rows.h"

namespace synod::engine {

class Gradients {
 public:
  explicit Gradients(const BatchShape& shape) : shape_(shape) {}

  // The gradient of the next slot, of any shape with the batch's rows first; `channels_first`: [rows, channels, ...]
  // with positions last, brought to positions of `channels` values.
  void Add(const torch::Tensor& gradient, bool channels_first);

  const BatchShape& shape() const { return shape_; }
  // [units, m, n] float32.
  const torch::Tensor& Of(std::size_t slot) const { return slots_[slot]; }
  // [units, m] float64; computed once for all rules that ask.
  const torch::Tensor& SquaredLengthsOf(std::size_t slot) const;

  void ZeroUnits(const torch::Tensor& keep);

 private:
  BatchShape shape_;
  std::vector<torch::Tensor> slots_;
  mutable std::vector<torch::Tensor> squared_;
};

}  // namespace synod::engine
