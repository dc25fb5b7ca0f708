#include "common/privacy/lifetime_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/privacy/rdp_accountant.h"
#include "common/privacy/stated_epsilon.h"

namespace synod {
namespace {

double DeltaOf(double delta) {
  return AccountedDelta(delta, static_cast<double>(LifetimeBudget::kMaxAnswers));
}

// The largest divergence at `order` that proves (epsilon, delta): EpsilonFromRdp solved for it, rounded down.
double LargestRdp(double epsilon, double delta, double order) {
  // Below this one EpsilonFromRdp is 0 by total variation, whatever the order.
  double rdp = -std::log1p(-delta * delta);
  const double by_conversion = epsilon - std::log1p(-1.0 / order) + (std::log(delta) + std::log(order)) / (order - 1.0);
  rdp = std::max(rdp, by_conversion);
  // The conversion's terms may cancel: the step down grows until it reaches what rounding did.
  for (double step = rdp * 1e-15; rdp > 0.0 && EpsilonFromRdp(rdp, order, delta) > epsilon; step *= 2.0) rdp -= step;
  return std::max(rdp, 0.0);
}

}  // namespace

Result<LifetimeBudget> LifetimeBudget::Choose(double epsilon, double delta) {
  if (!(epsilon > 0.0 && epsilon <= kMaxEpsilon)) {
    return BadInput(fmt::format("a life-time epsilon must be above 0 and at most {}, but is {}", kMaxEpsilon, epsilon));
  }
  if (!(delta >= Plan::kMinDelta && delta < 1.0)) {
    return BadInput(
        fmt::format("a life-time delta must be at least {} and below 1, but is {}", Plan::kMinDelta, delta));
  }
  LifetimeBudget best{epsilon, delta, 0.0, 0.0};
  double best_rho = -1.0;
  // The allowed rho is a smooth function of log(order - 1) with one maximum; steps of 0.2 % of the excess lose nothing
  // that anybody would notice.
  constexpr int kSteps = 8000;
  const double low = std::log(1e-2);
  const double high = std::log(65536.0);
  for (int i = 0; i <= kSteps; ++i) {
    const double order = 1.0 + std::exp(low + (high - low) * i / kSteps);
    const double rdp = LargestRdp(epsilon, DeltaOf(delta), order);
    if (rdp / order > best_rho) {
      best_rho = rdp / order;
      best.order = order;
      best.rdp = rdp;
    }
  }
  return best;
}

Status LifetimeBudget::Check() const {
  const bool in_range = epsilon > 0.0 && epsilon <= kMaxEpsilon && delta >= Plan::kMinDelta && delta < 1.0 &&
                        order > 1.0 && order <= 1e6 && rdp > 0.0 && std::isfinite(rdp);
  if (!in_range || EpsilonOf(rdp) > epsilon) {
    return VerificationFailed("a life-time budget allows more than its epsilon and delta");
  }
  return {};
}

double LifetimeBudget::EpsilonOf(double spent) const {
  return EpsilonFromRdp(spent, order, DeltaOf(delta));
}

Result<LifetimeCost> CostOfPlan(const Plan& plan, double order) {
  LifetimeCost cost;
  const PlanFacts& facts = plan.facts();
  SYNOD_ASSIGN_OR_RETURN(
      cost.rdp, RdpAtOrder(plan.Events(plan.honest_shares()), order, facts.relation, facts.max_sites_per_subject));
  for (const PlanEntry& entry : plan.entries()) cost.answers += entry.allowed();
  return cost;
}

Result<LifetimeCost> CostOfRows(std::span<const LedgerRow> rows, const Plan& plan, double order) {
  PrivacyEvents events;
  LifetimeCost cost;
  const Digest plan_hash = plan.Hash();
  for (const LedgerRow& row : rows) {
    if (row.charge.plan_hash != plan_hash) {
      return VerificationFailed(fmt::format("ledger row {} was charged under another plan", row.index));
    }
    events.push_back(row.charge.event);
    cost.answers += row.charge.event.count;
  }
  SYNOD_ASSIGN_OR_RETURN(cost.rdp,
                         RdpAtOrder(events, order, plan.facts().relation, plan.facts().max_sites_per_subject));
  return cost;
}

LifetimeCost LifetimeFilter::held() const {
  LifetimeCost sum;
  const auto add = [&](const LifetimeCost& cost) {
    sum.rdp += cost.rdp;
    const std::uint64_t room = std::numeric_limits<std::uint64_t>::max() - sum.answers;
    sum.answers += std::min(cost.answers, room);
  };
  for (const auto& [run, cost] : runs_) add(cost);
  for (const LifetimeCost& cost : restored_) add(cost);
  // Additions of doubles may come out low by an ulp each.
  sum.rdp *= 1.0 + 1e-15 * static_cast<double>(runs_.size() + restored_.size());
  return sum;
}

double LifetimeFilter::left_rdp() const {
  return std::max(0.0, budget_.rdp - held().rdp);
}

Status LifetimeFilter::CheckAgainst(const LifetimeCost& others, const LifetimeCost& plan) const {
  const double together = (others.rdp + plan.rdp) * (1.0 + 1e-15);
  if (!(together <= budget_.rdp)) {
    return BudgetExhausted(
        fmt::format("the life-time budget of the data set does not allow this run: it asks {:.4g} of Renyi divergence "
                    "at order {:.4g}, and {:.4g} of {:.4g} is left (life-time epsilon {:.3f} with it, {:.3f} held "
                    "without it, {} allowed, at delta {})",
                    plan.rdp, budget_.order, std::max(0.0, budget_.rdp - others.rdp), budget_.rdp,
                    StatedUpper(budget_.EpsilonOf(together)), StatedUpper(budget_.EpsilonOf(others.rdp)),
                    budget_.epsilon, budget_.delta));
  }
  if (plan.answers > LifetimeBudget::kMaxAnswers || others.answers > LifetimeBudget::kMaxAnswers - plan.answers) {
    return BudgetExhausted(
        fmt::format("a data set gives at most {} answers in its life; {} are held and this run asks {}",
                    LifetimeBudget::kMaxAnswers, others.answers, plan.answers));
  }
  return {};
}

Status LifetimeFilter::Check(const LifetimeCost& plan) const {
  return CheckAgainst(held(), plan);
}

Status LifetimeFilter::Reserve(const RunId& run, const LifetimeCost& plan) {
  LifetimeFilter others = *this;
  others.runs_.erase(run);
  SYNOD_RETURN_IF_ERROR(others.Check(plan));
  runs_[run] = plan;
  return {};
}

void LifetimeFilter::Settle(const RunId& run, const LifetimeCost& charged) {
  runs_[run] = charged;
}

void LifetimeFilter::Charge(const LifetimeCost& restored) {
  restored_.push_back(restored);
}

void LifetimeFilter::Restore(const RunId& run, const LifetimeCost& plan) {
  runs_[run] = plan;
}

}  // namespace synod
