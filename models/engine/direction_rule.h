// The rule of the directions V of a weight-normalised layer (Salimans and Kingma 2016): h_j = x . v_j / n_j with
// n_j = sqrt(|v_j|^2 + kNormFloor), and no gain: that is a rule of its own (AffineRule).
//
// With G = sum over products of g x^T the gradient of row j is (G_j - (G_j . u_j) u_j) / n_j, u_j = v_j / n_j, and
// G_j . u_j = sum of g_j h_j: norms need Gram matrices and h alone, and the sum of a block is projected once.
#pragma once

#include <vector>

#include "models/engine/operand.h"
#include "models/engine/parameter_rule.h"
#include "models/engine/parameter_view.h"

namespace synod::engine {

// Keeps the direction of a row of zeros defined.
inline constexpr double kNormFloor = 1e-12;

class DirectionRule final : public ParameterRule {
 public:
  // `values`: V [out, in].
  DirectionRule(const MatrixParameter& matrix, const torch::Tensor& values);

  // u [out, in] float32: what the forward pass multiplies by.
  const torch::Tensor& unit_directions() const { return directions_; }
  // One call: input [units, m, in] and output h [units, m, out], detached.
  void Record(torch::Tensor input, torch::Tensor output, std::size_t slot);

  std::int64_t ProductsPerUnit(const Gradients& gradients) const override;
  UnitNorms Norms(const Gradients& gradients) const override;
  UnitNorms NeuronNorms(const Gradients& gradients) const override;
  void ZeroUnits(const torch::Tensor& keep) override;
  void StoreSum(const Gradients& gradients, std::int64_t first, std::int64_t last, const torch::Tensor& weights,
                const torch::Tensor& flat) const override;

 private:
  struct Call {
    torch::Tensor input;
    torch::Tensor output;
    std::size_t slot = 0;
  };

  MatrixParameter matrix_;
  torch::Tensor lengths_;     // n [out] float64
  torch::Tensor directions_;  // u [out, in] float32
  std::vector<Call> calls_;
};

}  // namespace synod::engine
