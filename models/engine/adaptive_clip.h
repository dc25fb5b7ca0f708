// The clipping threshold that follows a quantile of the units' gradient norms (Andrew et al. 2021), from the noisy
// number of clipped units that rides in every answer (SideCoordinates). Post-processing at the coordinator: it sees
// noisy sums alone.
//
// T <- clamp(T exp(rate (f - target)), lo, hi), where f is the noisy share of units that were clipped, brought to
// [0, 1] first so that noise moves T by at most a factor exp(rate) a step. The plan fixes lo and hi; sites refuse any
// other T (Allows). Clip, grid, noise and accounting stay what they are (ClipPlan).
#pragma once

#include "common/core/result.h"

namespace synod::engine {

struct AdaptiveClipOptions {
  double lowest = 0.01;    // lo
  double highest = 100.0;  // hi
  double start = 1.0;
  double clipped_share = 0.5;  // target: 0.5 follows the median norm
  double rate = 0.2;
};

class AdaptiveClip {
 public:
  // BadInput unless 0 < lo <= start <= hi < infinity, the target is inside (0, 1) and the rate in [0, 10].
  static Result<AdaptiveClip> Make(const AdaptiveClipOptions& options);

  // Whether a site may use `threshold` under a plan with these bounds.
  static bool Allows(const AdaptiveClipOptions& options, double threshold) {
    return threshold >= options.lowest && threshold <= options.highest;
  }

  double threshold() const { return threshold_; }

  // `clipped`: the noisy number of clipped units; `expected_units`: the public size of a batch (never the noisy or the
  // true one). Anything that is no number leaves the threshold as it was.
  void Update(double clipped, double expected_units);

  // Takes up where a checkpoint was; BadInput outside the bounds.
  Status Restore(double threshold);

 private:
  explicit AdaptiveClip(const AdaptiveClipOptions& options) : options_(options), threshold_(options.start) {}

  AdaptiveClipOptions options_;
  double threshold_;
};

}  // namespace synod::engine
