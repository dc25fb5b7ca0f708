// Site side of table_diffusion: histogram sums and clipped gradient sums over the drawn units. LibTorch lives in the
// .cpp files; this header does not show it.
#pragma once

#include <memory>

#include "common/crypto/secret_random.h"
#include "models/family.h"
#include "models/gradient_family/compute_options.h"

namespace synod::table_diffusion {

using gradient_family::ComputeOptions;

// Fails when the run is not one of this family on this schema. `random` gives every unit a secret word of its own, from
// which its augmentation (hidden columns, levels, noise) follows: independent of the rows and of where they stand, so
// that a unit that comes or goes leaves the distribution of every other unit's vector as it was.
Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units,
                                                       SecretRandom random, const ComputeOptions& options = {});

// Opens a variant with Gaussian noise (which samples through its network); the masked one needs no LibTorch.
Result<std::unique_ptr<Generator>> OpenPublishedGenerator(std::shared_ptr<const Schema> schema,
                                                          const GeneratorModel& model);

}  // namespace synod::table_diffusion
