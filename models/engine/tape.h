// The forward pass of a network over the rows of many privacy units, with everything recorded that the per-unit
// gradient rules need (book-keeping, Bu et al. 2022; Lee and Kifer 2021).
//
// Rows: `units` * `uses` of them, unit-major: row u * uses + t is use t of unit u (a noise level, a row of a subject).
// All uses of one unit belong to one gradient. A layer may be called several times in one pass; its calls then count
// as further uses of the same parameters.
//
// Weights are detached: autograd only ever computes gradients with respect to pre-activations. A layer without a rule
// here has no method here, so a network that needs one does not compile.
//
// Threads: one tape belongs to one thread. Lives for one batch.
#pragma once

#include <memory>
#include <vector>

#include "models/engine/layer_rule.h"
#include "models/engine/parameter_view.h"
#include "models/engine/torch.h"

namespace synod::engine {

class Tape {
 public:
  // `parameters`: the flat float32 vector. With `record` false nothing is kept: plain inference for sampling.
  Tape(torch::Tensor parameters, std::int64_t units, std::int64_t uses, bool record = true);

  // input [rows, in] -> [rows, out].
  torch::Tensor Linear(const LinearLayer& layer, const torch::Tensor& input);
  // codes [rows, columns], int64; a negative code is inactive and adds nothing -> [rows, out].
  torch::Tensor OneHotLinear(const OneHotLinearLayer& layer, const torch::Tensor& codes);
  // input [rows, features] -> [rows, features].
  torch::Tensor Norm(const NormLayer& layer, const torch::Tensor& input);

  std::int64_t units() const { return units_; }
  std::int64_t uses() const { return uses_; }
  torch::Device device() const { return parameters_.device(); }
  std::int64_t parameter_count() const { return parameters_.numel(); }

  // What was recorded, one rule a layer, and the pre-activations whose gradients the rules take, call by call.
  const std::vector<std::unique_ptr<LayerRule>>& rules() const { return rules_; }

 private:
  torch::Tensor View(std::int64_t offset, std::vector<std::int64_t> shape) const;
  // The tensor whose gradient autograd is to compute; a leaf if nothing before it needs a gradient.
  static torch::Tensor Watched(torch::Tensor pre_activation);
  template <typename Rule, typename Layer>
  Rule& RuleFor(const Layer& layer, std::int64_t offset);

  torch::Tensor parameters_;
  std::int64_t units_;
  std::int64_t uses_;
  bool record_;
  std::vector<std::unique_ptr<LayerRule>> rules_;
};

}  // namespace synod::engine
