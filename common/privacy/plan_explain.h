// What a plan means, for the person who decides about it: `synod plan` at the desk, `synod-site explain` at the site.
#pragma once

#include <string>

#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/privacy/plan.h"

namespace synod {

// The plan's hash, facts, three readings, and for every entry: answers, sampling rate, expected batch, noise, epsilon
// of the entry alone, its share of the loss (of the Renyi divergence at the order that decides the plan's RDP bound,
// where shares add up to 1), bytes sent by one site. Epsilons are rounded as stated. Takes some seconds.
Result<Json> ExplainPlan(const Plan& plan);

// The same as text, from the JSON of ExplainPlan.
std::string PlanText(const Json& explanation);

}  // namespace synod
