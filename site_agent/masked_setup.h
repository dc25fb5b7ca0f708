// The set-up of one attempt at a masked sum, as this site sees it: thresholds and form from the plan that it approved,
// keys from its own copy of the consortium's manifest. The coordinator's part in it is the name and the query.
// Threads: a free function without state.
#pragma once

#include "common/consortium/trust.h"
#include "common/core/result.h"
#include "common/privacy/plan.h"
#include "common/query/query.h"
#include "secure_agg/attempt_setup.h"

namespace synod {

// What secure_agg::SetupOf refuses, and a roster that does not list this site with `own_key`. A member that was revoked
// has no key here: the run cannot go on with it on its roster.
Result<secure_agg::AttemptSetup> SetUpAttempt(const Plan& plan, const QueryName& name, const Query& query,
                                              const Trust& trust, const PublicKey& own_key);

}  // namespace synod
