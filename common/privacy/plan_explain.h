// What a plan means, for the person who decides about it: `synod plan` at the desk, `synod-site explain` at the site.
#pragma once

#include <string>
#include <vector>

#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/privacy/plan.h"
#include "common/privacy/plan_readings.h"

namespace synod {

// The plan's hash, facts, three readings, and for every entry: answers, sampling rate, expected batch, noise, epsilon
// of the entry alone, its share of the loss (of the Renyi divergence at the order that decides the plan's RDP bound,
// where shares add up to 1), bytes sent by one site. Epsilons are rounded as stated. Takes some seconds.
Result<Json> ExplainPlan(const Plan& plan);
// With the readings of ComputeReadings(plan), for who has them already: they are what takes the seconds.
Result<Json> ExplainPlan(const Plan& plan, const std::vector<ReadingEpsilons>& readings);

// The same as text, from the JSON of ExplainPlan.
std::string PlanText(const Json& explanation);

}  // namespace synod
