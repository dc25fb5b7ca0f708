#include "models/engine/tape.h"

#include <utility>

#include "common/core/check.h"

namespace synod::engine {
namespace {

constexpr double kNormEpsilon = 1e-5;

}  // namespace

Tape::Tape(torch::Tensor parameters, std::int64_t units, std::int64_t uses, bool record)
    : parameters_(std::move(parameters)), shape_{units, uses}, recording_(record) {
  SYNOD_CHECK(parameters_.dim() == 1 && parameters_.scalar_type() == torch::kFloat32 && !parameters_.requires_grad(),
              "parameters are one flat float32 vector without gradient");
  SYNOD_CHECK(units >= 1 && uses >= 1, "a pass has units, and they have rows");
  SYNOD_CHECK(!record || torch::GradMode::is_enabled(), "a tape that records needs gradients");
}

torch::Tensor Tape::View(std::int64_t offset, std::vector<std::int64_t> shape) const {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return parameters_.narrow(0, offset, count).view(shape);
}

void Tape::CheckRows(const torch::Tensor& input, std::int64_t last_extent) const {
  SYNOD_CHECK(input.dim() >= 2 && input.size(0) == shape_.rows() && input.size(-1) == last_extent,
              "a layer's input is [units * uses, ..., in]");
}

torch::Tensor Tape::UnitRows(const torch::Tensor& values) const {
  return values.detach().contiguous().view({shape_.units, -1, values.size(-1)});
}

std::size_t Tape::Watch(torch::Tensor& output, bool channels_first) {
  // A leaf if nothing before it needs a gradient.
  if (!output.requires_grad()) output.set_requires_grad(true);
  record_.slots.push_back({output, channels_first, static_cast<std::uint32_t>(output._version())});
  return record_.slots.size() - 1;
}

template <typename Rule, typename... Arguments>
Rule& Tape::RuleAt(std::int64_t offset, std::int64_t size, Arguments&&... arguments) {
  for (const auto& rule : record_.rules) {
    if (offset + size <= rule->offset() || rule->offset() + rule->size() <= offset) continue;
    auto* same = dynamic_cast<Rule*>(rule.get());
    SYNOD_CHECK(same != nullptr && rule->offset() == offset && rule->size() == size,
                "two kinds of layers share parameters, or two layers share a part of them");
    return *same;
  }
  record_.rules.push_back(std::make_unique<Rule>(std::forward<Arguments>(arguments)...));
  return static_cast<Rule&>(*record_.rules.back());
}

MatrixRule& Tape::MatrixRuleOf(const MatrixParameter& matrix, NeuronAxis axis) {
  auto& rule = RuleAt<MatrixRule>(matrix.offset, matrix.rows * matrix.columns, matrix, axis);
  SYNOD_CHECK(rule.matrix().rows == matrix.rows && rule.axis() == axis, "one matrix under two shapes");
  return rule;
}

AffineRule& Tape::AffineRuleOf(const AffineParameter& parameter) {
  const std::int64_t size = parameter.has_gain ? 2 * parameter.features : parameter.features;
  auto& rule = RuleAt<AffineRule>(parameter.offset, size, parameter);
  SYNOD_CHECK(rule.parameter().has_gain == parameter.has_gain && rule.parameter().one_neuron == parameter.one_neuron,
              "two kinds of layers share parameters");
  return rule;
}

void Tape::RecordBias(bool has_bias, std::int64_t features, std::int64_t offset, std::size_t slot) {
  if (has_bias) AffineRuleOf({features, /*has_gain=*/false, offset}).Record({}, slot);
}

torch::Tensor Tape::Product(const torch::Tensor& weight, const torch::Tensor& input, const torch::Tensor& bias) const {
  const torch::Tensor rows = input.dim() == 2 ? input : input.reshape({-1, input.size(-1)});
  const torch::Tensor output = bias.defined() ? torch::addmm(bias, rows, weight.t()) : torch::mm(rows, weight.t());
  if (input.dim() == 2) return output;
  std::vector<std::int64_t> shape = input.sizes().vec();
  shape.back() = weight.size(0);
  return output.view(shape);
}

torch::Tensor Tape::Linear(const LinearLayer& layer, const torch::Tensor& input) {
  CheckRows(input, layer.in);
  torch::Tensor output = Product(View(layer.weight_offset, {layer.out, layer.in}), input,
                                 layer.has_bias ? View(layer.bias_offset, {layer.out}) : torch::Tensor());
  if (!recording_) return output;
  const std::size_t slot = Watch(output);
  MatrixRuleOf(layer.weight(), NeuronAxis::kRows).Record(Operand::Gradient(slot), Operand::Activation(UnitRows(input)));
  RecordBias(layer.has_bias, layer.out, layer.bias_offset, slot);
  return output;
}

torch::Tensor Tape::LinearTransposed(const LinearLayer& layer, const torch::Tensor& input) {
  CheckRows(input, layer.out);
  torch::Tensor output = Product(View(layer.weight_offset, {layer.out, layer.in}).t(), input, {});
  if (!recording_) return output;
  const std::size_t slot = Watch(output);
  MatrixRuleOf(layer.weight(), NeuronAxis::kRows).Record(Operand::Activation(UnitRows(input)), Operand::Gradient(slot));
  return output;
}

torch::Tensor Tape::Logits(const EmbeddingLayer& layer, const torch::Tensor& input) {
  CheckRows(input, layer.width);
  torch::Tensor output = Product(View(layer.table_offset, {layer.codes, layer.width}), input, {});
  if (!recording_) return output;
  const std::size_t slot = Watch(output);
  MatrixRuleOf(layer.table(), NeuronAxis::kColumns)
      .Record(Operand::Gradient(slot), Operand::Activation(UnitRows(input)));
  return output;
}

torch::Tensor Tape::OneHotLinear(const OneHotLinearLayer& layer, const torch::Tensor& codes) {
  SYNOD_CHECK(codes.dim() == 2 && codes.size(0) == shape_.rows() && codes.scalar_type() == torch::kInt64,
              "OneHotLinear codes are int64 [units * uses, columns]");
  // An inactive code reads row 0 with weight 0.
  const torch::Tensor active = codes.ge(0);
  const torch::Tensor table = View(layer.table_offset, {layer.codes, layer.out});
  const torch::Tensor offsets = torch::arange(0, codes.numel(), codes.size(1), codes.options());
  torch::Tensor output =
      std::get<0>(torch::embedding_bag(table, codes.clamp_min(0).reshape({-1}), offsets, false, /*mode=sum*/ 0, false,
                                       active.to(torch::kFloat32).reshape({-1})));
  if (layer.has_bias) output = output + View(layer.bias_offset, {layer.out});
  if (!recording_) return output;
  const std::size_t slot = Watch(output);
  MatrixRuleOf(layer.table(), NeuronAxis::kColumns)
      .Record(Operand::Codes(UnitRows(codes), layer.codes), Operand::Gradient(slot));
  RecordBias(layer.has_bias, layer.out, layer.bias_offset, slot);
  return output;
}

torch::Tensor Tape::Embedding(const EmbeddingLayer& layer, const torch::Tensor& codes) {
  SYNOD_CHECK(codes.dim() >= 1 && codes.size(0) == shape_.rows() && codes.scalar_type() == torch::kInt64,
              "Embedding codes are int64 [units * uses, ...]");
  const torch::Tensor table = View(layer.table_offset, {layer.codes, layer.width});
  torch::Tensor output = torch::embedding(table, codes.clamp_min(0)) * codes.ge(0).unsqueeze(-1);
  if (!recording_) return output;
  const std::size_t slot = Watch(output);
  MatrixRuleOf(layer.table(), NeuronAxis::kColumns)
      .Record(Operand::Codes(UnitRows(codes.unsqueeze(-1)), layer.codes), Operand::Gradient(slot));
  return output;
}

torch::Tensor Tape::Norm(const NormLayer& layer, const torch::Tensor& input) {
  CheckRows(input, layer.features);
  const torch::Tensor normalised = torch::layer_norm(input, {layer.features}, {}, {}, kNormEpsilon);
  torch::Tensor output =
      normalised * View(layer.gain_offset, {layer.features}) + View(layer.shift_offset, {layer.features});
  if (!recording_) return output;
  const std::size_t slot = Watch(output);
  AffineRuleOf({layer.features, /*has_gain=*/true, layer.gain_offset}).Record(UnitRows(normalised), slot);
  return output;
}

torch::Tensor Tape::GroupNorm(const GroupNormLayer& layer, const torch::Tensor& input) {
  SYNOD_CHECK(input.dim() >= 2 && input.size(0) == shape_.rows() && input.size(1) == layer.channels,
              "GroupNorm input is [units * uses, channels, ...]");
  const torch::Tensor normalised = torch::group_norm(input, layer.groups, {}, {}, kNormEpsilon);
  std::vector<std::int64_t> by_channel(static_cast<std::size_t>(input.dim()), 1);
  by_channel[1] = layer.channels;
  torch::Tensor output = normalised * View(layer.gain_offset, by_channel) + View(layer.shift_offset, by_channel);
  if (!recording_) return output;
  const bool has_positions = input.dim() > 2;
  const std::size_t slot = Watch(output, has_positions);
  AffineRuleOf({layer.channels, /*has_gain=*/true, layer.gain_offset})
      .Record(UnitRows(has_positions ? normalised.flatten(2).transpose(1, 2) : normalised), slot);
  return output;
}

torch::Tensor Tape::Bias(const BiasLayer& layer, const torch::Tensor& input) {
  CheckRows(input, layer.features);
  torch::Tensor output = input + View(layer.offset, {layer.features});
  if (!recording_) return output;
  RecordBias(true, layer.features, layer.offset, Watch(output));
  return output;
}

torch::Tensor Tape::Broadcast(const BroadcastLayer& layer) {
  std::vector<std::int64_t> shape = {shape_.rows(), layer.size};
  torch::Tensor copies = View(layer.offset, {1, layer.size}).expand(shape);
  shape.pop_back();
  shape.insert(shape.end(), layer.shape.begin(), layer.shape.end());
  if (!recording_) return copies.reshape(shape);
  copies = copies.clone();
  AffineRuleOf({layer.size, /*has_gain=*/false, layer.offset, /*one_neuron=*/true}).Record({}, Watch(copies));
  return copies.view(shape);
}

torch::Tensor Tape::MaskedLinear(const MaskedLinearLayer& layer, const torch::Tensor& input) {
  CheckRows(input, layer.in);
  const torch::Tensor positions = torch::tensor(*layer.positions, torch::kInt64).to(device());
  const torch::Tensor weight =
      torch::zeros({layer.out * layer.in}, parameters_.options())
          .index_copy_(0, positions, View(layer.values_offset, {static_cast<std::int64_t>(layer.positions->size())}))
          .view({layer.out, layer.in});
  torch::Tensor output =
      Product(weight, input, layer.has_bias ? View(layer.bias_offset, {layer.out}) : torch::Tensor());
  if (!recording_) return output;
  const std::size_t slot = Watch(output);
  auto& rule =
      RuleAt<MaskedRule>(layer.values_offset, static_cast<std::int64_t>(layer.positions->size()), layer, positions);
  SYNOD_CHECK(*rule.mask() == *layer.positions, "one set of values under two masks");
  rule.Record(Operand::Activation(UnitRows(input)), slot);
  RecordBias(layer.has_bias, layer.out, layer.bias_offset, slot);
  return output;
}

torch::Tensor Tape::WeightNorm(const WeightNormLayer& layer, const torch::Tensor& input) {
  CheckRows(input, layer.in);
  const MatrixParameter matrix = layer.direction();
  DirectionRule alone(matrix, View(matrix.offset, {matrix.rows, matrix.columns}));
  DirectionRule& rule =
      recording_ ? RuleAt<DirectionRule>(matrix.offset, matrix.rows * matrix.columns, std::move(alone)) : alone;
  torch::Tensor along = Product(rule.unit_directions(), input, {});
  if (recording_) rule.Record(UnitRows(input), UnitRows(along), Watch(along));
  torch::Tensor output = along * View(layer.gain_offset, {layer.out}) + View(layer.shift_offset, {layer.out});
  if (!recording_) return output;
  const std::size_t slot = Watch(output);
  AffineRuleOf({layer.out, /*has_gain=*/true, layer.gain_offset}).Record(UnitRows(along), slot);
  return output;
}

torch::Tensor Tape::Conv2d(const Conv2dLayer& layer, const torch::Tensor& input) {
  SYNOD_CHECK(input.dim() == 4 && input.size(0) == shape_.rows() && input.size(1) == layer.in,
              "Conv2d input is [units * uses, in, height, width]");
  torch::Tensor output = torch::conv2d(
      input, View(layer.weight_offset, {layer.out, layer.in, layer.kernel, layer.kernel}),
      layer.has_bias ? View(layer.bias_offset, {layer.out}) : torch::Tensor(), layer.stride, layer.padding);
  if (!recording_) return output;
  const std::size_t slot = Watch(output, /*channels_first=*/true);
  MatrixRuleOf(layer.weight(), NeuronAxis::kRows)
      .Record(Operand::Gradient(slot),
              Operand::Windows(input.detach().contiguous(), {layer.kernel, layer.stride, layer.padding}));
  RecordBias(layer.has_bias, layer.out, layer.bias_offset, slot);
  return output;
}

}  // namespace synod::engine
