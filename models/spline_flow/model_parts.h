// What a run's schema and options say about its network, and the public part of a trained generator as JSON.
#pragma once

#include <vector>

#include "models/family.h"
#include "models/gradient_family/entries.h"
#include "models/spline_flow/options.h"
#include "models/tabular/public_grid.h"

namespace synod::spline_flow {

struct ModelParts {
  Options options;
  std::vector<tabular::PublicGrid> grids;
  int label = -1;  // among the modelled columns
  engine::ParameterBuilder builder;
  ParameterLayout layout;
};

// BadInput where the schema is not one that the variant can model.
Result<ModelParts> PartsFor(const Schema& schema, const Options& options);
// The same of a run; fails also where its options are broken or its plan is not one of this family on this schema.
Result<ModelParts> PartsOf(const FamilyRun& run);

// What the loss of one unit is clamped to where it is reported: its value if every column were drawn evenly over its
// cells.
double LossBound(const std::vector<tabular::PublicGrid>& grids);

// Entries, canonical options and layout for a run on this schema. No data, no LibTorch.
Result<FamilyPlan> PlanRun(const RunSpecification& run, const Schema& schema);

// {"histogram": [sigma, threshold, counts...], "offsets": [...]}: noisy counts and what follows from them. Offsets are
// empty for the coupling variant.
Json StateJson(const std::vector<float>& context, const std::vector<float>& offsets);

struct OpenedModel {
  Options options;
  std::vector<float> context;
  std::vector<float> offsets;
};
// Strict; every number is finite.
Result<OpenedModel> OpenModel(const GeneratorModel& model);

}  // namespace synod::spline_flow
