// A site's side of a run as a pure state machine: admits a query, draws the units, bounds, rounds, noises, charges, and
// only then lets the answer go. No sockets, clocks or disks; the simulation and the worker drive the same class.
//
// Order within Answer, and why: the plan is checked first (nothing is computed for a query outside it); the sum is made
// and noised before it is charged (a computation that is abandoned costs nothing); the charge is durable before the
// answer exists outside (spend before send). Every answer that leaves has used up a SpendPermit.
//
// Nothing that a caller can see depends on rows except through the noised sum: reasons for a refusal are a closed list
// caused by the query or the ledger, an empty draw is answered like any other.
// Threads: one at a time; `threads` of noise run inside.
#pragma once

#include <memory>
#include <variant>

#include "common/core/strong_id.h"
#include "common/crypto/secret_random.h"
#include "common/data/unit_table.h"
#include "common/privacy/ledger.h"
#include "common/privacy/ledger_guard.h"
#include "common/privacy/plan.h"
#include "common/query/keyed_blocks.h"
#include "common/query/refusal.h"
#include "common/query/sums.h"
#include "models/family.h"

namespace synod {

class SiteRound {
 public:
  struct Setup {
    std::shared_ptr<const Plan> plan;
    RunId run;
    DatasetId dataset;
    std::shared_ptr<const UnitTable> units;
    unsigned threads = 1;  // for noise
  };
  // A share where a curator adds up the shares of all sites; a sum with the whole noise where aggregation is none.
  using Answered = std::variant<NoisedSum, StandaloneSum>;
  using Reply = std::variant<NoisedSum, StandaloneSum, RefusalReason>;

  // `random` is this site's own secret stream. The contribution and ledger must outlive the round.
  SiteRound(Setup setup, Contribution& contribution, Ledger& ledger, SecretRandom random);

  Reply Answer(const Query& query, const QueryName& name);

  // Why the last query was refused, for the site's own log; nothing if it was answered.
  const std::optional<Error>& last_error() const { return last_error_; }
  const std::vector<std::uint64_t>& used() const { return guard_.used(); }

 private:
  Reply Refuse(RefusalReason reason, Error error);
  Result<NoisedSum> NoisedAnswer(const Query& query, const PlanEntry& entry);

  Setup setup_;
  Contribution& contribution_;
  Ledger& ledger_;
  SecretRandom random_;
  BudgetGuard guard_;
  KeyedBlocks blocks_;
  std::optional<Error> last_error_;
};

}  // namespace synod
