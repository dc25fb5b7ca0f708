// Epsilon by privacy loss distributions: a certified interval for compositions of the Poisson-subsampled Gaussian
// mechanism and of those of mechanism.h that have one. Pure functions; thread-safe.
#pragma once

#include <cstdint>

#include "common/core/result.h"
#include "common/privacy/mechanism.h"
#include "common/privacy/pld_composition.h"
#include "common/privacy/privacy_event.h"

namespace synod {

struct PldOptions {
  bool with_lower = true;
  double first_width = 0.1;         // cell width over the root mean square deviation of one loss
  double relative_accuracy = 5e-4;  // widths are halved until the upper bound moves by less than this
};

struct PldBounds {
  double upper = 0.0;
  double lower = 0.0;
  bool exact = false;        // the closed form of the Gaussian mechanism; the fields below are 0 then
  bool remove_worst = true;  // REMOVE is the worse direction, else ADD
  double width = 0.0;
  std::int64_t size = 0;
  double theta = 0.0;
  CompositionErrors errors;
};

// Fails on events out of range, delta outside (0, 1), an unsupported adjacency, or a composition beyond the memory
// bound; `upper` may be infinite when delta is too small for the precision.
Result<PldBounds> PldEpsilon(const PrivacyEvents& events, double delta, Adjacency adjacency, unsigned sites_per_subject,
                             const PldOptions& options = {});

// Whether all the uses have privacy loss distributions; the others are accounted by RDP alone.
bool HasLossDistributions(const MechanismUses& uses);

// The same for other mechanisms; also fails where HasLossDistributions does not hold.
Result<PldBounds> PldEpsilon(const MechanismUses& uses, double delta, Adjacency adjacency, unsigned sites_per_subject,
                             const PldOptions& options = {});

}  // namespace synod
