// Renyi differential privacy of compositions of the Poisson-subsampled Gaussian mechanism (Mironov, Talwar and Zhang
// 2019) and of the mechanisms of mechanism.h, at every real order above 1, and its conversion to epsilon (Balle et al.
// 2020, theorem 21; Canonne, Kamath and Steinke 2020, proposition 12). Pure functions; thread-safe.
#pragma once

#include "common/core/result.h"
#include "common/privacy/dominating_pair.h"
#include "common/privacy/mechanism.h"
#include "common/privacy/privacy_event.h"

namespace synod {

// RDP of one use at `order` > 1: the larger one of both directions of the pair. An upper bound that exceeds the value
// by about 1e-9 of it: the divergence E_Q[(P/Q)^order - 1 - order (P/Q - 1)] has a positive, analytic integrand, on
// which the trapezoidal rule converges exponentially; nothing cancels, also for tiny sampling rates and orders near 1.
double StepRdp(const DominatingPair& pair, double order);

// RDP of a composition at one order (the reading of a life-time filter); infinity where a mechanism has no bound at
// that order. Fails on events out of range, or what has no account (CheckUses).
Result<double> RdpAtOrder(const PrivacyEvents& events, double order, Adjacency adjacency = Adjacency::kAddRemove,
                          unsigned sites_per_subject = 1);
Result<double> RdpAtOrder(const MechanismUses& uses, double order, Adjacency adjacency, unsigned sites_per_subject = 1);

// The epsilon that RDP `rdp` at `order` proves at `delta`; at least 0.
double EpsilonFromRdp(double rdp, double order, double delta);

struct RdpBound {
  double epsilon = 0.0;
  double order = 0.0;  // the one that gives epsilon; 0 when there was nothing to account
};

// The smallest epsilon over orders from 1.005 to 16384; infinite where the stated deltas of the uses leave none. Fails
// on events out of range or delta outside (0, 1).
Result<RdpBound> RdpEpsilon(const PrivacyEvents& events, double delta, Adjacency adjacency = Adjacency::kAddRemove,
                            unsigned sites_per_subject = 1);
Result<RdpBound> RdpEpsilon(const MechanismUses& uses, double delta, Adjacency adjacency,
                            unsigned sites_per_subject = 1);

}  // namespace synod
