#include "common/privacy/epsilon.h"

#include <algorithm>
#include <cmath>

#include "common/privacy/pld_accountant.h"
#include "common/privacy/rdp_accountant.h"

namespace synod {

Result<EpsilonBounds> ComputeEpsilon(const PrivacyEvents& events, double delta, Adjacency adjacency,
                                     unsigned sites_per_subject) {
  SYNOD_RETURN_IF_ERROR(CheckEvents(events));
  return ComputeEpsilon(UsesOf(events), delta, adjacency, sites_per_subject);
}

Result<EpsilonBounds> ComputeEpsilon(const MechanismUses& uses, double delta, Adjacency adjacency,
                                     unsigned sites_per_subject) {
  SYNOD_ASSIGN_OR_RETURN(const RdpBound rdp, RdpEpsilon(uses, delta, adjacency, sites_per_subject));
  EpsilonBounds bounds;
  bounds.rdp = rdp.epsilon;
  bounds.upper = rdp.epsilon;
  if (HasLossDistributions(uses)) {
    SYNOD_ASSIGN_OR_RETURN(const PldBounds pld, PldEpsilon(uses, delta, adjacency, sites_per_subject));
    bounds.upper = std::min(pld.upper, rdp.epsilon);
    bounds.lower = std::min(pld.lower, bounds.upper);
  }
  if (!std::isfinite(bounds.upper)) return Failed("no finite epsilon could be proven at this delta");
  return bounds;
}

}  // namespace synod
