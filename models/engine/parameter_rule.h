// How one range of parameters turns recorded activations and gradients into per-unit gradient norms and weighted sums,
// without building a per-unit gradient where that can be avoided.
//
// A rule owns its range: everything that a unit's loss does with these parameters, in all uses, positions and calls of
// all layers that share them, is one gradient. Summing squared norms of single uses instead would be wrong: cross terms
// can make the true norm larger.
#pragma once

#include <cstdint>

#include "models/engine/gradients.h"

namespace synod::engine {

// Squared norms, [units], or [units, neurons] where neurons are told apart; float64.
struct UnitNorms {
  torch::Tensor squared;            // may carry rounding error, may even be slightly negative; underflow is added
  torch::Tensor magnitude_squared;  // (sum over products of |left| |right|)^2, the size before cancellation
  double rounding_terms = 0;        // p + d + products of the rule: how many roundings the bound must allow for

  // n + 4 (p + d + products) 2^-24 magnitude^2: never below the exact squared norm, also where the Gram rule cancels
  // to a negative float32 number while the true norm is large. An inner product of p float32 values is off by p 2^-24
  // of its magnitude, a gradient that is built by `products` 2^-24; pairs of products are added in float64 and cost
  // nothing more.
  torch::Tensor UpperBound() const {
    return (squared + (4.0 * rounding_terms / 16777216.0) * magnitude_squared).clamp_min(0.0);
  }
};

class ParameterRule {
 public:
  ParameterRule(std::int64_t offset, std::int64_t size) : offset_(offset), size_(size) {}
  virtual ~ParameterRule() = default;

  // The range of the flat vector.
  std::int64_t offset() const { return offset_; }
  std::int64_t size() const { return size_; }

  // Products that a unit adds to one coordinate of the sum: what the rounding of a block grows with (block_bound.h).
  virtual std::int64_t ProductsPerUnit(const Gradients& gradients) const = 0;

  virtual UnitNorms Norms(const Gradients& gradients) const = 0;
  virtual UnitNorms NeuronNorms(const Gradients& gradients) const = 0;

  // Zeroes the activations of the units where `keep` (bool, [units]) is false: weight 0 alone would leave 0 * NaN in
  // the sum.
  virtual void ZeroUnits(const torch::Tensor& keep) = 0;

  // Writes the sum of the gradients of units [first, last), each times its weight, to the rule's range of `flat`, a
  // float32 vector of all parameters. `weights`: float32 [last - first], or [last - first, neurons].
  virtual void StoreSum(const Gradients& gradients, std::int64_t first, std::int64_t last, const torch::Tensor& weights,
                        const torch::Tensor& flat) const = 0;

 private:
  std::int64_t offset_;
  std::int64_t size_;
};

}  // namespace synod::engine
