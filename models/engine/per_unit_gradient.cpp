#include "models/engine/per_unit_gradient.h"

#include <algorithm>

#include "common/core/check.h"

namespace synod::engine {
namespace {

// n + 4 (p + d + uses^2) 2^-24 magnitude^2: never below the exact squared norm, also where the Gram rule cancels to a
// negative float32 number while the true norm is large.
torch::Tensor UpperBound(const UnitNorms& norms) {
  const double rounding = 4.0 * norms.rounding_terms / 16777216.0;
  return (norms.squared + rounding * norms.magnitude.square()).clamp_min(0.0);
}

// `by_root`: the gradient of the summed losses by `root`; undefined where `root` is that sum itself.
void DistributeGradients(Tape& tape, const torch::Tensor& root, const torch::Tensor& by_root) {
  std::vector<torch::Tensor> watched;
  for (const auto& rule : tape.rules()) {
    watched.insert(watched.end(), rule->watched().begin(), rule->watched().end());
  }
  const std::vector<torch::Tensor> gradients = torch::autograd::grad(
      {root}, watched, by_root.defined() ? std::vector<torch::Tensor>{by_root} : std::vector<torch::Tensor>{},
      /*retain_graph=*/false, /*create_graph=*/false);
  auto next = gradients.begin();
  for (const auto& rule : tape.rules()) {
    const auto count = static_cast<std::ptrdiff_t>(rule->watched().size());
    std::vector<torch::Tensor> own;
    for (auto gradient = next; gradient != next + count; ++gradient) own.push_back(gradient->contiguous());
    rule->SetGradients(std::move(own));
    next += count;
  }
}

}  // namespace

PerUnitGradient::PerUnitGradient(Tape& tape, const torch::Tensor& unit_losses, const ClipOptions& options)
    : tape_(tape) {
  SYNOD_CHECK(unit_losses.dim() == 1 && unit_losses.size(0) == tape.units(), "one loss for each unit");
  DistributeGradients(tape, unit_losses.sum(), {});
  Clip(options);
}

PerUnitGradient::PerUnitGradient(Tape& tape, const torch::Tensor& output, const torch::Tensor& gradient_by_output,
                                 const ClipOptions& options)
    : tape_(tape) {
  SYNOD_CHECK(output.sizes() == gradient_by_output.sizes() && output.size(0) == tape.units() * tape.uses(),
              "one gradient for each output");
  DistributeGradients(tape, output, gradient_by_output);
  Clip(options);
}

void PerUnitGradient::Clip(const ClipOptions& options) {
  const torch::NoGradGuard no_gradient;
  const auto doubles = torch::TensorOptions().dtype(torch::kFloat64).device(tape_.device());
  torch::Tensor squared = torch::zeros({tape_.units()}, doubles);
  torch::Tensor magnitude_squared = torch::zeros({tape_.units()}, doubles);
  for (const auto& rule : tape_.rules()) {
    const UnitNorms norms = rule->Norms(tape_.units(), tape_.uses());
    squared += UpperBound(norms);
    magnitude_squared += norms.magnitude.square();
  }
  // A non-finite input or gradient shows in the magnitude: inf * 0 and NaN * x are NaN.
  finite_ = squared.isfinite() & magnitude_squared.isfinite();
  if (!finite_.all().item<bool>()) {
    for (const auto& rule : tape_.rules()) rule->ZeroUnits(finite_, tape_.uses());
  }
  norms_ = torch::where(finite_, squared.sqrt(), torch::zeros({}, doubles));
  const torch::Tensor magnitude = torch::where(finite_, magnitude_squared.sqrt(), torch::zeros({}, doubles));

  constexpr double kTiny = 1e-30;
  // Rounded down to float32: a weight rounded to nearest could exceed clip / norm by one part in 2^24.
  constexpr double kRoundDown = 1.0 - 1.0 / 8388608.0;
  torch::Tensor weights = (options.clip / (norms_ + kTiny)).clamp_max(1.0);
  weights = torch::minimum(weights, options.max_magnitude_ratio * options.clip / (magnitude + kTiny));
  weights_ = torch::where(finite_, weights * kRoundDown, torch::zeros({}, doubles));
  const torch::Tensor row_weights = weights_.to(torch::kFloat32).repeat_interleave(tape_.uses()).unsqueeze(1);
  for (const auto& rule : tape_.rules()) rule->ScaleRows(row_weights);
}

void PerUnitGradient::BlockSum(std::int64_t first_unit, std::int64_t last_unit, std::span<float> flat) const {
  SYNOD_CHECK(static_cast<std::int64_t>(flat.size()) == tape_.parameter_count(), "one float for each parameter");
  const torch::NoGradGuard no_gradient;
  torch::Tensor sum = torch::zeros({tape_.parameter_count()}, torch::dtype(torch::kFloat32).device(tape_.device()));
  for (const auto& rule : tape_.rules()) {
    rule->AddSum(first_unit * tape_.uses(), last_unit * tape_.uses(), sum);
  }
  torch::from_blob(flat.data(), {tape_.parameter_count()}, torch::kFloat32).copy_(sum);
}

}  // namespace synod::engine
