// Admits the answers of one run that its plan lists, and charges each in the ledger; refuses everything else.
//
// Rules: queries count up and are never used again; one query is open at a time, and the first attempt of a later one
// closes it; attempts of a query count up; an entry gives at most count + retries answers, whatever they were for.
// An attempt whose charge failed counts as used here: its row may be in the ledger.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "common/core/result.h"
#include "common/privacy/ledger.h"
#include "common/privacy/plan.h"

namespace synod {

class BudgetGuard {
 public:
  enum class Attempts {
    kConsecutive,  // last + 1 of the open query, 0 of a new one: whoever sees every attempt
    kIncreasing,   // any later one: a site that was away for earlier attempts; each still has its own name and charge
  };

  BudgetGuard(Plan plan, RunId run, DatasetId dataset, Attempts attempts = Attempts::kConsecutive);

  // Takes up a run after a restart, from the rows of its ledger; rows of other runs or data sets are passed over.
  // Fails if a row of this run does not follow the rules or is charged to another plan.
  static Result<BudgetGuard> Restore(Plan plan, RunId run, DatasetId dataset, Attempts attempts,
                                     std::span<const LedgerRow> rows);

  // Takes up one more row of this run, as Restore does: it was charged before, nothing is charged now.
  Status Recall(const LedgerRow& row);

  // Whether Reserve would be allowed to charge this answer. Changes nothing.
  Status Admit(std::uint32_t entry, const QueryName& name) const;

  // Admits, then charges `ledger`. Refused or BudgetExhausted with the rule that was broken.
  Result<SpendPermit> Reserve(std::uint32_t entry, const QueryName& name, Ledger& ledger);

  // The answer of the open query arrived: no further attempt of it is admitted.
  void CloseQuery(std::uint32_t query);

  // Answers used so far of each entry of the plan.
  const std::vector<std::uint64_t>& used() const { return used_; }
  std::uint64_t left(std::uint32_t entry) const { return plan_.entries()[entry].allowed() - used_[entry]; }
  const Plan& plan() const { return plan_; }

 private:
  struct Last {
    std::uint32_t query = 0;
    std::uint32_t attempt = 0;
    std::uint32_t entry = 0;
    bool closed = false;
  };

  Status CheckAttempt(std::uint32_t entry, const QueryName& name) const;
  void Use(std::uint32_t entry, const QueryName& name);

  Plan plan_;
  Digest plan_hash_;
  RunId run_;
  DatasetId dataset_;
  Attempts attempts_;
  std::vector<std::uint64_t> used_;
  std::optional<Last> last_;
};

}  // namespace synod
