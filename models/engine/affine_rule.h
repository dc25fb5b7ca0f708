// The rule of a gain and a shift that every row and position shares, y = gain * x + shift, or of a shift alone: biases,
// the affine part of normalisation layers and of weight norm, and broadcast parameters.
//
// Its per-unit gradient is as short as the layer is wide and is built: sums over products first, squares afterwards.
#pragma once

#include <vector>

#include "models/engine/gradients.h"
#include "models/engine/parameter_rule.h"

namespace synod::engine {

struct AffineParameter {
  std::int64_t features = 0;
  bool has_gain = false;  // then [gain, shift] lie one behind the other
  std::int64_t offset = 0;
  bool one_neuron = false;  // clipped as one where neurons are told apart (a parameter without output neurons)
};

class AffineRule final : public ParameterRule {
 public:
  explicit AffineRule(const AffineParameter& parameter)
      : ParameterRule(parameter.offset, parameter.has_gain ? 2 * parameter.features : parameter.features),
        parameter_(parameter) {}

  const AffineParameter& parameter() const { return parameter_; }
  // One call whose output has its gradient in `slot`. `input` [units, m, features], detached: what the gain multiplies;
  // undefined without a gain.
  void Record(torch::Tensor input, std::size_t slot);

  std::int64_t ProductsPerUnit(const Gradients& gradients) const override;
  UnitNorms Norms(const Gradients& gradients) const override;
  UnitNorms NeuronNorms(const Gradients& gradients) const override;
  void ZeroUnits(const torch::Tensor& keep) override;
  void StoreSum(const Gradients& gradients, std::int64_t first, std::int64_t last, const torch::Tensor& weights,
                const torch::Tensor& flat) const override;

 private:
  struct Call {
    torch::Tensor input;
    std::size_t slot = 0;
  };

  // Squared gradients of gain plus shift, and squared magnitudes, [last - first, features] float64.
  void Values(const Gradients& gradients, std::int64_t first, std::int64_t last, torch::Tensor& squared,
              torch::Tensor& magnitude) const;
  UnitNorms ByNeuron(const Gradients& gradients, bool add_up) const;

  AffineParameter parameter_;
  std::vector<Call> calls_;
};

}  // namespace synod::engine
