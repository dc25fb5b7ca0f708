// Site side of attention: clipped gradient sums over the drawn units. Needs LibTorch.
#pragma once

#include <memory>

#include "common/crypto/secret_random.h"
#include "models/family.h"
#include "models/gradient_family/compute_options.h"

namespace synod::attention {

using gradient_family::ComputeOptions;

// Fails when the run's options or plan are not those of this family.
Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units,
                                                       SecretRandom random, const ComputeOptions& options = {});

}  // namespace synod::attention
