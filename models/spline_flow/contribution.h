// Site side of spline_flow: histogram sums and clipped gradient sums over the drawn units. LibTorch lives in the .cpp
// files; this header does not show it.
#pragma once

#include <memory>

#include "common/crypto/secret_random.h"
#include "models/family.h"
#include "models/gradient_family/compute_options.h"

namespace synod::spline_flow {

using gradient_family::ComputeOptions;

// Fails when the run is not one of this family on this schema. `random`: a secret word for each unit, from which its
// dequantisation follows (coupling); the autoregressive variant draws nothing.
Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units,
                                                       SecretRandom random, const ComputeOptions& options = {});

// Opens the coupling variant (which samples through its network); the autoregressive one needs no LibTorch.
Result<std::unique_ptr<Generator>> OpenCouplingGenerator(std::shared_ptr<const Schema> schema,
                                                         const GeneratorModel& model);

}  // namespace synod::spline_flow
