// The set-up of an attempt as it follows from the plan, the query and the members' keys: coordinator and site each make
// it on their own, from what they themselves trust, and can complete a sum only where both came to the same. Pure.
#pragma once

#include <map>
#include <string>

#include "common/core/result.h"
#include "common/privacy/plan.h"
#include "common/query/query.h"
#include "secure_agg/attempt_setup.h"

namespace synod::secure_agg {

// `site_keys`: the signing keys of the consortium's sites by name. Refused, naming the site, where the plan's roster
// names a key that is not there; BadInput where plan or query cannot be asked under secure aggregation.
Result<AttemptSetup> SetupOf(const Plan& plan, const QueryName& name, const Query& query,
                             const std::map<std::string, PublicKey>& site_keys);

}  // namespace synod::secure_agg
