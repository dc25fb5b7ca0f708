#include "models/engine/masked_rule.h"

#include <utility>

namespace synod::engine {
MaskedRule::MaskedRule(const MaskedLinearLayer& layer, torch::Tensor positions)
    : ParameterRule(layer.values_offset, static_cast<std::int64_t>(layer.positions->size())),
      layer_(layer),
      positions_(std::move(positions)),
      mask_(torch::zeros({layer.out * layer.in}, torch::dtype(torch::kFloat32).device(positions_.device()))
                .index_fill_(0, positions_, 1.0)
                .view({layer.out, layer.in})) {}

void MaskedRule::Record(Operand input, std::size_t slot) {
  inputs_.push_back(std::move(input));
  outputs_.push_back(Operand::Gradient(slot));
}

std::int64_t MaskedRule::ProductsPerUnit(const Gradients& gradients) const {
  std::int64_t products = 0;
  for (const Operand& input : inputs_) products += input.CountPerUnit(gradients);
  return products;
}

double MaskedRule::Roundings(std::int64_t products) const {
  return static_cast<double>(layer_.out + layer_.in + products);
}

torch::Tensor MaskedRule::SquaredNeurons(const Gradients& gradients, std::int64_t products) const {
  if (products == 1) {
    const torch::Tensor input = inputs_[0].Rows(gradients, 0, gradients.shape().units).select(1, 0);
    const torch::Tensor output = outputs_[0].Rows(gradients, 0, gradients.shape().units).select(1, 0);
    const torch::Tensor seen = torch::mm(input.to(torch::kFloat64).square(), mask_.to(torch::kFloat64).t());
    return output.to(torch::kFloat64).square() * seen;
  }
  const auto count = static_cast<double>(products);
  std::vector<torch::Tensor> pieces;
  ForPieces(gradients.shape().units, layer_.out * layer_.in, [&](std::int64_t first, std::int64_t last) {
    const torch::Tensor left = RowsOf(PointersTo(outputs_), gradients, first, last);
    const torch::Tensor built = torch::bmm(left.transpose(1, 2), RowsOf(PointersTo(inputs_), gradients, first, last));
    pieces.push_back(SquaredLengths(built.mul_(mask_)));
  });
  return torch::cat(pieces, 0) + 2.0 * kUnderflow * static_cast<double>(layer_.in) * count * count;
}

UnitNorms MaskedRule::Norms(const Gradients& gradients) const {
  const std::int64_t products = ProductsPerUnit(gradients);
  const torch::Tensor squared = SquaredNeurons(gradients, products).sum(1);
  if (products == 1) {
    // A gradient that is not finite shows in its length even where the mask would hide it from the product.
    const torch::Tensor lengths = (inputs_[0].SquaredLengths(gradients) * outputs_[0].SquaredLengths(gradients)).sum(1);
    return {squared, torch::where(lengths.isfinite(), squared, lengths), Roundings(products)};
  }
  torch::Tensor magnitude = torch::zeros_like(squared);
  for (std::size_t call = 0; call < inputs_.size(); ++call) {
    magnitude += (inputs_[call].SquaredLengths(gradients) * outputs_[call].SquaredLengths(gradients)).sqrt().sum(1);
  }
  return {squared, magnitude.square(), Roundings(products)};
}

UnitNorms MaskedRule::NeuronNorms(const Gradients& gradients) const {
  const std::int64_t products = ProductsPerUnit(gradients);
  const torch::Tensor squared = SquaredNeurons(gradients, products);
  torch::Tensor magnitude = torch::zeros_like(squared);
  for (std::size_t call = 0; call < inputs_.size(); ++call) {
    const torch::Tensor lengths = inputs_[call].SquaredLengths(gradients).sqrt().unsqueeze(2);
    const torch::Tensor output = outputs_[call].Rows(gradients, 0, gradients.shape().units);
    magnitude += (output.abs().to(torch::kFloat64) * lengths).sum(1);
  }
  magnitude = magnitude.square();
  if (products == 1) magnitude = torch::where(magnitude.isfinite(), squared, magnitude);
  return {squared, magnitude, Roundings(products)};
}

void MaskedRule::ZeroUnits(const torch::Tensor& keep) {
  for (Operand& input : inputs_) input.ZeroUnits(keep);
}

void MaskedRule::StoreSum(const Gradients& gradients, std::int64_t first, std::int64_t last,
                          const torch::Tensor& weights, const torch::Tensor& flat) const {
  torch::Tensor sum;
  for (std::size_t call = 0; call < inputs_.size(); ++call) {
    const torch::Tensor output =
        Weighted(outputs_[call].Rows(gradients, first, last), weights).reshape({-1, layer_.out}).t();
    const torch::Tensor input = inputs_[call].Rows(gradients, first, last).reshape({-1, layer_.in});
    sum = call == 0 ? torch::mm(output, input) : sum.addmm_(output, input);
  }
  flat.narrow(0, offset(), size()).copy_(sum.view({-1}).index_select(0, positions_));
}

}  // namespace synod::engine
