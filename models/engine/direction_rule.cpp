#include "models/engine/direction_rule.h"

#include <utility>

namespace synod::engine {

DirectionRule::DirectionRule(const MatrixParameter& matrix, const torch::Tensor& values)
    : ParameterRule(matrix.offset, matrix.rows * matrix.columns), matrix_(matrix) {
  const torch::Tensor exact = values.to(torch::kFloat64);
  lengths_ = (exact.square().sum(1) + kNormFloor).sqrt();
  directions_ = (exact / lengths_.unsqueeze(1)).to(torch::kFloat32);
}

void DirectionRule::Record(torch::Tensor input, torch::Tensor output, std::size_t slot) {
  calls_.push_back({std::move(input), std::move(output), slot});
}

std::int64_t DirectionRule::ProductsPerUnit(const Gradients&) const {
  // One more than there are: the projection of a sum is a cancellation, also after a single product.
  std::int64_t products = 1;
  for (const Call& call : calls_) products += call.input.size(1);
  return products;
}

UnitNorms DirectionRule::NeuronNorms(const Gradients& gradients) const {
  const torch::Tensor exact = directions_.to(torch::kFloat64);
  const torch::Tensor twice = 2.0 - exact.square().sum(1);  // |G - (G.u) u|^2 = |G|^2 - (2 - |u|^2) (G.u)^2
  const std::int64_t products = ProductsPerUnit(gradients);
  std::vector<torch::Tensor> squared;
  std::vector<torch::Tensor> magnitudes;
  const std::int64_t values = products * (3 * matrix_.rows + matrix_.columns + products);
  ForPieces(gradients.shape().units, 2 * values, [&](std::int64_t first, std::int64_t last) {
    std::vector<torch::Tensor> scaled;
    std::vector<torch::Tensor> inputs;
    torch::Tensor along = torch::zeros({last - first, matrix_.rows}, exact.options());
    for (const Call& call : calls_) {
      const torch::Tensor gradient = gradients.Of(call.slot).slice(0, first, last).to(torch::kFloat64) / lengths_;
      along += (gradient * call.output.slice(0, first, last)).sum(1);
      scaled.push_back(gradient);
      inputs.push_back(call.input.slice(0, first, last).to(torch::kFloat64));
    }
    const torch::Tensor g = torch::cat(scaled, 1);
    const torch::Tensor x = torch::cat(inputs, 1);
    const torch::Tensor whole = (torch::bmm(torch::bmm(x, x.transpose(1, 2)), g) * g).sum(1);
    squared.push_back(whole - twice * along.square());
    magnitudes.push_back((g.abs() * x.square().sum(2, true).sqrt()).sum(1).square());
  });
  // Everything above is float64, but h is a float32 sum of d products: counted twice, once for each factor.
  const auto roundings = static_cast<double>(2 * (matrix_.rows + matrix_.columns) + products);
  return {torch::cat(squared, 0), torch::cat(magnitudes, 0), roundings};
}

UnitNorms DirectionRule::Norms(const Gradients& gradients) const {
  UnitNorms norms = NeuronNorms(gradients);
  norms.squared = norms.squared.sum(1);
  // Roundings are made neuron by neuron, in the norm as in the sum: so is the magnitude.
  norms.magnitude_squared = norms.magnitude_squared.sum(1);
  return norms;
}

void DirectionRule::ZeroUnits(const torch::Tensor& keep) {
  for (Call& call : calls_) {
    call.input = engine::ZeroUnits(call.input, keep);
    call.output = engine::ZeroUnits(call.output, keep);
  }
}

void DirectionRule::StoreSum(const Gradients& gradients, std::int64_t first, std::int64_t last,
                             const torch::Tensor& weights, const torch::Tensor& flat) const {
  torch::Tensor sum;
  for (const Call& call : calls_) {
    const torch::Tensor gradient = gradients.Of(call.slot).slice(0, first, last) / lengths_.to(torch::kFloat32);
    const torch::Tensor left = Weighted(gradient, weights).reshape({-1, matrix_.rows}).t();
    const torch::Tensor right = call.input.slice(0, first, last).reshape({-1, matrix_.columns});
    sum = sum.defined() ? sum.addmm_(left, right) : torch::mm(left, right);
  }
  const torch::Tensor exact = sum.to(torch::kFloat64);
  const torch::Tensor directions = directions_.to(torch::kFloat64);
  const torch::Tensor projected = exact - (exact * directions).sum(1, true) * directions;
  flat.narrow(0, offset(), size()).view({matrix_.rows, matrix_.columns}).copy_(projected);
}

}  // namespace synod::engine
