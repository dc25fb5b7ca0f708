#include "models/engine/clip_plan.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/core/check.h"
#include "models/engine/block_bound.h"

namespace synod::engine {
namespace {

bool IsPositive(double value) {
  return value > 0.0 && std::isfinite(value);
}

// C_k = clip * share / |shares|, rounded down by more than the roundings of this line and of the sum of squares.
std::vector<double> Bounds(double clip, std::span<const double> shares) {
  double squares = 0.0;
  for (const double share : shares) squares += share * share;
  const double slack = 1.0 - (static_cast<double>(shares.size()) + 8.0) * 0x1p-52;
  std::vector<double> bounds;
  for (const double share : shares) bounds.push_back(clip * (share / std::sqrt(squares)) * slack);
  return bounds;
}

}  // namespace

ClipPlan::ClipPlan(double clip, std::vector<ClipGroup> groups)
    : clip_(clip), threshold_(clip), magnitude_ratio_(kMaxMagnitudeRatio), groups_(std::move(groups)) {
  SYNOD_CHECK(IsPositive(clip), "a clipping norm is positive");
  double squares = 0.0;
  for (const ClipGroup& group : groups_) {
    for (const double bound : group.bounds) squares += bound * bound;
  }
  SYNOD_CHECK(squares <= clip * clip, "the parts of a clip exceed it");
}

ClipPlan ClipPlan::Flat(double clip) {
  return {clip, {}};
}

Result<ClipPlan> ClipPlan::Automatic(double clip, double gamma) {
  if (!IsPositive(clip)) return BadInput("the clipping norm must be a positive number");
  if (!IsPositive(gamma)) return BadInput("the offset of automatic clipping must be a positive number");
  ClipPlan plan = Flat(clip);
  plan.gamma_ = gamma;
  return plan;
}

Result<ClipPlan> ClipPlan::PerLayer(std::span<const ParameterRange> layers, double clip,
                                    std::span<const double> shares) {
  if (!IsPositive(clip)) return BadInput("the clipping norm must be a positive number");
  if (layers.empty()) return BadInput("a network without layers cannot be clipped layer by layer");
  if (!shares.empty() && shares.size() != layers.size()) return BadInput("clipping needs one share for each layer");
  double total = 0.0;
  for (const double share : shares) {
    if (!(share >= 0.0) || !(share <= 1e6)) return BadInput("a share of the clip must be a number from 0 to a million");
    total += share;
  }
  if (!shares.empty() && !(total > 1e-6)) return BadInput("the shares of the clip are all zero");
  const std::vector<double> equal(layers.size(), 1.0);
  const std::vector<double> bounds = Bounds(clip, shares.empty() ? std::span<const double>(equal) : shares);
  std::vector<ClipGroup> groups;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    groups.push_back({layers[i].offset, layers[i].size, {bounds[i]}});
  }
  return ClipPlan(clip, std::move(groups));
}

Result<ClipPlan> ClipPlan::PerNeuron(std::span<const ParameterRange> layers, double clip,
                                     std::span<const std::uint8_t> kept) {
  if (!IsPositive(clip)) return BadInput("the clipping norm must be a positive number");
  if (layers.empty()) return BadInput("a network without layers cannot be clipped neuron by neuron");
  std::size_t neurons = 0;
  for (const ParameterRange& layer : layers) neurons += static_cast<std::size_t>(layer.neurons);
  if (!kept.empty() && kept.size() != neurons) return BadInput("a mask of neurons needs one value for each");
  std::vector<double> shares(neurons, 1.0);
  for (std::size_t i = 0; i < kept.size(); ++i) shares[i] = kept[i] != 0 ? 1.0 : 0.0;
  if (std::all_of(shares.begin(), shares.end(), [](double share) { return share == 0.0; })) {
    return BadInput("a mask of neurons keeps none of them");
  }
  const std::vector<double> bounds = Bounds(clip, shares);
  std::vector<ClipGroup> groups;
  auto next = bounds.begin();
  for (const ParameterRange& layer : layers) {
    groups.push_back({layer.offset, layer.size, {next, next + layer.neurons}});
    next += layer.neurons;
  }
  ClipPlan plan(clip, std::move(groups));
  plan.by_neuron_ = true;
  return plan;
}

Result<ClipPlan> ClipPlan::WithThreshold(double threshold) const {
  if (!IsPositive(threshold)) return BadInput("the clipping threshold must be a positive number");
  if (gamma_ > 0.0) return BadInput("automatic clipping has no threshold");
  ClipPlan plan = *this;
  plan.threshold_ = threshold;
  return plan;
}

std::size_t ClipPlan::GroupOf(std::int64_t offset, std::int64_t size) const {
  if (groups_.empty()) return 0;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const std::int64_t end = groups_[i].offset + groups_[i].size;
    if (offset >= groups_[i].offset && offset + size <= end) return i;
  }
  SYNOD_CHECK(false, "parameters outside the groups of the clip, or in two of them");
  return 0;
}

}  // namespace synod::engine
