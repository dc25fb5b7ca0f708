#include "models/spline_flow/neuron_mask.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"
#include "common/query/public_random.h"

namespace synod::spline_flow {
namespace {

// Layers are added in the order in which the builder made them.
class NeuronMap {
 public:
  void Add(const engine::LinearLayer& layer) {
    for (std::int64_t i = 0; i < layer.in * layer.out; ++i) Put(i / layer.in);
    for (std::int64_t i = 0; layer.has_bias && i < layer.out; ++i) Put(i);
    next_ += layer.out;
  }
  void Add(const engine::BiasLayer& layer) {
    for (std::int64_t i = 0; i < layer.features; ++i) Put(i);
    next_ += layer.features;
  }
  void Add(const engine::MaskedLinearLayer& layer) {
    for (const std::int64_t position : *layer.positions) Put(position / layer.in);
    next_ += layer.out;
  }
  void Add(const engine::LuLinearLayer& layer) {
    Add(layer.lower);
    Add(layer.upper);
    for (std::int64_t i = 0; i < layer.diagonal.size; ++i) Put(0);
    next_ += 1;
    Add(layer.bias);
  }
  std::vector<std::uint32_t> Finish(const engine::ParameterBuilder& builder) && {
    SYNOD_CHECK(static_cast<std::int64_t>(neurons_.size()) == builder.size(), "every parameter has a neuron");
    SYNOD_CHECK(static_cast<std::size_t>(next_) == NeuronCount(builder), "neurons are counted as the builder does");
    return std::move(neurons_);
  }

 private:
  void Put(std::int64_t neuron_of_layer) { neurons_.push_back(static_cast<std::uint32_t>(next_ + neuron_of_layer)); }

  std::vector<std::uint32_t> neurons_;
  std::int64_t next_ = 0;
};

}  // namespace

std::vector<std::uint32_t> NeuronsOf(const StageShape& shape) {
  NeuronMap map;
  for (const Stage& stage : shape.stages) {
    if (stage.input.in > 0) map.Add(stage.input);
  }
  map.Add(shape.stage);
  for (const Stage& stage : shape.stages) map.Add(stage.output);
  return std::move(map).Finish(shape.builder);
}

std::vector<std::uint32_t> NeuronsOf(const CouplingShape& shape) {
  NeuronMap map;
  for (const engine::LuLinearLayer& layer : shape.linear) map.Add(layer);
  for (const Conditioner& conditioner : shape.conditioners) {
    map.Add(conditioner.first);
    map.Add(conditioner.second);
    map.Add(conditioner.last);
  }
  return std::move(map).Finish(shape.builder);
}

std::vector<std::uint8_t> KeptNeurons(std::uint64_t seed, std::uint32_t query, std::size_t neurons, double keep_rate) {
  const auto count =
      std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(keep_rate * static_cast<double>(neurons))));
  std::vector<std::uint8_t> kept(neurons, 0);
  const std::vector<std::uint32_t> order =
      PublicRandom(seed, "spline_flow.kept", query).Permutation(static_cast<std::uint32_t>(neurons));
  for (std::size_t i = 0; i < std::min(count, neurons); ++i) kept[order[i]] = 1;
  return kept;
}

std::size_t NeuronCount(const engine::ParameterBuilder& builder) {
  std::size_t count = 0;
  for (const engine::ParameterRange& layer : builder.layers()) count += static_cast<std::size_t>(layer.neurons);
  return count;
}

}  // namespace synod::spline_flow
