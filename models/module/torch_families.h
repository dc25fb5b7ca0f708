// The halves of the families that compute with LibTorch: one explicit table. A new family is one line here. LibTorch
// itself does not show.
#pragma once

#include <memory>

#include "common/crypto/secret_random.h"
#include "models/family.h"
#include "models/gradient_family/compute_options.h"

namespace synod {

// A site's half; BadInput for a family that has none here, and for a run that is not one of its family.
Result<std::unique_ptr<Contribution>> MakeTorchContribution(const FamilyRun& run,
                                                            std::shared_ptr<const UnitTable> units, SecretRandom random,
                                                            const gradient_family::ComputeOptions& options = {});

// A generator that samples through LibTorch.
Result<std::unique_ptr<Generator>> OpenTorchGenerator(std::shared_ptr<const Schema> schema,
                                                      const GeneratorModel& model);

}  // namespace synod
