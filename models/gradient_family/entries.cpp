#include "models/gradient_family/entries.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/config/run_specification.h"
#include "models/tabular/histogram_sum.h"
#include "models/tabular/transform_share.h"

namespace synod::gradient_family {
namespace {

constexpr std::size_t kContextHead = 2;  // sigma, threshold

}  // namespace

Result<SideCoordinates> SideOf(const TrainingOptions& options, double loss_bound) {
  const auto weight = static_cast<float>(kSideShare * options.clip);
  return SideCoordinates::Make(options.clip, {weight, weight, weight, static_cast<float>(loss_bound)});
}

Result<ParameterLayout> LayoutOf(const engine::ParameterBuilder& builder) {
  std::vector<ParameterPart> parts;
  for (const auto& part : builder.parts()) {
    parts.push_back({part.name, std::vector<std::uint64_t>(part.shape.begin(), part.shape.end())});
  }
  return ParameterLayout::Make(std::move(parts));
}

Result<FamilyPlan> PlanTraining(const RunSpecification& run, const Schema& schema, const TrainingOptions& options,
                                Json options_json, ParameterLayout layout, double loss_bound) {
  if (options.batch > run.privacy.units) {
    return BadInput(
        fmt::format("model.batch = {} is more than the {} units of the run", options.batch, run.privacy.units),
        "ask for a smaller batch");
  }
  FamilyPlan plan;
  plan.options = std::move(options_json);
  plan.layout = std::move(layout);

  EntryRequest histogram;
  histogram.name = "column_histograms";
  histogram.kind = QueryKind::kHistogram;
  histogram.dimension = tabular::HistogramSize(tabular::GridsOf(schema));
  for (const std::size_t column : tabular::ModelledColumns(schema)) {
    histogram.parts.push_back({schema.columns()[column].name, 1.0});
  }
  histogram.budget_share = run.budget.stated ? run.budget.transforms
                                             : tabular::TransformShare(histogram.parts.size(), run.privacy.units,
                                                                       run.privacy.epsilon, run.privacy.delta);
  plan.entries.push_back(std::move(histogram));

  SYNOD_ASSIGN_OR_RETURN(const SideCoordinates side, SideOf(options, loss_bound));
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

Status CheckPlan(const FamilyRun& run, std::string_view family, std::size_t cells, std::size_t parameters) {
  const auto& entries = run.plan->entries();
  const bool fits = entries.size() == 2 && entries[kHistogramEntry].kind == QueryKind::kHistogram &&
                    entries[kHistogramEntry].dimension == cells &&
                    entries[kTrainingEntry].kind == QueryKind::kGradient &&
                    entries[kTrainingEntry].dimension == parameters + SideCoordinates::kCount;
  if (!fits) return BadInput(fmt::format("the plan is not one of {} on this schema", family));
  return {};
}

std::vector<float> EncodeContext(double sigma, std::span<const float> counts, double threshold) {
  std::vector<float> context = {static_cast<float>(sigma), static_cast<float>(threshold)};
  context.insert(context.end(), counts.begin(), counts.end());
  return context;
}

Result<TrainingContext> DecodeContext(std::span<const float> context, std::size_t cells) {
  if (context.size() != cells + kContextHead) {
    return BadInput(
        fmt::format("a gradient query carries {} context values; the schema has {} cells", context.size(), cells));
  }
  const bool finite = std::all_of(context.begin(), context.end(), [](float x) { return std::isfinite(x); });
  if (!finite || !(context[0] > 0.0F) || context[1] < 0.0F) {
    return BadInput("a gradient query carries context values that are no histogram");
  }
  return TrainingContext{static_cast<double>(context[0]), static_cast<double>(context[1]),
                         context.subspan(kContextHead)};
}

}  // namespace synod::gradient_family
