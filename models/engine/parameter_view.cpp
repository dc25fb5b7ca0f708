#include "models/engine/parameter_view.h"

#include <utility>

namespace synod::engine {

std::int64_t ParameterBuilder::Take(const std::string& name, std::vector<std::int64_t> shape) {
  const std::int64_t offset = size_;
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  parts_.push_back({name, offset, std::move(shape)});
  size_ += count;
  return offset;
}

LinearLayer ParameterBuilder::Linear(const std::string& name, std::int64_t in, std::int64_t out, bool has_bias) {
  LinearLayer layer{in, out, has_bias, 0, 0};
  layer.weight_offset = Take(name + ".weight", {out, in});
  if (has_bias) layer.bias_offset = Take(name + ".bias", {out});
  return layer;
}

OneHotLinearLayer ParameterBuilder::OneHotLinear(const std::string& name, std::int64_t codes, std::int64_t out,
                                                 bool has_bias) {
  OneHotLinearLayer layer{codes, out, has_bias, 0, 0};
  layer.table_offset = Take(name + ".table", {codes, out});
  if (has_bias) layer.bias_offset = Take(name + ".bias", {out});
  return layer;
}

NormLayer ParameterBuilder::Norm(const std::string& name, std::int64_t features) {
  NormLayer layer{features, 0, 0};
  layer.gain_offset = Take(name + ".gain", {features});
  layer.shift_offset = Take(name + ".shift", {features});
  return layer;
}

}  // namespace synod::engine
