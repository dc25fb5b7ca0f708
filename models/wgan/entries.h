// The plan of a wgan run: the entries of its base. The gradients are the critic's; what is published is the generator.
#pragma once

#include "models/family.h"
#include "models/gradient_family/entries.h"
#include "models/wgan/options.h"

namespace synod::wgan {

// The loss of a unit as it is reported: kLossShift - D(x), clamped to [0, 2 kLossShift]. The shift has no gradient.
inline constexpr double kLossShift = 4.0;

// Entries, canonical options and parameter layout for a run on this schema. No data, no LibTorch.
Result<FamilyPlan> PlanRun(const RunSpecification& run, const Schema& schema);

}  // namespace synod::wgan
