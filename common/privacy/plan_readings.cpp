#include "common/privacy/plan_readings.h"

#include <cmath>

#include "common/core/check.h"
#include "common/privacy/rdp_accountant.h"

namespace synod {
namespace {

// Where the composition is too lossy for the certified accountant (a share alone can be), the Renyi bound stands alone.
Result<EpsilonBounds> EpsilonOf(const Plan& plan, std::uint32_t shares, std::uint32_t sites_per_subject) {
  const PrivacyEvents events = plan.Events(shares);
  const double delta = plan.AccountedDelta();
  Result<EpsilonBounds> bounds = ComputeEpsilon(events, delta, plan.facts().relation, sites_per_subject);
  if (bounds.ok()) return bounds;
  SYNOD_ASSIGN_OR_RETURN(const RdpBound rdp, RdpEpsilon(events, delta, plan.facts().relation, sites_per_subject));
  if (!std::isfinite(rdp.epsilon)) return bounds;
  return EpsilonBounds{rdp.epsilon, 0.0, rdp.epsilon};
}

}  // namespace

std::string_view TrustReadingName(TrustReading reading) {
  switch (reading) {
    case TrustReading::kCoordinator:
      return "coordinator";
    case TrustReading::kPublic:
      return "public";
    case TrustReading::kOwnShare:
      return "own_share";
  }
  SYNOD_CHECK(false, "a trust reading without a name");
  return "";
}

std::uint32_t SharesOf(const Plan& plan, TrustReading reading) {
  if (reading == TrustReading::kOwnShare) return 1;
  if (reading == TrustReading::kCoordinator) return plan.honest_shares();
  return plan.facts().aggregation == Aggregation::kCurator ? plan.sites() : plan.facts().quorum;
}

Result<std::vector<ReadingEpsilons>> ComputeReadings(const Plan& plan) {
  std::vector<ReadingEpsilons> readings;
  for (const TrustReading reading : kTrustReadings) {
    ReadingEpsilons next;
    for (const ReadingEpsilons& done : readings) {
      if (done.shares == SharesOf(plan, reading)) next = done;  // equal noise, equal epsilon
    }
    const bool known = !readings.empty() && next.shares == SharesOf(plan, reading) && next.by_sites[0].upper > 0;
    next.reading = reading;
    next.shares = SharesOf(plan, reading);
    for (std::uint32_t m = 1; m <= Plan::kMaxSitesPerSubject && !known; ++m) {
      SYNOD_ASSIGN_OR_RETURN(next.by_sites[m - 1], EpsilonOf(plan, next.shares, m));
    }
    readings.push_back(next);
  }
  return readings;
}

Result<EpsilonBounds> PlanEpsilon(const Plan& plan) {
  return EpsilonOf(plan, plan.honest_shares(), plan.facts().max_sites_per_subject);
}

}  // namespace synod
