// The life-time privacy budget of a registered data set: a Renyi filter at one order, fixed when the data set is
// registered (Feldman and Zrnic 2021, "Individual privacy accounting via a Renyi filter": plans that are chosen after
// earlier results were seen compose at a fixed order as long as the sum of their divergences stays within a budget that
// was fixed beforehand; for privacy loss distributions this is not proven).
//
// An open run holds its whole plan, retries included; once it has ended, what was charged in the ledger; what a
// restoration of the ledger charges is beyond any run. Amounts are
// Renyi divergences at the budget's order, upper bounds. The order and the divergence are those that allow the most
// Gaussian queries (the largest rho of zero-concentrated privacy) within (epsilon, delta). Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "common/core/result.h"
#include "common/core/strong_id.h"
#include "common/privacy/ledger_row.h"
#include "common/privacy/plan.h"

namespace synod {

struct LifetimeBudget {
  static constexpr double kMaxEpsilon = 1000.0;
  // Answers that a data set may give at all: what the smoothing argument of the noise costs for them
  // (noise_arithmetic.h) is taken off delta at registration.
  static constexpr std::uint64_t kMaxAnswers = 1'000'000'000;

  double epsilon = 0.0;
  double delta = 0.0;
  double order = 0.0;
  double rdp = 0.0;  // divergence at `order` that may be spent: EpsilonFromRdp of it is at most epsilon

  // BadInput unless 0 < epsilon <= kMaxEpsilon and Plan::kMinDelta <= delta < 1.
  static Result<LifetimeBudget> Choose(double epsilon, double delta);
  // What Choose could have made: for budgets that are read back. VerificationFailed otherwise.
  Status Check() const;
  // The epsilon that `spent` proves at this budget's delta.
  double EpsilonOf(double spent) const;
  bool operator==(const LifetimeBudget&) const = default;
};

struct LifetimeCost {
  double rdp = 0.0;
  std::uint64_t answers = 0;
};

// All that a plan allows, under the reading that it is calibrated for.
Result<LifetimeCost> CostOfPlan(const Plan& plan, double order);
// What was charged: rows of one run under `plan`.
Result<LifetimeCost> CostOfRows(std::span<const LedgerRow> rows, const Plan& plan, double order);

class LifetimeFilter {
 public:
  explicit LifetimeFilter(LifetimeBudget budget) : budget_(budget) {}

  // Whether another run with this cost fits. BudgetExhausted with what it asks and what is left. Changes nothing.
  Status Check(const LifetimeCost& plan) const;
  // Holds the whole plan of a run that is open; the same run again replaces what it held.
  Status Reserve(const RunId& run, const LifetimeCost& plan);
  // A run that has ended: what its ledger rows say, which is never more than its plan. A run that was not reserved is
  // taken as well (ledgers are read at a start).
  void Settle(const RunId& run, const LifetimeCost& charged);
  // Takes up a run that was approved before a restart: as Reserve, but never refused.
  void Restore(const RunId& run, const LifetimeCost& plan);

  // What a restoration of the ledger charges, on top of all runs.
  void Charge(const LifetimeCost& restored);

  const LifetimeBudget& budget() const { return budget_; }
  // Of all runs, open and ended: added up afresh, so that nothing drifts.
  LifetimeCost held() const;
  double left_rdp() const;
  double held_epsilon() const { return budget_.EpsilonOf(held().rdp); }

 private:
  Status CheckAgainst(const LifetimeCost& others, const LifetimeCost& plan) const;

  LifetimeBudget budget_;
  std::map<RunId, LifetimeCost> runs_;
  std::vector<LifetimeCost> restored_;
};

}  // namespace synod
