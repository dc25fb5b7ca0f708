// Site side of independent_columns: the histogram of every column over the site's units.
#pragma once

#include <memory>

#include "models/family.h"

namespace synod::independent_columns {

// Fails when the run is not one of this family on this schema.
Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units);

}  // namespace synod::independent_columns
