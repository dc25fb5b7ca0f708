#include "models/engine/parameter_view.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/core/check.h"

namespace synod::engine {

std::int64_t ParameterBuilder::Take(const std::string& name, std::vector<std::int64_t> shape) {
  const std::int64_t offset = size_;
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  parts_.push_back({name, offset, std::move(shape)});
  size_ += count;
  return offset;
}

void ParameterBuilder::EndLayer(const std::string& name, std::int64_t neurons) {
  const std::int64_t begin = layers_.empty() ? 0 : layers_.back().offset + layers_.back().size;
  layers_.push_back({name, begin, size_ - begin, neurons});
}

LinearLayer ParameterBuilder::Linear(const std::string& name, std::int64_t in, std::int64_t out, bool has_bias) {
  LinearLayer layer{in, out, has_bias, 0, 0};
  layer.weight_offset = Take(name + ".weight", {out, in});
  if (has_bias) layer.bias_offset = Take(name + ".bias", {out});
  EndLayer(name, out);
  return layer;
}

OneHotLinearLayer ParameterBuilder::OneHotLinear(const std::string& name, std::int64_t codes, std::int64_t out,
                                                 bool has_bias) {
  OneHotLinearLayer layer{codes, out, has_bias, 0, 0};
  layer.table_offset = Take(name + ".table", {codes, out});
  if (has_bias) layer.bias_offset = Take(name + ".bias", {out});
  EndLayer(name, out);
  return layer;
}

EmbeddingLayer ParameterBuilder::Embedding(const std::string& name, std::int64_t codes, std::int64_t width) {
  const EmbeddingLayer layer{codes, width, Take(name + ".table", {codes, width})};
  EndLayer(name, width);
  return layer;
}

NormLayer ParameterBuilder::Norm(const std::string& name, std::int64_t features) {
  NormLayer layer{features, 0, 0};
  layer.gain_offset = Take(name + ".gain", {features});
  layer.shift_offset = Take(name + ".shift", {features});
  EndLayer(name, features);
  return layer;
}

GroupNormLayer ParameterBuilder::GroupNorm(const std::string& name, std::int64_t groups, std::int64_t channels) {
  SYNOD_CHECK(groups >= 1 && channels % groups == 0, "channels fall into equal groups");
  GroupNormLayer layer{groups, channels, 0, 0};
  layer.gain_offset = Take(name + ".gain", {channels});
  layer.shift_offset = Take(name + ".shift", {channels});
  EndLayer(name, channels);
  return layer;
}

BiasLayer ParameterBuilder::Bias(const std::string& name, std::int64_t features) {
  const BiasLayer layer{features, Take(name + ".bias", {features})};
  EndLayer(name, features);
  return layer;
}

BroadcastLayer ParameterBuilder::Broadcast(const std::string& name, std::vector<std::int64_t> shape) {
  BroadcastLayer layer{shape, size_, 0};
  layer.offset = Take(name + ".value", std::move(shape));
  layer.size = size_ - layer.offset;
  EndLayer(name, 1);
  return layer;
}

MaskedLinearLayer ParameterBuilder::MaskedLinear(const std::string& name, std::int64_t in, std::int64_t out,
                                                 const std::vector<bool>& mask, bool has_bias) {
  SYNOD_CHECK(static_cast<std::int64_t>(mask.size()) == in * out, "one mask value for each weight");
  std::vector<std::int64_t> positions;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask[i]) positions.push_back(static_cast<std::int64_t>(i));
  }
  SYNOD_CHECK(!positions.empty(), "a mask leaves something");
  MaskedLinearLayer layer{in, out, has_bias, nullptr, 0, 0};
  layer.values_offset = Take(name + ".values", {static_cast<std::int64_t>(positions.size())});
  layer.positions = std::make_shared<const std::vector<std::int64_t>>(std::move(positions));
  if (has_bias) layer.bias_offset = Take(name + ".bias", {out});
  EndLayer(name, out);
  return layer;
}

LuLinearLayer ParameterBuilder::LuLinear(const std::string& name, std::vector<std::int64_t> permutation) {
  const auto features = static_cast<std::int64_t>(permutation.size());
  std::vector<std::int64_t> sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  for (std::int64_t i = 0; i < features; ++i) {
    SYNOD_CHECK(sorted[static_cast<std::size_t>(i)] == i, "every coordinate once");
  }
  std::vector<bool> below;
  std::vector<bool> above;
  for (std::int64_t row = 0; row < features; ++row) {
    for (std::int64_t column = 0; column < features; ++column) {
      below.push_back(column < row);
      above.push_back(column > row);
    }
  }
  LuLinearLayer layer;
  layer.permutation = std::move(permutation);
  layer.lower = MaskedLinear(name + ".lower", features, features, below, /*has_bias=*/false);
  layer.upper = MaskedLinear(name + ".upper", features, features, above, /*has_bias=*/false);
  layer.diagonal = Broadcast(name + ".diagonal", {features});
  layer.bias = Bias(name, features);
  return layer;
}

WeightNormLayer ParameterBuilder::WeightNorm(const std::string& name, std::int64_t in, std::int64_t out) {
  WeightNormLayer layer{in, out, 0, 0, 0};
  layer.direction_offset = Take(name + ".direction", {out, in});
  layer.gain_offset = Take(name + ".gain", {out});
  layer.shift_offset = Take(name + ".shift", {out});
  EndLayer(name, out);
  return layer;
}

Conv2dLayer ParameterBuilder::Conv2d(const std::string& name, std::int64_t in, std::int64_t out,
                                     const ConvOptions& options) {
  Conv2dLayer layer{in, out, options.kernel, options.stride, options.padding, options.has_bias, 0, 0};
  layer.weight_offset = Take(name + ".weight", {out, in, options.kernel, options.kernel});
  if (options.has_bias) layer.bias_offset = Take(name + ".bias", {out});
  EndLayer(name, out);
  return layer;
}

AttentionLayer ParameterBuilder::Attention(const std::string& name, std::int64_t width, std::int64_t heads) {
  SYNOD_CHECK(heads >= 1 && width % heads == 0, "heads share the width equally");
  AttentionLayer layer{width, heads, {}, {}};
  layer.projection = Linear(name + ".projection", width, 3 * width);
  layer.output = Linear(name + ".output", width, width);
  return layer;
}

}  // namespace synod::engine
