#include "models/table_diffusion/entries.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/config/run_specification.h"
#include "models/table_diffusion/model_json.h"
#include "models/tabular/histogram_sum.h"
#include "models/tabular/token_transform.h"

namespace synod::table_diffusion {
double LossBound(const std::vector<tabular::PublicGrid>& grids, const Options& options) {
  // The published variant predicts noise of variance at most about one a coordinate, averaged over coordinates.
  if (options.variant == Variant::kPublished) return 2.0;
  double bound = 0.0;
  for (const tabular::PublicGrid& grid : grids) {
    bound += std::log(static_cast<double>(std::max<std::size_t>(2, tabular::TokenCapacity(grid, {options.tokens}))));
  }
  return bound;
}

Result<SideCoordinates> SideOf(const std::vector<tabular::PublicGrid>& grids, const Options& options) {
  const auto weight = static_cast<float>(kSideShare * options.clip);
  return SideCoordinates::Make(options.clip, {weight, weight, weight, static_cast<float>(LossBound(grids, options))});
}

Result<FamilyPlan> PlanRun(const RunSpecification& run, const Schema& schema) {
  SYNOD_ASSIGN_OR_RETURN(Options options, Options::FromToml(run.model, {run.privacy.units, run.privacy.epsilon}));
  options.clip = run.privacy.clip;
  if (options.batch > run.privacy.units) {
    return BadInput(
        fmt::format("model.batch = {} is more than the {} units of the run", options.batch, run.privacy.units),
        "ask for a smaller batch");
  }
  const std::vector<tabular::PublicGrid> grids = tabular::GridsOf(schema);
  FamilyPlan plan;
  plan.options = options.ToJson();
  SYNOD_ASSIGN_OR_RETURN(plan.layout, LayoutFor(grids, options));

  EntryRequest histogram;
  histogram.name = "column_histograms";
  histogram.kind = QueryKind::kHistogram;
  histogram.dimension = tabular::HistogramSize(grids);
  for (const std::size_t column : tabular::ModelledColumns(schema)) {
    histogram.parts.push_back({schema.columns()[column].name, 1.0});
  }
  histogram.budget_share = run.budget.transforms;
  plan.entries.push_back(std::move(histogram));

  SYNOD_ASSIGN_OR_RETURN(const SideCoordinates side, SideOf(grids, options));
  const double weight = static_cast<float>(kSideShare * options.clip);
  EntryRequest training;
  training.name = "training";
  training.kind = QueryKind::kGradient;
  training.count = options.steps;
  training.dimension = plan.layout.size() + SideCoordinates::kCount;
  training.sampling_rate = static_cast<double>(options.batch) / static_cast<double>(run.privacy.units);
  training.parts = {{"gradient", side.gradient_clip()}, {"loss", weight}, {"clipped", weight}, {"count", weight}};
  plan.entries.push_back(std::move(training));
  return plan;
}

std::vector<float> EncodeContext(double sigma, std::span<const float> counts) {
  std::vector<float> context = {static_cast<float>(sigma)};
  context.insert(context.end(), counts.begin(), counts.end());
  return context;
}

Result<HistogramContext> DecodeContext(std::span<const float> context, std::size_t cells) {
  if (context.size() != cells + 1) {
    return BadInput(
        fmt::format("a gradient query carries {} context values; the schema has {} cells", context.size(), cells));
  }
  const bool finite = std::all_of(context.begin(), context.end(), [](float x) { return std::isfinite(x); });
  if (!finite || !(context[0] > 0.0F)) return BadInput("a gradient query carries context values that are no histogram");
  return HistogramContext{static_cast<double>(context[0]), context.subspan(1)};
}

}  // namespace synod::table_diffusion
