// From what a run asks for to a plan with its noise: the smallest noise that keeps the whole plan, retries included,
// within the target epsilon.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/core/result.h"
#include "common/privacy/plan.h"

namespace synod {

struct EntryRequest {
  std::string name;
  QueryKind kind = QueryKind::kHistogram;
  std::uint32_t count = 1;
  std::optional<std::uint32_t> retries;  // nothing: DefaultRetries
  std::uint64_t dimension = 1;
  double sampling_rate = 1.0;
  std::vector<PlanPart> parts;
  // Only for full-sample entries (sampling rate 1): the share of the run's budget, in (0, 1]. Entries without a share
  // have one common noise multiplier, solved to use what the shares leave.
  std::optional<double> budget_share;
};

struct PlanRequest {
  PlanFacts facts;  // the roster may come in any order
  std::vector<EntryRequest> entries;
};

// Gradient entries: 3 or 2 % of count, whichever is more; others: 1.
std::uint32_t DefaultRetries(QueryKind kind, std::uint32_t count);

// The plan whose coordinator reading at m = max_sites_per_subject meets facts.epsilon_target and is never above it.
//
// A full-sample entry with share s gets mu = sqrt(s) GaussianMu(epsilon, delta), split evenly over count + retries. The
// entries without a share are then solved for. Where every entry has a share, all are scaled together to meet the
// target. Multipliers are those of the integer variances, after rounding (noise_arithmetic.h).
//
// Fails with what is wrong and what would make it feasible: facts that Plan::Create refuses, shares that leave nothing
// for entries that need noise, an expected batch below one unit, noise beyond the grid.
Result<Plan> ResolvePlan(PlanRequest request);

}  // namespace synod
