// Where to compute a composition: the tilt and the part of the loss lattice that decides epsilon at a given delta, from
// Chernoff bounds on the moment generating functions of the losses.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/privacy/pld_cells.h"

namespace synod {

struct CountedPmf {
  LossPmf pmf;
  std::uint64_t count = 1;
};

struct LossWindow {
  double theta = 0.0;               // tilt, above 0
  std::vector<double> log_moments;  // log of sum of mass e^(theta loss), one for each distribution
  double log_scale = 0.0;           // the same for the whole sum
  double low = 0.0;                 // of the sum
  double high = 0.0;
  double tail = 0.0;     // untilted mass above `high` is at most this
  double outside = 0.0;  // tilted mass outside [low, high] is at most this
};

LossWindow ChooseWindow(std::span<const CountedPmf> losses, double width, double delta);

}  // namespace synod
