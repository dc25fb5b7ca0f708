// Three coordinates beside a unit's gradient that tell the training loss, the clipped fraction and the count almost for
// free: the gradient is clipped to C_g a little below C, and (loss, clipped, count) are appended with fixed weights, so
// that the whole vector keeps the norm bound C:  C_g^2 + s_l^2 + s_b^2 + s_c^2 <= C^2.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "common/core/result.h"

namespace synod {

class SideCoordinates {
 public:
  static constexpr std::size_t kCount = 3;

  struct Weights {
    float loss = 0.0F;        // s_l
    float clipped = 0.0F;     // s_b
    float count = 0.0F;       // s_c
    float loss_bound = 1.0F;  // L: losses are clamped to [0, L]
  };

  // `clip` is C of the whole vector. BadInput unless all numbers are finite, weights are not negative, L > 0, and
  // something is left for the gradient.
  static Result<SideCoordinates> Make(double clip, const Weights& weights);

  // C_g, to which the engine clips the gradient.
  double gradient_clip() const { return gradient_clip_; }
  double clip() const { return clip_; }

  // One unit's coordinates: clamp(loss, 0, L) / L s_l (a loss that is not a number counts as 0), +-s_b, s_c.
  std::array<float, kCount> Encode(float loss, bool clipped) const;

  // What sums of these coordinates say. `count` may be far from the truth under noise, and so may be the others.
  struct Totals {
    double loss = 0.0;     // sum of the clamped losses
    double clipped = 0.0;  // number of clipped units
    double count = 0.0;    // number of units
  };
  // `sums` as in NoisySum. A weight of 0 gives 0. The clipped number is derived from both sums: (sum_b / s_b + count) /
  // 2, with `expected_count`, the public size, where there is no count.
  Totals Decode(std::span<const double, kCount> sums, double expected_count) const;

 private:
  SideCoordinates(double clip, double gradient_clip, const Weights& weights)
      : clip_(clip), gradient_clip_(gradient_clip), weights_(weights) {}

  double clip_;
  double gradient_clip_;
  Weights weights_;
};

}  // namespace synod
