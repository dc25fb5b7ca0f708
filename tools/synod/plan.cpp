#include <fmt/format.h>

#include <filesystem>

#include "common/privacy/plan_explain.h"
#include "models/run_plan.h"
#include "tools/synod/commands.h"

namespace synod {

Result<CommandOutput> RunPlan(const PlanOptions& options, CommandContext& context) {
  namespace fs = std::filesystem;
  RunOverrides overrides;
  overrides.epsilon = options.epsilon;
  overrides.sites = options.sites;
  SYNOD_ASSIGN_OR_RETURN(RunSpecification specification, RunSpecification::FromFile(options.run_file, overrides));
  if (options.units) specification.privacy.units = *options.units;
  for (const std::string& warning : specification.warnings) context.progress.Say("warning: " + warning);
  const fs::path folder =
      options.data_folder.empty() ? fs::path(options.run_file).parent_path() : fs::path(options.data_folder);
  SYNOD_ASSIGN_OR_RETURN(Schema schema, Schema::FromFile((folder / specification.schema_file).string()));
  Aggregation aggregation = specification.aggregation;
  if (!options.aggregation.empty()) {
    SYNOD_ASSIGN_OR_RETURN(aggregation, AggregationOption(options.aggregation));
  }
  SYNOD_ASSIGN_OR_RETURN(const ResolvedRun resolved,
                         ResolveRun(specification, std::make_shared<const Schema>(std::move(schema)), aggregation));
  CommandOutput output;
  SYNOD_ASSIGN_OR_RETURN(output.data, ExplainPlan(*resolved.run.plan));
  output.text = PlanText(output.data);
  return output;
}

}  // namespace synod
