// The plan of a table_diffusion run: the entries of its base, and what its loss is bounded by. Same at both ends.
#pragma once

#include "models/family.h"
#include "models/gradient_family/entries.h"
#include "models/table_diffusion/options.h"
#include "models/tabular/public_grid.h"

namespace synod::table_diffusion {

using gradient_family::DecodeContext;
using gradient_family::EncodeContext;
using gradient_family::kHistogramEntry;
using gradient_family::kTrainingEntry;
using gradient_family::TrainingContext;

// What the training loss of one row is clamped to: its value if every hidden column were drawn evenly.
double LossBound(const std::vector<tabular::PublicGrid>& grids, const Options& options);

// Entries, canonical options and parameter layout for a run on this schema. No data, no LibTorch.
Result<FamilyPlan> PlanRun(const RunSpecification& run, const Schema& schema);

}  // namespace synod::table_diffusion
