// How one kind of layer turns recorded inputs and output gradients into per-unit gradient norms and weighted sums,
// without building a per-unit gradient.
//
// Notation: a_t the input and g_t the gradient of the unit's loss with respect to the layer's output, for use t of the
// unit. The unit's gradient of a Linear layer is sum_t g_t a_t^T, so its squared norm is
// <G G^T, A A^T + 1 1^T> over all pairs of uses (the Gram rule; Bu et al. 2022, Li et al. 2021 "ghost norm").
// Summing squared norms of single uses instead would be wrong: cross terms can make the true norm larger.
#pragma once

#include <vector>

#include "models/engine/parameter_view.h"
#include "models/engine/torch.h"

namespace synod::engine {

// Squared norms per unit, with what is needed to bound them from above in spite of rounding.
struct UnitNorms {
  torch::Tensor squared;      // [units], float64; may carry rounding error, may even be slightly negative
  torch::Tensor magnitude;    // [units], float64: sum over uses of |g_t| |a_t|, the size before cancellation
  double rounding_terms = 0;  // p + d + uses^2 of the layer: how many roundings the bound must allow for
};

class LayerRule {
 public:
  explicit LayerRule(std::int64_t key) : key_(key) {}
  virtual ~LayerRule() = default;

  // The offset of the layer's first parameter: names the layer on its tape.
  std::int64_t key() const { return key_; }
  // The tensors to differentiate by, in call order.
  const std::vector<torch::Tensor>& watched() const { return watched_; }

  // Takes the gradients of the watched tensors, in the same order.
  void SetGradients(std::vector<torch::Tensor> gradients) { gradients_ = std::move(gradients); }

  virtual UnitNorms Norms(std::int64_t units, std::int64_t uses) const = 0;

  // Zeroes inputs and gradients of the units where `keep` (bool, [units]) is false: weight 0 alone would leave
  // 0 * NaN in the sum.
  virtual void ZeroUnits(const torch::Tensor& keep, std::int64_t uses) = 0;

  // Multiplies every row's gradient by its unit's weight, once: after Norms. `row_weights` [units * uses, 1].
  void ScaleRows(const torch::Tensor& row_weights);

  // Adds the sum over rows [first, last) of the gradients, as they were scaled, to `flat`, the block's float32 sum over
  // all parameters.
  virtual void AddSum(std::int64_t first_row, std::int64_t last_row, torch::Tensor& flat) const = 0;

 protected:
  std::vector<torch::Tensor> watched_;
  std::vector<torch::Tensor> gradients_;

 private:
  std::int64_t key_;
};

class LinearRule final : public LayerRule {
 public:
  LinearRule(const LinearLayer& layer, std::int64_t key) : LayerRule(key), layer_(layer) {}
  void Record(torch::Tensor input, torch::Tensor output);
  UnitNorms Norms(std::int64_t units, std::int64_t uses) const override;
  void ZeroUnits(const torch::Tensor& keep, std::int64_t uses) override;
  void AddSum(std::int64_t first_row, std::int64_t last_row, torch::Tensor& flat) const override;

 private:
  LinearLayer layer_;
  std::vector<torch::Tensor> inputs_;
};

class OneHotLinearRule final : public LayerRule {
 public:
  OneHotLinearRule(const OneHotLinearLayer& layer, std::int64_t key) : LayerRule(key), layer_(layer) {}
  void Record(torch::Tensor codes, torch::Tensor output);
  UnitNorms Norms(std::int64_t units, std::int64_t uses) const override;
  void ZeroUnits(const torch::Tensor& keep, std::int64_t uses) override;
  void AddSum(std::int64_t first_row, std::int64_t last_row, torch::Tensor& flat) const override;

 private:
  OneHotLinearLayer layer_;
  std::vector<torch::Tensor> codes_;  // int64, negative where inactive
};

class NormRule final : public LayerRule {
 public:
  NormRule(const NormLayer& layer, std::int64_t key) : LayerRule(key), layer_(layer) {}
  void Record(torch::Tensor normalised, torch::Tensor output);
  UnitNorms Norms(std::int64_t units, std::int64_t uses) const override;
  void ZeroUnits(const torch::Tensor& keep, std::int64_t uses) override;
  void AddSum(std::int64_t first_row, std::int64_t last_row, torch::Tensor& flat) const override;

 private:
  NormLayer layer_;
  std::vector<torch::Tensor> normalised_;
};

}  // namespace synod::engine
