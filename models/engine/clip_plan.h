// How a unit's gradient is brought to an L2 norm of at most C: whole, layer by layer, or neuron by neuron.
//
// Parts with bounds C_k add up to sum of C_k^2 <= C^2, so that the whole vector keeps C in every mode: noise, grid and
// accounting never depend on the mode. A plan is public and made from the network's layers alone.
//
//   flat        w = C min(1 / T, 1 / n)      n the norm, T the threshold (C unless it adapts)
//   per layer   the same for each layer with its C_k and T_k = C_k T / C  (He et al. 2022)
//   per neuron  the same for each output neuron of each layer: its weight row and its bias  (Lee et al. 2022)
//   automatic   w = C / (n + gamma)          (Bu et al. 2022)
//
// With T below C a short gradient is stretched, with T above it shrunk: n is divided by T and clipped to 1, then
// multiplied by C. T may change from step to step (AdaptiveClip) and nothing else does.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/core/result.h"
#include "models/engine/parameter_view.h"

namespace synod::engine {

// A part of the flat vector that is clipped by itself, or, with several bounds, one part for each neuron of a layer.
struct ClipGroup {
  std::int64_t offset = 0;
  std::int64_t size = 0;
  std::vector<double> bounds;  // one C_k, or one for each neuron
};

class ClipPlan {
 public:
  // C of the whole vector: positive and finite (our own duty here, an error below).
  static ClipPlan Flat(double clip);
  // `gamma` above 0.
  static Result<ClipPlan> Automatic(double clip, double gamma);
  // `shares`: the sizes of C_k relative to each other, one a layer; all equal when empty. BadInput unless they are
  // finite, not negative and not all zero.
  static Result<ClipPlan> PerLayer(std::span<const ParameterRange> layers, double clip,
                                   std::span<const double> shares = {});
  // C / sqrt(neurons of the network) for each; with `kept`, one value for each neuron in the layers' order, C /
  // sqrt(kept neurons) for those where it is not 0, and for the others a bound of 0: their sums are exactly zero.
  // BadInput where it has another length or keeps nothing.
  static Result<ClipPlan> PerNeuron(std::span<const ParameterRange> layers, double clip,
                                    std::span<const std::uint8_t> kept = {});

  // The same with the public threshold T, positive and finite; not for automatic clipping.
  Result<ClipPlan> WithThreshold(double threshold) const;

  double clip() const { return clip_; }
  double threshold() const { return threshold_; }
  double gamma() const { return gamma_; }  // 0 unless automatic
  bool by_neuron() const { return by_neuron_; }
  // Empty: one group, the whole vector. Otherwise in order, without gaps.
  const std::vector<ClipGroup>& groups() const { return groups_; }
  // The group that holds [offset, offset + size); a range in none or in two is our own bug.
  std::size_t GroupOf(std::int64_t offset, std::int64_t size) const;

  // Bound on the sum over uses of w |g||a| relative to C: keeps the proven rounding error of a block sum small when
  // the gradients of a unit's uses nearly cancel (block_bound.h).
  double magnitude_ratio() const { return magnitude_ratio_; }

 private:
  friend struct ClipPlanForTestsOnly;  // defined in tests alone
  ClipPlan(double clip, std::vector<ClipGroup> groups);

  double clip_;
  double threshold_;
  double gamma_ = 0.0;
  double magnitude_ratio_;
  bool by_neuron_ = false;
  std::vector<ClipGroup> groups_;
};

}  // namespace synod::engine
