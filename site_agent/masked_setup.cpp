#include "site_agent/masked_setup.h"

#include "secure_agg/plan_setup.h"

namespace synod {

Result<secure_agg::AttemptSetup> SetUpAttempt(const Plan& plan, const QueryName& name, const Query& query,
                                              const Trust& trust, const PublicKey& own_key) {
  SYNOD_ASSIGN_OR_RETURN(secure_agg::AttemptSetup setup, secure_agg::SetupOf(plan, name, query, trust.Keys().sites));
  const std::optional<secure_agg::SiteIndex> own = setup.IndexOf(trust.self().name);
  if (!own || setup.key_of(*own) != own_key) {
    return Refused("the run's roster does not list this site with its signing key");
  }
  return setup;
}

}  // namespace synod
