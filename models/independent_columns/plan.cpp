#include "models/independent_columns/plan.h"

#include <fmt/format.h>

#include "common/config/run_specification.h"
#include "models/tabular/histogram_sum.h"

namespace synod::independent_columns {
namespace {

Status CheckNothingIsIgnored(const RunSpecification& run) {
  const BudgetShares none_given;
  const BudgetShares& given = run.budget;
  const bool defaults = given.transforms == none_given.transforms && given.training == none_given.training &&
                        given.counting == none_given.counting && given.quality == none_given.quality;
  if (!defaults) {
    return BadInput(fmt::format("{}: [budget] has no meaning for independent_columns", run.file),
                    "leave it out: the whole budget goes to the one histogram");
  }
  if (run.privacy.clip != PrivacyTarget{}.clip) {
    return BadInput(fmt::format("{}: privacy.clip has no meaning for independent_columns", run.file),
                    "leave it out: the norm of a histogram follows from the number of columns");
  }
  return {};
}

}  // namespace

Result<ParameterLayout> LayoutFor(const Schema& schema, const std::vector<tabular::PublicGrid>& grids) {
  const std::vector<std::size_t> columns = tabular::ModelledColumns(schema);
  std::vector<ParameterPart> parts;
  for (std::size_t j = 0; j < grids.size(); ++j) {
    parts.push_back({schema.columns()[columns[j]].name, {grids[j].cells()}});
  }
  return ParameterLayout::Make(std::move(parts));
}

Result<FamilyPlan> PlanRun(const RunSpecification& run, const Schema& schema) {
  SYNOD_ASSIGN_OR_RETURN(const Options options, Options::FromToml(run.model));
  SYNOD_RETURN_IF_ERROR(CheckNothingIsIgnored(run));
  const std::vector<tabular::PublicGrid> grids = tabular::GridsOf(schema);
  FamilyPlan plan;
  plan.options = options.ToJson();
  SYNOD_ASSIGN_OR_RETURN(plan.layout, LayoutFor(schema, grids));

  // Every unit is counted, once in each column: the norm of its vector is sqrt(columns).
  EntryRequest histogram;
  histogram.name = "column_histograms";
  histogram.kind = QueryKind::kHistogram;
  histogram.count = options.rounds;
  histogram.dimension = tabular::HistogramSize(grids);
  for (const std::size_t column : tabular::ModelledColumns(schema)) {
    histogram.parts.push_back({schema.columns()[column].name, 1.0});
  }
  plan.entries.push_back(std::move(histogram));
  return plan;
}

Result<RunParts> PartsOf(const FamilyRun& run) {
  RunParts parts;
  SYNOD_ASSIGN_OR_RETURN(parts.options, Options::FromJson(run.options));
  parts.grids = tabular::GridsOf(*run.schema);
  SYNOD_ASSIGN_OR_RETURN(parts.layout, LayoutFor(*run.schema, parts.grids));
  const auto& entries = run.plan->entries();
  const bool fits = entries.size() == 1 && entries[0].kind == QueryKind::kHistogram &&
                    entries[0].sampling_rate == 1.0 && entries[0].dimension == tabular::HistogramSize(parts.grids);
  if (!fits) return BadInput("the plan is not one of independent_columns on this schema");
  return parts;
}

}  // namespace synod::independent_columns
