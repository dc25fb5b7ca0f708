// Answers leave at the end of a public time slot, so that how long computing took is hidden within it.
#pragma once

#include <cmath>

namespace synod {

// The end of the slot that `now` is in: the next multiple of `slot_seconds`. `now` itself where slots are off.
inline double EndOfSlot(double now, double slot_seconds) {
  if (!(slot_seconds > 0.0)) return now;
  return (std::floor(now / slot_seconds) + 1.0) * slot_seconds;
}

}  // namespace synod
