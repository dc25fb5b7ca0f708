#include "models/run_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/privacy/plan_resolve.h"
#include "models/family_table.h"

namespace synod {
namespace {

PlanFacts FactsOf(const RunSpecification& specification, const Schema& schema, Aggregation aggregation,
                  std::vector<RosterSite> roster) {
  PlanFacts facts;
  facts.name = specification.name;
  facts.roster = std::move(roster);
  facts.relation = specification.privacy.relation;
  facts.unit = specification.privacy.subject_column.empty() ? PrivacyUnit::kRecord : PrivacyUnit::kSubject;
  facts.max_sites_per_subject = specification.privacy.max_sites_per_subject;
  facts.schema_hash = schema.Hash();
  facts.delta = specification.privacy.delta;
  facts.epsilon_target = specification.privacy.epsilon;
  facts.units = specification.privacy.units;
  facts.model_family = specification.family;
  facts.aggregation = aggregation;
  facts.slot_seconds = specification.slot_seconds;
  const std::uint32_t sites = specification.sites;
  facts.quorum = aggregation == Aggregation::kCurator ? sites : specification.quorum;
  if (aggregation == Aggregation::kSecure) {
    facts.max_colluding = specification.privacy.max_colluding_sites;
    facts.threshold = std::max((sites + facts.max_colluding) / 2 + 1, 2 * sites / 3 + 1);
    facts.threshold = std::min(facts.threshold, facts.quorum);
  }
  // Nobody is watched across slots inside one process.
  if (aggregation == Aggregation::kCurator) facts.slot_seconds = 0.0;
  return facts;
}

struct RunRequest {
  PlanRequest request;
  Json options;
  ParameterLayout layout;
};

Result<RunRequest> Request(const RunSpecification& specification, const Schema& schema, Aggregation aggregation,
                           std::vector<RosterSite> roster) {
  if (roster.empty()) {
    for (const std::string& site : SimulatedSiteNames(specification.sites)) roster.push_back({site, Digest{}});
  }
  if (roster.size() != specification.sites) {
    return BadInput(fmt::format("the run wants {} sites and its roster has {}", specification.sites, roster.size()),
                    "change sites in [run], or name as many sites");
  }
  SYNOD_ASSIGN_OR_RETURN(FamilyPlan family, PlanFamily(specification, schema));
  RunRequest result;
  result.request.facts = FactsOf(specification, schema, aggregation, std::move(roster));
  SYNOD_ASSIGN_OR_RETURN(result.request.facts.model_hash, HashModelOptions(family.options));
  result.request.facts.layout_hash = family.layout.Hash();
  result.request.entries = std::move(family.entries);
  result.options = std::move(family.options);
  result.layout = std::move(family.layout);
  return result;
}

}  // namespace

std::vector<std::string> SimulatedSiteNames(std::uint32_t sites) {
  const std::size_t width = fmt::format("{}", sites).size();
  std::vector<std::string> names;
  for (std::uint32_t site = 1; site <= sites; ++site) names.push_back(fmt::format("site-{:0{}}", site, width));
  return names;
}

Result<ResolvedRun> ResolveRun(const RunSpecification& specification, std::shared_ptr<const Schema> schema,
                               Aggregation aggregation, std::vector<RosterSite> roster) {
  SYNOD_ASSIGN_OR_RETURN(RunRequest asked, Request(specification, *schema, aggregation, std::move(roster)));
  SYNOD_ASSIGN_OR_RETURN(Plan plan, ResolvePlan(std::move(asked.request)));
  ResolvedRun resolved;
  resolved.run = {std::move(schema), std::make_shared<const Plan>(std::move(plan)), std::move(asked.options),
                  specification.seed};
  resolved.layout = std::move(asked.layout);
  return resolved;
}

Result<PlanRequest> RequestRun(const RunSpecification& specification, const Schema& schema, Aggregation aggregation,
                               std::vector<RosterSite> roster) {
  SYNOD_ASSIGN_OR_RETURN(RunRequest asked, Request(specification, schema, aggregation, std::move(roster)));
  return std::move(asked.request);
}

}  // namespace synod
