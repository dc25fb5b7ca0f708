#include "models/engine/gradients.h"

namespace synod::engine {

void Gradients::Add(const torch::Tensor& gradient, bool channels_first) {
  const torch::Tensor positions_first =
      channels_first ? gradient.flatten(2).transpose(1, 2).contiguous() : gradient.contiguous();
  slots_.push_back(positions_first.view({shape_.units, -1, positions_first.size(-1)}));
  squared_.emplace_back();
}

const torch::Tensor& Gradients::SquaredLengthsOf(std::size_t slot) const {
  if (!squared_[slot].defined()) squared_[slot] = SquaredLengths(slots_[slot]);
  return squared_[slot];
}

void Gradients::ZeroUnits(const torch::Tensor& keep) {
  for (torch::Tensor& slot : slots_) slot = engine::ZeroUnits(slot, keep);
}

}  // namespace synod::engine
