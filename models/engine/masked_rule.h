// The rule of a matrix under a fixed 0/1 mask: y = x (M o W)^T, parameters only where M is 1 (masked autoregressive
// layers; the triangular factors of an LU layer).
//
// One product a unit: the squared norm is sum_ji g_j^2 M_ji x_i^2, one matrix product for the batch and no
// cancellation. Several: the gradient is built for a few units at a time.
#pragma once

#include <vector>

#include "models/engine/operand.h"
#include "models/engine/parameter_rule.h"
#include "models/engine/parameter_view.h"

namespace synod::engine {

class MaskedRule final : public ParameterRule {
 public:
  // `positions`: int64, on the device of the parameters.
  MaskedRule(const MaskedLinearLayer& layer, torch::Tensor positions);

  const MaskPositions& mask() const { return layer_.positions; }
  const torch::Tensor& positions() const { return positions_; }
  void Record(Operand input, std::size_t slot);

  std::int64_t ProductsPerUnit(const Gradients& gradients) const override;
  UnitNorms Norms(const Gradients& gradients) const override;
  UnitNorms NeuronNorms(const Gradients& gradients) const override;
  void ZeroUnits(const torch::Tensor& keep) override;
  void StoreSum(const Gradients& gradients, std::int64_t first, std::int64_t last, const torch::Tensor& weights,
                const torch::Tensor& flat) const override;

 private:
  torch::Tensor SquaredNeurons(const Gradients& gradients, std::int64_t products) const;
  double Roundings(std::int64_t products) const;

  MaskedLinearLayer layer_;
  torch::Tensor positions_;
  torch::Tensor mask_;  // [out, in] float32
  std::vector<Operand> inputs_;
  std::vector<Operand> outputs_;
};

}  // namespace synod::engine
