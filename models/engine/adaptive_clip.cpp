#include "models/engine/adaptive_clip.h"

#include <algorithm>
#include <cmath>

namespace synod::engine {

Result<AdaptiveClip> AdaptiveClip::Make(const AdaptiveClipOptions& options) {
  const bool ordered = options.lowest > 0.0 && options.lowest <= options.start && options.start <= options.highest &&
                       std::isfinite(options.highest);
  if (!ordered) return BadInput("adaptive clipping needs 0 < lowest <= start <= highest");
  if (!(options.clipped_share > 0.0 && options.clipped_share < 1.0)) {
    return BadInput("the share of clipped units must lie between 0 and 1");
  }
  if (!(options.rate >= 0.0 && options.rate <= 10.0)) return BadInput("the rate of adaptive clipping is 0 to 10");
  return AdaptiveClip(options);
}

void AdaptiveClip::Update(double clipped, double expected_units) {
  const double share = clipped / expected_units;
  if (!(expected_units > 0.0) || std::isnan(share)) return;
  const double factor = std::exp(options_.rate * (std::clamp(share, 0.0, 1.0) - options_.clipped_share));
  threshold_ = std::clamp(threshold_ * factor, options_.lowest, options_.highest);
}

Status AdaptiveClip::Restore(double threshold) {
  if (!Allows(options_, threshold)) return BadInput("a clipping threshold outside its bounds");
  threshold_ = threshold;
  return {};
}

}  // namespace synod::engine
