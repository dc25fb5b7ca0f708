// From a run specification to a plan: the schema, what the family asks, the roster, and the noise.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/config/run_specification.h"
#include "common/data/schema.h"
#include "common/privacy/plan.h"
#include "common/privacy/plan_resolve.h"
#include "models/family.h"

namespace synod {

struct ResolvedRun {
  FamilyRun run;
  ParameterLayout layout;
};

// "site-1" to "site-N", in the order that a roster wants.
std::vector<std::string> SimulatedSiteNames(std::uint32_t sites);

// Quorum, threshold and colluding sites follow the specification and the aggregation: a curator holds everything itself
// (quorum N, none colludes), secure aggregation takes t = floor((N + c) / 2) + 1 or 2/3 of the sites, whichever is
// more.
// `roster`: as many sites as the specification says. Without one, the simulated sites' names and no keys.
Result<ResolvedRun> ResolveRun(const RunSpecification& specification, std::shared_ptr<const Schema> schema,
                               Aggregation aggregation, std::vector<RosterSite> roster = {});

// What such a run asks of its plan, before the noise is solved for.
Result<PlanRequest> RequestRun(const RunSpecification& specification, const Schema& schema, Aggregation aggregation,
                               std::vector<RosterSite> roster = {});

}  // namespace synod
