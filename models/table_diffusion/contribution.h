// Site side of table_diffusion: histogram sums and clipped gradient sums over the drawn units. LibTorch lives in the
// .cpp files; this header does not show it.
#pragma once

#include <memory>

#include "models/family.h"

namespace synod::table_diffusion {

struct ComputeOptions {
  std::size_t max_rows_per_micro_batch = 16384;  // rows x levels in memory at once; a unit is never split
};

// Fails when the run is not one of this family on this schema.
Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units,
                                                       const ComputeOptions& options = {});

// Opens the published variant (which samples through its network); the masked one needs no LibTorch.
Result<std::unique_ptr<Generator>> OpenPublishedGenerator(std::shared_ptr<const Schema> schema,
                                                          const GeneratorModel& model);

}  // namespace synod::table_diffusion
