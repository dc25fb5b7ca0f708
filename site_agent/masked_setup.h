// The set-up of one attempt at a masked sum, as this site sees it: thresholds and form from the plan that it approved,
// keys from its own copy of the consortium's manifest. The coordinator's part in it is the name and the query.
// Threads: a free function without state.
#pragma once

#include "common/consortium/trust.h"
#include "common/core/result.h"
#include "common/privacy/plan.h"
#include "secure_agg/attempt_setup.h"

namespace synod {

struct AskedAttempt {
  QueryName name;
  std::uint32_t entry = 0;  // of the plan
  Digest plan_hash{};
  Digest query_hash{};  // secure_agg::HashOfQuery
};

// VerificationFailed, naming the site, unless every site of the roster is in the manifest, not revoked, with a signing
// key that has the plan's fingerprint, and `own_name` with `own_key`. The plan's aggregation is secure and has the
// entry (our own duty).
Result<secure_agg::AttemptSetup> SetUpAttempt(const Plan& plan, const AskedAttempt& asked, const Trust& trust,
                                              const PublicKey& own_key);

}  // namespace synod
