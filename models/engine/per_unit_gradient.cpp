#include "models/engine/per_unit_gradient.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/core/check.h"

namespace synod::engine {
namespace {

torch::Tensor PerUnit(const torch::Tensor& values) {
  return values.dim() == 1 ? values.unsqueeze(1) : values;
}

// The bounds of a group as float64 [1, parts].
torch::Tensor BoundsOf(const ClipPlan& plan, std::size_t group, const torch::TensorOptions& options) {
  const std::vector<double> bounds =
      plan.groups().empty() ? std::vector<double>{plan.clip()} : plan.groups()[group].bounds;
  return torch::tensor(bounds, torch::kFloat64).to(options.device()).unsqueeze(0);
}

}  // namespace

PerUnitGradient::PerUnitGradient(Tape& tape, const torch::Tensor& unit_losses, const ClipPlan& plan)
    : parameters_(tape.parameter_count()),
      device_(tape.device()),
      gradients_(tape.shape()),
      record_(tape.TakeRecord()) {
  SYNOD_CHECK(unit_losses.dim() == 1 && unit_losses.size(0) == tape.units(), "one loss for each unit");
  Backward(unit_losses.sum(), {});
  Clip(plan);
}

PerUnitGradient::PerUnitGradient(Tape& tape, const torch::Tensor& output, const torch::Tensor& gradient_by_output,
                                 const ClipPlan& plan)
    : parameters_(tape.parameter_count()),
      device_(tape.device()),
      gradients_(tape.shape()),
      record_(tape.TakeRecord()) {
  SYNOD_CHECK(output.sizes() == gradient_by_output.sizes() && output.size(0) == tape.shape().rows(),
              "one gradient for each output");
  Backward(output, gradient_by_output);
  Clip(plan);
}

void PerUnitGradient::Backward(const torch::Tensor& root, const torch::Tensor& by_root) {
  std::vector<torch::Tensor> watched;
  for (const Tape::Slot& slot : record_.slots) {
    SYNOD_CHECK(slot.watched._version() == slot.version, "what a layer returned was changed in place");
    watched.push_back(slot.watched);
  }
  std::vector<torch::Tensor> by_watched = torch::autograd::grad(
      {root}, watched, by_root.defined() ? std::vector<torch::Tensor>{by_root} : std::vector<torch::Tensor>{},
      /*retain_graph=*/false, /*create_graph=*/false, /*allow_unused=*/true);
  const torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < watched.size(); ++i) {
    if (!by_watched[i].defined()) by_watched[i] = torch::zeros_like(watched[i]);
    gradients_.Add(by_watched[i], record_.slots[i].channels_first);
  }
  record_.slots.clear();  // frees the pre-activations
}

void PerUnitGradient::Clip(const ClipPlan& plan) {
  const torch::NoGradGuard no_gradient;
  const std::size_t group_count = std::max<std::size_t>(1, plan.groups().size());
  std::vector<torch::Tensor> squared(group_count);
  std::vector<torch::Tensor> magnitude_squared(group_count);
  std::int64_t products = 1;
  for (const auto& rule : record_.rules) {
    const std::size_t group = plan.GroupOf(rule->offset(), rule->size());
    groups_.push_back(group);
    products = std::max(products, rule->ProductsPerUnit(gradients_));
    const UnitNorms norms = plan.by_neuron() ? rule->NeuronNorms(gradients_) : rule->Norms(gradients_);
    const torch::Tensor bound = PerUnit(norms.UpperBound());
    const torch::Tensor magnitude = PerUnit(norms.magnitude_squared);
    SYNOD_CHECK(!squared[group].defined() || squared[group].sizes() == bound.sizes(),
                "parameters of one layer have different neurons");
    squared[group] = squared[group].defined() ? squared[group] + bound : bound;
    magnitude_squared[group] = magnitude_squared[group].defined() ? magnitude_squared[group] + magnitude : magnitude;
  }
  units_per_block_ = UnitsPerBlock(products);
  SetWeights(plan, squared, magnitude_squared);
  if (!finite_.all().item<bool>()) {
    gradients_.ZeroUnits(finite_);
    for (const auto& rule : record_.rules) rule->ZeroUnits(finite_);
  }
  FindGaps();
}

void PerUnitGradient::SetWeights(const ClipPlan& plan, const std::vector<torch::Tensor>& squared,
                                 const std::vector<torch::Tensor>& magnitude_squared) {
  constexpr double kTiny = 1e-30;
  // Beyond this a unit counts as not finite. Norms are float64 and could be finite where the float32 products of the
  // gradient itself are not, or where the weight is so small that float32 rounds it up by more than kRoundDown.
  constexpr double kMostSquared = 1e60;
  // Rounded down to float32: a weight rounded to nearest could exceed clip / norm by one part in 2^24.
  constexpr double kRoundDown = 1.0 - 1.0 / 8388608.0;
  // Of a bound that is tiny itself. Twice the smallest float32 that has all its digits: below that, rounding down by
  // one part in 2^23 is not enough.
  constexpr double kLeastWeight = 2.0 * std::numeric_limits<float>::min();
  const auto doubles = torch::TensorOptions().dtype(torch::kFloat64).device(device_);
  const torch::Tensor zero = torch::zeros({}, doubles);
  const std::int64_t units = gradients_.shape().units;
  torch::Tensor total = torch::zeros({units}, doubles);
  finite_ = torch::ones({units}, torch::TensorOptions().dtype(torch::kBool).device(device_));
  for (std::size_t group = 0; group < squared.size(); ++group) {
    if (!squared[group].defined()) continue;
    // A non-finite activation or gradient shows in the magnitude: inf * 0 and NaN * x are NaN, which no comparison
    // holds for.
    finite_ &= ((squared[group] <= kMostSquared) & (magnitude_squared[group] <= kMostSquared)).all(1);
    total += squared[group].sum(1);
  }
  finite_ &= total.isfinite();
  norms_ = torch::where(finite_, total.sqrt(), zero);
  clipped_ = torch::zeros_like(finite_);
  weights_.resize(squared.size());
  for (std::size_t group = 0; group < squared.size(); ++group) {
    if (!squared[group].defined()) continue;
    const torch::Tensor bounds = BoundsOf(plan, group, doubles);
    const torch::Tensor norms = squared[group].sqrt();
    const torch::Tensor thresholds = bounds * (plan.threshold() / plan.clip());
    // A part with a bound of zero is left out by the plan, not clipped.
    clipped_ |= ((norms > thresholds) & (bounds > 0.0)).any(1) & finite_;
    const torch::Tensor divisors =
        plan.gamma() > 0.0 ? norms + plan.gamma() : torch::maximum(norms, thresholds) + kTiny;
    torch::Tensor weights = bounds / divisors;
    weights = torch::minimum(weights, plan.magnitude_ratio() * bounds / (magnitude_squared[group].sqrt() + kTiny));
    weights = torch::where(finite_.unsqueeze(1) & (weights >= kLeastWeight), weights * kRoundDown, zero);
    weights = weights.to(torch::kFloat32);
    SYNOD_CHECK(weights.size(1) == 1 || plan.by_neuron(), "one weight a unit unless neurons are told apart");
    weights_[group] = plan.by_neuron() ? weights : weights.squeeze(1);
  }
}

void PerUnitGradient::FindGaps() {
  std::vector<std::pair<std::int64_t, std::int64_t>> covered;
  for (const auto& rule : record_.rules) covered.emplace_back(rule->offset(), rule->offset() + rule->size());
  std::sort(covered.begin(), covered.end());
  std::int64_t next = 0;
  for (const auto& [begin, end] : covered) {
    if (begin > next) gaps_.emplace_back(next, begin - next);
    next = end;
  }
  if (next < parameters_) gaps_.emplace_back(next, parameters_ - next);
}

void PerUnitGradient::BlockSum(std::int64_t first_unit, std::int64_t last_unit, std::span<float> flat) const {
  SYNOD_CHECK(last_unit - first_unit <= units_per_block_, "more units than a block's rounding is proven for");
  SumWithoutBlockRule(first_unit, last_unit, flat);
}

void PerUnitGradient::SumWithoutBlockRule(std::int64_t first_unit, std::int64_t last_unit,
                                          std::span<float> flat) const {
  SYNOD_CHECK(static_cast<std::int64_t>(flat.size()) == parameters_, "one float for each parameter");
  SYNOD_CHECK(0 <= first_unit && first_unit < last_unit && last_unit <= gradients_.shape().units, "units of the pass");
  const torch::NoGradGuard no_gradient;
  const torch::Tensor host = torch::from_blob(flat.data(), {parameters_}, torch::kFloat32);
  const torch::Tensor sum = device_.is_cpu() ? host : torch::empty({parameters_}, host.options().device(device_));
  for (const auto& [offset, size] : gaps_) sum.narrow(0, offset, size).zero_();
  for (std::size_t i = 0; i < record_.rules.size(); ++i) {
    record_.rules[i]->StoreSum(gradients_, first_unit, last_unit, weights_[groups_[i]].slice(0, first_unit, last_unit),
                               sum);
  }
  if (!device_.is_cpu()) host.copy_(sum);
}

}  // namespace synod::engine
