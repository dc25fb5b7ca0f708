#include "models/engine/affine_rule.h"

#include <utility>

namespace synod::engine {

void AffineRule::Record(torch::Tensor input, std::size_t slot) {
  calls_.push_back({std::move(input), slot});
}

std::int64_t AffineRule::ProductsPerUnit(const Gradients& gradients) const {
  std::int64_t products = 0;
  for (const Call& call : calls_) products += gradients.Of(call.slot).size(1);
  return products;
}

void AffineRule::Values(const Gradients& gradients, std::int64_t first, std::int64_t last, torch::Tensor& squared,
                        torch::Tensor& magnitude) const {
  torch::Tensor shift;
  torch::Tensor gain;
  for (const Call& call : calls_) {
    const torch::Tensor g = gradients.Of(call.slot).slice(0, first, last).to(torch::kFloat64);
    shift = shift.defined() ? shift + g.sum(1) : g.sum(1);
    torch::Tensor sizes = g.square();
    if (parameter_.has_gain) {
      const torch::Tensor products = g * call.input.slice(0, first, last);
      gain = gain.defined() ? gain + products.sum(1) : products.sum(1);
      sizes += products.square();
    }
    const torch::Tensor own = sizes.sqrt_().sum(1);
    magnitude = magnitude.defined() ? magnitude + own : own;
  }
  magnitude = magnitude.square();
  squared = shift.square();
  if (parameter_.has_gain) squared += gain.square();
}

UnitNorms AffineRule::ByNeuron(const Gradients& gradients, bool add_up) const {
  const std::int64_t products = ProductsPerUnit(gradients);
  std::vector<torch::Tensor> squared;
  std::vector<torch::Tensor> magnitude;
  ForPieces(gradients.shape().units, 4 * products * parameter_.features, [&](std::int64_t first, std::int64_t last) {
    torch::Tensor own_squared;
    torch::Tensor own_magnitude;
    Values(gradients, first, last, own_squared, own_magnitude);
    squared.push_back(add_up ? own_squared.sum(1) : own_squared);
    magnitude.push_back(add_up ? own_magnitude.sum(1) : own_magnitude);
  });
  const auto roundings = static_cast<double>(2 * parameter_.features + 1 + products);
  return {torch::cat(squared, 0), torch::cat(magnitude, 0), roundings};
}

UnitNorms AffineRule::Norms(const Gradients& gradients) const {
  const std::int64_t products = ProductsPerUnit(gradients);
  if (parameter_.has_gain || products > 1) return ByNeuron(gradients, /*add_up=*/true);
  // A bias that is used once: its gradient is that of the output, whose length a weight matrix wants as well.
  const torch::Tensor squared = gradients.SquaredLengthsOf(calls_[0].slot).sum(1);
  return {squared, squared, static_cast<double>(2 * parameter_.features + 2)};
}

UnitNorms AffineRule::NeuronNorms(const Gradients& gradients) const {
  if (!parameter_.one_neuron) return ByNeuron(gradients, /*add_up=*/false);
  UnitNorms norms = Norms(gradients);
  norms.squared = norms.squared.unsqueeze(1);
  norms.magnitude_squared = norms.magnitude_squared.unsqueeze(1);
  return norms;
}

void AffineRule::ZeroUnits(const torch::Tensor& keep) {
  for (Call& call : calls_) {
    if (call.input.defined()) call.input = engine::ZeroUnits(call.input, keep);
  }
}

void AffineRule::StoreSum(const Gradients& gradients, std::int64_t first, std::int64_t last,
                          const torch::Tensor& weights, const torch::Tensor& flat) const {
  const torch::Tensor unit_weights = parameter_.one_neuron && weights.dim() == 2 ? weights.select(1, 0) : weights;
  torch::Tensor gain;
  torch::Tensor shift;
  for (const Call& call : calls_) {
    const torch::Tensor g = gradients.Of(call.slot).slice(0, first, last);
    const torch::Tensor own = WeightedSum(g, unit_weights);
    shift = shift.defined() ? shift + own : own;
    if (!parameter_.has_gain) continue;
    const torch::Tensor products = WeightedSum(g * call.input.slice(0, first, last), unit_weights);
    gain = gain.defined() ? gain + products : products;
  }
  const std::int64_t features = parameter_.features;
  if (parameter_.has_gain) flat.narrow(0, offset(), features).copy_(gain);
  flat.narrow(0, offset() + size() - features, features).copy_(shift);
}

}  // namespace synod::engine
