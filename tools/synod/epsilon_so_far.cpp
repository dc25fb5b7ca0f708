#include "tools/synod/epsilon_so_far.h"

#include <fmt/format.h>

#include "common/privacy/epsilon.h"

namespace synod {

EpsilonSoFar::EpsilonSoFar(const Plan& plan, const Clock& clock) : plan_(plan), clock_(clock) {
  for (const PlanEntry& entry : plan.entries()) full_.push_back(entry.allowed());
}

std::string EpsilonSoFar::Text(const std::vector<std::uint64_t>& used) {
  const double now = clock_.MonotonicSeconds();
  if (used.size() != full_.size() || (now - last_ < 1.0 && !text_.empty() && used != full_)) return text_;
  PrivacyEvents events;
  for (std::size_t e = 0; e < used.size(); ++e) {
    if (used[e] > 0) events.push_back(plan_.entries()[e].Event(plan_.honest_shares(), used[e]));
  }
  const Result<EpsilonBounds> bounds =
      ComputeEpsilon(events, plan_.AccountedDelta(), plan_.facts().relation, plan_.facts().max_sites_per_subject);
  if (bounds.ok()) text_ = fmt::format("epsilon {:.3f} of {:g}", bounds->upper, plan_.facts().epsilon_target);
  last_ = now;
  return text_;
}

}  // namespace synod
