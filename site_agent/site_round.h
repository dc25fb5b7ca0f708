// A site's side of a run as a pure state machine: admits a query, has it computed, charges the finished answer together
// with storing it, and only then lets it go. No sockets, clocks or disks; the simulation and the daemon drive the same
// class. The records are elsewhere (models/worker/site_computer.h).
//
// Order, and why: the plan is checked first (nothing is computed for a query outside it); the sum is made and noised
// before it is charged (a computation that is abandoned costs nothing); charge and answer become durable in one
// transaction before the answer is sent (spend before send); the answer of a name is fixed bytes for ever: asked again,
// the stored bytes are sent again, without a charge.
//
// With secure aggregation an answer leaves under masks that live in memory alone, so nothing is stored: the charge is
// made when the masking takes the computed words (Charge), and its permit goes there. A name that was charged, or whose
// attempt ended here, is dead: asked again it is refused, in this life of the process and in later ones; the next
// attempt of the query is admitted.
//
// Where a charge could not be written (kLedgerUnavailable) the row may be on the disk all the same. A driver that wants
// to try that name again begins the round anew from the rows: then either the stored answer is there and is sent, or
// nothing was charged and it is computed again.
//
// Threads: one at a time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "common/core/strong_id.h"
#include "common/privacy/ledger.h"
#include "common/privacy/ledger_guard.h"
#include "common/privacy/plan.h"
#include "common/query/query.h"
#include "common/query/refusal.h"

namespace synod {

// Where finished answers of one run lie. A port: the daemon's is SQLite (site_agent/sqlite_answer_store.h), the
// simulation's memory.
class AnswerStore {
 public:
  virtual ~AnswerStore() = default;
  // The answer that the next charge of this name pays for: becomes durable with the charge's ledger row, or not at all.
  virtual void Stage(const QueryName& name, Bytes answer) = 0;
  virtual Result<std::optional<Bytes>> StoredAnswer(const QueryName& name) const = 0;
  virtual Status Forget(std::uint32_t query) = 0;  // answers of this and earlier queries of the run
};

class SiteRound {
 public:
  struct Setup {
    std::shared_ptr<const Plan> plan;
    RunId run;
    DatasetId dataset;
  };

  // What the driver has to do next.
  struct Compute {
    std::shared_ptr<const Query> query;
    QueryName name;
  };
  struct Send {
    QueryName name;
    std::shared_ptr<const Bytes> answer;
  };
  struct Refuse {
    QueryName name;
    RefusalReason reason = RefusalReason::kOutsidePlan;
  };
  struct Nothing {};  // already computing this answer
  using Action = std::variant<Compute, Send, Refuse, Nothing>;

  // Takes up a run from the rows of its ledger (none: a new run). Fails if a row does not follow the rules. Ledger and
  // answers must outlive the round.
  static Result<SiteRound> Begin(Setup setup, Ledger& ledger, AnswerStore& answers, std::span<const LedgerRow> rows);

  // A later attempt than the one that is being computed replaces it: the driver abandons that computation. An earlier
  // one is refused, and so is a query that was closed.
  Action OnQuery(std::shared_ptr<const Query> query, const QueryName& name);
  // From whoever computes: StandaloneSum::Encode; nothing in a simulation's share of a curator's sum. An answer that
  // nobody waits for any more is dropped, uncharged.
  Action OnComputed(const QueryName& name, Bytes answer);
  Action OnMalformed(const QueryName& name);
  // Of secure aggregation, instead of OnComputed: the words of `name`, which is being computed (our own duty), are
  // about to be masked. An error: nothing may leave, and the name is dead.
  Result<SpendPermit> Charge(const QueryName& name);
  // The computation is gone (worker lost, run paused): uncharged; the same name may be asked again. With secure
  // aggregation its keys are gone with it, and the name is dead.
  void Abandon();
  // The coordinator stored the sum: answers up to this query are not needed again, nor is a computation of one.
  Status OnQueryClosed(std::uint32_t query);

  const std::optional<QueryName>& computing() const { return computing_; }
  // Why the last query was refused, for the site's own log.
  const std::optional<Error>& last_error() const { return last_error_; }
  // Answers charged of each entry: what the site's counter-signature states.
  const std::vector<std::uint64_t>& used() const { return guard_.used(); }

 private:
  SiteRound(Setup setup, Ledger& ledger, AnswerStore& answers, BudgetGuard guard);
  bool IsSecure() const;
  Status Admit(const Query& query, const QueryName& name) const;
  Action RefuseWith(const QueryName& name, RefusalReason reason, Error error);

  Setup setup_;
  Ledger* ledger_;
  AnswerStore* answers_;
  BudgetGuard guard_;
  std::optional<QueryName> computing_;
  std::uint32_t computing_entry_ = 0;
  std::optional<std::uint32_t> closed_;  // this query and earlier ones
  std::optional<QueryName> dead_;        // of secure aggregation: this name and earlier ones, charged or not
  std::optional<Error> last_error_;
};

}  // namespace synod
