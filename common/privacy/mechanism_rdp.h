// Renyi DP of one use of a mechanism. Pure functions; thread-safe.
#pragma once

#include <functional>

#include "common/core/result.h"
#include "common/privacy/mechanism.h"

namespace synod {

// The RDP at an order above 1, from above; infinity at orders where no bound is known.
using RdpCurve = std::function<double(double order)>;

// Needs a mechanism that CheckUses accepts and MergeUses has simplified. The additive delta of a StatedGuarantee is not
// in the curve: see AdditiveDelta.
Result<RdpCurve> RdpCurveOf(const Mechanism& mechanism, Adjacency adjacency, unsigned sites_per_subject);

// The delta that RDP has to leave to the stated deltas of the uses: 1 - delta = (1 - rest) times the product of
// 1 - stated; at most 0 where nothing is left.
double DeltaLeft(const MechanismUses& uses, double delta);

// RDP of the Gaussian mechanism on a batch without replacement under replace-one, from RDP `full` and the moments of
// the whole-data mechanism (Wang, Balle and Kasiviswanathan 2019, theorem 27), at whole orders 2 to 256, and between
// them by convexity. `rate`: batch / units; `noise`: deviation / how far one replacement moves the sum.
RdpCurve FixedBatchRdp(double rate, double noise);

}  // namespace synod
