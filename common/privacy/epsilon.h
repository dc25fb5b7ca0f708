// Epsilon of a composition of events: a certified upper bound, a certified lower bound on the accountant's worst case,
// and the RDP bound beside them. Pure functions; thread-safe.
#pragma once

#include <functional>

#include "common/core/result.h"
#include "common/privacy/mechanism.h"
#include "common/privacy/privacy_event.h"

namespace synod {

struct EpsilonBounds {
  double upper = 0.0;  // never below the truth: min of the PLD and RDP bounds
  double lower = 0.0;  // never above the truth of the worst-case pair
  double rdp = 0.0;    // the RDP bound alone
};

// `sites_per_subject` = m >= 1: a subject present at m sites, each sampling on its own (mixture of Gaussians).
// Fails on events out of range, delta outside (0, 1), or a composition beyond the accountant's memory bound.
Result<EpsilonBounds> ComputeEpsilon(const PrivacyEvents& events, double delta,
                                     Adjacency adjacency = Adjacency::kAddRemove, unsigned sites_per_subject = 1);

// The same for other mechanisms. Where one of them has no privacy loss distribution here, RDP alone proves `upper`, and
// `lower` is 0. Fails also on what has no proven account (CheckUses).
Result<EpsilonBounds> ComputeEpsilon(const MechanismUses& uses, double delta, Adjacency adjacency,
                                     unsigned sites_per_subject = 1);

// The smallest noise scale z for which events(z) meets the target: epsilon upper <= target_epsilon and within 0.1 % of
// it. `events` must be monotone: more z, less loss. Fails when no z in [kMinNoise, kMaxNoise] does.
inline constexpr double kMinNoiseMultiplier = 0.2;
inline constexpr double kMaxNoiseMultiplier = 1e6;
Result<double> CalibrateNoise(const std::function<PrivacyEvents(double z)>& events, double target_epsilon, double delta,
                              Adjacency adjacency = Adjacency::kAddRemove, unsigned sites_per_subject = 1);

// Gaussian differential privacy: the mu of q = 1 events, and the exact closed form (Balle and Wang 2018):
// delta(eps) = Phi(mu/2 - eps/mu) - e^eps Phi(-mu/2 - eps/mu).
double GaussianDelta(double mu, double epsilon);
double GaussianEpsilon(double mu, double delta);
// The largest mu whose Gaussian mechanism meets (epsilon, delta).
double GaussianMu(double epsilon, double delta);

}  // namespace synod
