// Site side of wgan: histogram sums, and the clipped sums of the critic's gradient over the drawn units. LibTorch lives
// in the .cpp file; this header does not show it.
#pragma once

#include <memory>

#include "common/crypto/secret_random.h"
#include "models/family.h"
#include "models/gradient_family/compute_options.h"

namespace synod::wgan {

// Fails when the run is not one of this family on this schema. Nothing is drawn for a unit: the critic's gradient
// follows from its rows alone, and `random` is not used beyond what the base draws.
Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units,
                                                       SecretRandom random,
                                                       const gradient_family::ComputeOptions& options = {});

}  // namespace synod::wgan
