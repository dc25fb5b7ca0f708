#include "common/privacy/epsilon.h"

#include <algorithm>
#include <cmath>

#include "common/privacy/pld_accountant.h"
#include "common/privacy/rdp_accountant.h"

namespace synod {

Result<EpsilonBounds> ComputeEpsilon(const PrivacyEvents& events, double delta, Adjacency adjacency,
                                     unsigned sites_per_subject) {
  SYNOD_ASSIGN_OR_RETURN(const RdpBound rdp, RdpEpsilon(events, delta, adjacency, sites_per_subject));
  const Result<PldBounds> pld = PldEpsilon(events, delta, adjacency, sites_per_subject);
  if (!pld.ok()) return pld.error();
  EpsilonBounds bounds;
  bounds.rdp = rdp.epsilon;
  bounds.upper = std::min(pld->upper, rdp.epsilon);
  bounds.lower = std::min(pld->lower, bounds.upper);
  if (!std::isfinite(bounds.upper)) return Failed("no finite epsilon could be proven at this delta");
  return bounds;
}

}  // namespace synod
