// Privacy curves by direct numerical integration, sharing no code with the accountants.
#pragma once

#include "common/privacy/privacy_event.h"

namespace synod::testing {

// delta(epsilon) of one use for a subject at `sites` sites; `remove` is the direction, else ADD. Any real epsilon.
double BruteForceDelta(const PrivacyEvent& event, double epsilon, bool remove, unsigned sites = 1);

// The same of one use of `first` followed by one use of `second`.
double BruteForceDeltaOfTwo(const PrivacyEvent& first, const PrivacyEvent& second, double epsilon, bool remove);

// delta of one use under replace-one.
double BruteForceReplaceDelta(const PrivacyEvent& event, double epsilon);

}  // namespace synod::testing
