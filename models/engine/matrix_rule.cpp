#include "models/engine/matrix_rule.h"

#include <algorithm>
#include <utility>

#include "common/core/check.h"

namespace synod::engine {
namespace {

// Sum over vectors of their lengths, [units] float64.
torch::Tensor SummedLengths(const torch::Tensor& squared_lengths) {
  return squared_lengths.sqrt().sum(1);
}

}  // namespace

MatrixRule::MatrixRule(const MatrixParameter& matrix, NeuronAxis axis)
    : ParameterRule(matrix.offset, matrix.rows * matrix.columns), matrix_(matrix), axis_(axis) {}

void MatrixRule::Record(Operand left, Operand right) {
  SYNOD_CHECK(!right.is_codes() && (!left.is_codes() || axis_ == NeuronAxis::kColumns), "codes choose rows of a table");
  left_.push_back(std::move(left));
  right_.push_back(std::move(right));
}

std::int64_t MatrixRule::ProductsPerUnit(const Gradients& gradients) const {
  std::int64_t products = 0;
  for (const Operand& left : left_) products += left.CountPerUnit(gradients);
  return products;
}

bool MatrixRule::PairsAreCheaper(std::int64_t products) const {
  const bool codes = std::any_of(left_.begin(), left_.end(), [](const Operand& left) { return left.is_codes(); });
  return codes || 2 * products * products <= matrix_.rows * matrix_.columns;
}

std::int64_t MatrixRule::ValuesPerUnit(std::int64_t products) const {
  const std::int64_t sides = products * (matrix_.rows + matrix_.columns);
  if (!PairsAreCheaper(products)) return sides + matrix_.rows * matrix_.columns;
  std::int64_t codes = 1;
  for (const Operand& left : left_) {
    if (left.is_codes()) codes = std::max(codes, left.CodeRows(0, 0).size(2));
  }
  return sides + 4 * products * products * codes * codes;
}

std::vector<const Operand*> MatrixRule::NeuronSide() const {
  return PointersTo(axis_ == NeuronAxis::kRows ? left_ : right_);
}

std::vector<const Operand*> MatrixRule::OtherSide() const {
  return PointersTo(axis_ == NeuronAxis::kRows ? right_ : left_);
}

torch::Tensor MatrixRule::SquaredByPairs(const Gradients& gradients, std::int64_t first, std::int64_t last) const {
  const torch::Tensor left = GramOf(PointersTo(left_), gradients, first, last).to(torch::kFloat64);
  return (left * GramOf(PointersTo(right_), gradients, first, last)).sum({1, 2});
}

torch::Tensor MatrixRule::NeuronsByPairs(const Gradients& gradients, std::int64_t first, std::int64_t last) const {
  const torch::Tensor rows = RowsOf(NeuronSide(), gradients, first, last);
  const torch::Tensor mixed = torch::bmm(GramOf(OtherSide(), gradients, first, last), rows);
  return (mixed.to(torch::kFloat64) * rows).sum(1);
}

torch::Tensor MatrixRule::NeuronsBuilt(const Gradients& gradients, std::int64_t first, std::int64_t last) const {
  const torch::Tensor neurons = RowsOf(NeuronSide(), gradients, first, last);
  return SquaredLengths(torch::bmm(neurons.transpose(1, 2), RowsOf(OtherSide(), gradients, first, last)));
}

UnitNorms MatrixRule::Norms(const Gradients& gradients) const {
  const std::int64_t products = ProductsPerUnit(gradients);
  const auto roundings = static_cast<double>(matrix_.rows + matrix_.columns + products);
  if (products == 1) {
    const torch::Tensor squared =
        (left_[0].SquaredLengths(gradients) * right_[0].SquaredLengths(gradients)).view({gradients.shape().units});
    return {squared, squared, roundings};
  }
  torch::Tensor magnitude;
  torch::Tensor left_lengths;
  torch::Tensor right_lengths;
  for (std::size_t call = 0; call < left_.size(); ++call) {
    const torch::Tensor left = left_[call].SquaredLengths(gradients);
    const torch::Tensor right = right_[call].SquaredLengths(gradients);
    magnitude = call == 0 ? SummedLengths(left * right) : magnitude + SummedLengths(left * right);
    left_lengths = call == 0 ? SummedLengths(left) : left_lengths + SummedLengths(left);
    right_lengths = call == 0 ? SummedLengths(right) : right_lengths + SummedLengths(right);
  }
  std::vector<torch::Tensor> pieces;
  ForPieces(gradients.shape().units, ValuesPerUnit(products), [&](std::int64_t first, std::int64_t last) {
    pieces.push_back(PairsAreCheaper(products) ? SquaredByPairs(gradients, first, last)
                                               : NeuronsBuilt(gradients, first, last).sum(1));
  });
  // Entries of a Gram matrix may lose p (or d) products to underflow; those of a built gradient one for each product.
  const auto rows = static_cast<double>(matrix_.rows);
  const auto columns = static_cast<double>(matrix_.columns);
  const torch::Tensor lost = kUnderflow * (rows * right_lengths.square() + columns * left_lengths.square()) +
                             2.0 * kUnderflow * rows * columns * static_cast<double>(products * products);
  return {torch::cat(pieces, 0) + lost, magnitude.square(), roundings};
}

UnitNorms MatrixRule::NeuronNorms(const Gradients& gradients) const {
  const std::int64_t products = ProductsPerUnit(gradients);
  const auto other_size = static_cast<double>(axis_ == NeuronAxis::kRows ? matrix_.columns : matrix_.rows);
  const auto count = static_cast<double>(products);
  const auto roundings = static_cast<double>(matrix_.rows + matrix_.columns + products);
  std::vector<torch::Tensor> other;
  for (const Operand* operand : OtherSide()) other.push_back(operand->SquaredLengths(gradients));
  const torch::Tensor other_squared = torch::cat(other, 1);
  std::vector<torch::Tensor> squared;
  std::vector<torch::Tensor> magnitude;
  ForPieces(gradients.shape().units, 3 * ValuesPerUnit(products), [&](std::int64_t first, std::int64_t last) {
    const torch::Tensor neurons = RowsOf(NeuronSide(), gradients, first, last).abs().to(torch::kFloat64);
    const torch::Tensor lengths = other_squared.slice(0, first, last).unsqueeze(2).sqrt();
    magnitude.push_back((neurons * lengths).sum(1).square());
    if (products == 1) {
      squared.push_back(magnitude.back());
      return;
    }
    const torch::Tensor lost = kUnderflow * ((other_size + count) * neurons.sum(1).square() + count) +
                               2.0 * kUnderflow * other_size * count * count;
    squared.push_back(lost + (PairsAreCheaper(products) ? NeuronsByPairs(gradients, first, last)
                                                        : NeuronsBuilt(gradients, first, last)));
  });
  return {torch::cat(squared, 0), torch::cat(magnitude, 0), roundings};
}

void MatrixRule::ZeroUnits(const torch::Tensor& keep) {
  for (Operand& operand : left_) operand.ZeroUnits(keep);
  for (Operand& operand : right_) operand.ZeroUnits(keep);
}

void MatrixRule::StoreCodes(const torch::Tensor& codes, const torch::Tensor& rows, torch::Tensor& sum) const {
  for (std::int64_t column = 0; column < codes.size(2); ++column) {
    const torch::Tensor code = codes.select(2, column).reshape({-1});
    const torch::Tensor active = code.ge(0).to(torch::kFloat32).unsqueeze(1);
    sum.index_add_(0, code.clamp_min(0), rows * active);
  }
}

void MatrixRule::StoreSum(const Gradients& gradients, std::int64_t first, std::int64_t last,
                          const torch::Tensor& weights, const torch::Tensor& flat) const {
  torch::Tensor sum = flat.narrow(0, offset(), size()).view({matrix_.rows, matrix_.columns});
  // Either side may carry one weight a unit: the narrower one. Weights of neurons belong to the side of the neurons.
  const bool weigh_left = weights.dim() == 2 ? axis_ == NeuronAxis::kRows : matrix_.rows <= matrix_.columns;
  for (std::size_t call = 0; call < left_.size(); ++call) {
    torch::Tensor right = right_[call].Rows(gradients, first, last);
    if (left_[call].is_codes()) {
      if (call == 0) sum.zero_();
      StoreCodes(left_[call].CodeRows(first, last), Weighted(right, weights).view({-1, matrix_.columns}), sum);
      continue;
    }
    torch::Tensor left = left_[call].Rows(gradients, first, last);
    (weigh_left ? left : right) = Weighted(weigh_left ? left : right, weights);
    left = left.reshape({-1, matrix_.rows}).t();
    right = right.reshape({-1, matrix_.columns});
    if (call == 0) {
      torch::mm_out(sum, left, right);
    } else {
      sum.addmm_(left, right);
    }
  }
}

}  // namespace synod::engine
