// The public part of a trained table_diffusion generator as JSON, and the pieces that both ends derive from a run.
#pragma once

#include <vector>

#include "models/family.h"
#include "models/table_diffusion/options.h"
#include "models/tabular/public_grid.h"

namespace synod::table_diffusion {

// What a run's schema and options say about its network.
struct ModelParts {
  Options options;
  std::vector<tabular::PublicGrid> grids;
  ParameterLayout layout;
};

// Fails when the options are broken, or the plan is not one of this family on this schema: two entries, of the right
// kinds and dimensions.
Result<ModelParts> PartsOf(const FamilyRun& run);
Result<ParameterLayout> LayoutFor(const std::vector<tabular::PublicGrid>& grids, const Options& options);

// {"options", "histogram": [sigma, counts...], "offsets": [...]}: noisy counts and what follows from them.
Json ModelJson(const Options& options, const std::vector<float>& context, const std::vector<float>& offsets);

struct OpenedModel {
  Options options;
  std::vector<float> context;
  std::vector<float> offsets;
};
// Strict: sizes against the schema, every number finite.
Result<OpenedModel> OpenModelJson(const Json& json);

}  // namespace synod::table_diffusion
