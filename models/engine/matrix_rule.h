// The rule of a matrix: sums of outer products left right^T (operand.h). Serves Linear layers on rows and tokens,
// one-hot and embedding tables, convolutions, and any mix of them that shares one matrix (tied weights).
//
// The squared norm of a unit is <G, A> over all pairs of its products, with G and A the Gram matrices of both sides
// (book-keeping, Bu et al. 2022; ghost norm, Li et al. 2021), or, where pairs outnumber the values of the matrix, that
// of the gradient built for a few units at a time.
#pragma once

#include <vector>

#include "models/engine/operand.h"
#include "models/engine/parameter_rule.h"
#include "models/engine/parameter_view.h"

namespace synod::engine {

// Which index of the matrix counts output neurons: a Linear weight is [out, in], a table [codes, out].
enum class NeuronAxis { kRows, kColumns };

class MatrixRule final : public ParameterRule {
 public:
  MatrixRule(const MatrixParameter& matrix, NeuronAxis axis);

  NeuronAxis axis() const { return axis_; }
  const MatrixParameter& matrix() const { return matrix_; }
  // One call of a layer. Codes stand on the left, and only where neurons are columns.
  void Record(Operand left, Operand right);

  std::int64_t ProductsPerUnit(const Gradients& gradients) const override;
  UnitNorms Norms(const Gradients& gradients) const override;
  UnitNorms NeuronNorms(const Gradients& gradients) const override;
  void ZeroUnits(const torch::Tensor& keep) override;
  void StoreSum(const Gradients& gradients, std::int64_t first, std::int64_t last, const torch::Tensor& weights,
                const torch::Tensor& flat) const override;

 private:
  bool PairsAreCheaper(std::int64_t products) const;
  std::int64_t ValuesPerUnit(std::int64_t products) const;
  std::vector<const Operand*> NeuronSide() const;
  std::vector<const Operand*> OtherSide() const;
  torch::Tensor SquaredByPairs(const Gradients& gradients, std::int64_t first, std::int64_t last) const;
  torch::Tensor NeuronsByPairs(const Gradients& gradients, std::int64_t first, std::int64_t last) const;
  // [last - first, neurons]: squared norms of the gradient's neurons, built.
  torch::Tensor NeuronsBuilt(const Gradients& gradients, std::int64_t first, std::int64_t last) const;
  void StoreCodes(const torch::Tensor& codes, const torch::Tensor& rows, torch::Tensor& sum) const;

  MatrixParameter matrix_;
  NeuronAxis axis_;
  std::vector<Operand> left_;
  std::vector<Operand> right_;
};

}  // namespace synod::engine
