// Privacy curves by direct numerical integration, sharing no code with the accountants.
#pragma once

#include <vector>

#include "common/privacy/privacy_event.h"

namespace synod::testing {

// delta(epsilon) of one use for a subject at `sites` sites; `remove` is the direction, else ADD. Any real epsilon.
double BruteForceDelta(const PrivacyEvent& event, double epsilon, bool remove, unsigned sites = 1);

// The same of one use of `first` followed by one use of `second`.
double BruteForceDeltaOfTwo(const PrivacyEvent& first, const PrivacyEvent& second, double epsilon, bool remove);

// delta of one use under replace-one.
double BruteForceReplaceDelta(const PrivacyEvent& event, double epsilon);

// An outcome of a discrete mechanism, with its mass for both neighbours.
struct Outcome {
  double with = 0.0;
  double without = 0.0;
};
using Outcomes = std::vector<Outcome>;

// delta(epsilon) of `steps` independent uses, as the sum over all sequences of outcomes.
double EnumeratedDelta(const Outcomes& outcomes, int steps, double epsilon);

}  // namespace synod::testing
