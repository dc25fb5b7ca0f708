// Clipping without the bound on summed magnitudes, so that tests see the norms alone.
#pragma once

#include "models/engine/clip_plan.h"

namespace synod::engine {

struct ClipPlanForTestsOnly {
  static ClipPlan WithoutMagnitudeBound(ClipPlan plan) {
    plan.magnitude_ratio_ = 1e9;
    return plan;
  }
};

}  // namespace synod::engine
