#include "models/engine/tape.h"

#include <utility>

#include "common/core/check.h"

namespace synod::engine {

Tape::Tape(torch::Tensor parameters, std::int64_t units, std::int64_t uses, bool record)
    : parameters_(std::move(parameters)), units_(units), uses_(uses), record_(record) {
  SYNOD_CHECK(parameters_.dim() == 1 && parameters_.scalar_type() == torch::kFloat32 && !parameters_.requires_grad(),
              "parameters are one flat float32 vector without gradient");
}

torch::Tensor Tape::View(std::int64_t offset, std::vector<std::int64_t> shape) const {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return parameters_.narrow(0, offset, count).view(shape);
}

torch::Tensor Tape::Watched(torch::Tensor pre_activation) {
  if (!pre_activation.requires_grad()) pre_activation.set_requires_grad(true);
  return pre_activation;
}

template <typename Rule, typename Layer>
Rule& Tape::RuleFor(const Layer& layer, std::int64_t offset) {
  for (const auto& rule : rules_) {
    if (rule->key() != offset) continue;
    auto* same = dynamic_cast<Rule*>(rule.get());
    SYNOD_CHECK(same != nullptr, "two kinds of layers share parameters");
    return *same;
  }
  rules_.push_back(std::make_unique<Rule>(layer, offset));
  return static_cast<Rule&>(*rules_.back());
}

torch::Tensor Tape::Linear(const LinearLayer& layer, const torch::Tensor& input) {
  SYNOD_CHECK(input.dim() == 2 && input.size(0) == units_ * uses_ && input.size(1) == layer.in,
              "Linear input is [units * uses, in]");
  const torch::Tensor weight = View(layer.weight_offset, {layer.out, layer.in});
  torch::Tensor output = layer.has_bias ? torch::addmm(View(layer.bias_offset, {layer.out}), input, weight.t())
                                        : torch::mm(input, weight.t());
  if (!record_) return output;
  output = Watched(output);
  RuleFor<LinearRule>(layer, layer.weight_offset).Record(input.detach(), output);
  return output;
}

torch::Tensor Tape::OneHotLinear(const OneHotLinearLayer& layer, const torch::Tensor& codes) {
  SYNOD_CHECK(codes.dim() == 2 && codes.size(0) == units_ * uses_ && codes.scalar_type() == torch::kInt64,
              "OneHotLinear codes are int64 [units * uses, columns]");
  // An inactive code reads row 0 with weight 0.
  const torch::Tensor active = codes.ge(0);
  const torch::Tensor table = View(layer.table_offset, {layer.codes, layer.out});
  const torch::Tensor offsets = torch::arange(0, codes.numel(), codes.size(1), codes.options());
  torch::Tensor output =
      std::get<0>(torch::embedding_bag(table, codes.clamp_min(0).reshape({-1}), offsets, false, /*mode=sum*/ 0, false,
                                       active.to(torch::kFloat32).reshape({-1})));
  if (layer.has_bias) output = output + View(layer.bias_offset, {layer.out});
  if (!record_) return output;
  output = Watched(output);
  RuleFor<OneHotLinearRule>(layer, layer.table_offset).Record(codes, output);
  return output;
}

torch::Tensor Tape::Norm(const NormLayer& layer, const torch::Tensor& input) {
  SYNOD_CHECK(input.dim() == 2 && input.size(0) == units_ * uses_ && input.size(1) == layer.features,
              "Norm input is [units * uses, features]");
  constexpr double kEpsilon = 1e-5;
  const torch::Tensor normalised = torch::layer_norm(input, {layer.features}, {}, {}, kEpsilon);
  torch::Tensor output =
      normalised * View(layer.gain_offset, {layer.features}) + View(layer.shift_offset, {layer.features});
  if (!record_) return output;
  output = Watched(output);
  RuleFor<NormRule>(layer, layer.gain_offset).Record(normalised.detach(), output);
  return output;
}

}  // namespace synod::engine
