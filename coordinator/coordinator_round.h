// The coordinator's side of a run as a pure state machine: what to ask, whose answers count, when a sum is complete.
// No sockets, clocks, disks and no trainer: the simulation and the daemon drive the same class.
//
//   state      event                          next        action
//   Idle       Start                          Training    Train without a sum
//   Training   next query                     Asking      ask all sites, attempt 0; or, replaying, Train with its sum
//   Training   training is finished           Done        Finished; or Failed if the plan's answers were not all used
//   Asking     answer of the last site        Training    sum, store, Train with the sum
//              or deadline with quorum
//   Asking     refusals or deadline without   Asking      ask the same query again (next attempt, charged)
//              quorum                           or Failed   or give up when the answers left would not suffice
//   Done, Failed                              -           every event is ignored
//
// Quorum here: that of the plan, and never fewer answers than the noise shares that the plan's account counts on.
//
// After a restart (RoundHistory) the same class replays: stored attempts are taken from the history instead of being
// asked, so that trainer, counts and participation come to where they were, bit for bit; a query whose attempt was
// charged but has no record is asked again under the same name (sites send the stored answer of that name again).
//
// Invariants: an answer counts only for the open query and attempt, once a site; a query is charged in the
// coordinator's ledger before it is asked; a sum is stored before it is absorbed.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/artefact/participation.h"
#include "common/core/strong_id.h"
#include "common/privacy/ledger.h"
#include "common/privacy/ledger_guard.h"
#include "common/privacy/plan.h"
#include "common/query/grid.h"
#include "common/query/refusal.h"
#include "common/query/sum_accumulator.h"
#include "coordinator/round_store.h"
#include "models/family.h"

namespace synod {

// What a restarted coordinator knows of a run.
struct RoundHistory {
  std::vector<LedgerRow> ledger_rows;   // of the coordinator's ledger; other runs are passed over
  std::vector<AttemptRecord> attempts;  // in order
  std::uint32_t trained_queries = 0;    // the trainer's checkpoint has absorbed the queries before this one
};

class CoordinatorRound {
 public:
  // Give this sum to the trainer, if there is one, then ask it for the next query.
  struct Train {
    std::shared_ptr<const Query> answered;  // nothing: no sum
    std::shared_ptr<const NoisySum> sum;
    std::vector<std::uint64_t> left;  // answers that the plan still allows of each entry
    bool replayed = false;            // the sum comes from the store
  };
  struct Ask {
    std::shared_ptr<const Query> query;
    QueryName name;
  };
  struct Finished {};
  struct GaveUp {
    Error error;
  };
  using Action = std::variant<Train, Ask, Finished, GaveUp>;

  struct Ports {
    Ledger& ledger;
    RoundStore& store;
  };

  CoordinatorRound(std::shared_ptr<const Plan> plan, RunId run, Ports ports);
  // Takes up a run. Fails if ledger and attempts do not agree.
  static Result<CoordinatorRound> Restore(std::shared_ptr<const Plan> plan, RunId run, Ports ports,
                                          RoundHistory history);

  Action Start();
  // What the trainer said to Train: its next query, or nothing when training is done.
  Action OnTrained(std::optional<Query> next);
  Action OnTrainingFailed(Error error);

  // An answer from `site`. Nothing to do yet, or the next action. An answer that does not fit the open attempt (late,
  // replayed, a second one of the same site, not on the roster, wrong length) is dropped and counted.
  std::optional<Action> OnAnswer(const std::string& site, const QueryName& name, NoisedSum&& sum);
  std::optional<Action> OnAnswer(const std::string& site, const QueryName& name, StandaloneSum&& sum);
  // StandaloneSum::Encode, from outside.
  std::optional<Action> OnAnswer(const std::string& site, const QueryName& name, ByteView words);
  std::optional<Action> OnRefusal(const std::string& site, const QueryName& name, RefusalReason reason);
  // The time for the open attempt is over.
  std::optional<Action> OnDeadline();

  // The open attempt, and the sites that have neither answered nor refused it: whom to ask (again), and what `why`
  // says.
  const Ask* open() const;
  std::vector<std::string> missing() const;

  // Who answered what: public, goes into the certificate.
  const Participation& participation() const { return participation_; }
  std::uint64_t dropped_messages() const { return dropped_messages_; }
  // Answers used of each entry, retries included.
  const std::vector<std::uint64_t>& used() const { return guard_.used(); }
  std::vector<std::uint64_t> left() const;

 private:
  enum class State : std::uint8_t { kIdle, kAsking, kDone, kFailed };

  template <typename Sum>
  std::optional<Action> Take(const std::string& site, const QueryName& name, Sum&& sum);
  bool FitsOpenAttempt(const std::string& site, const QueryName& name);
  std::optional<Action> AfterEvent();
  Action AskNext();
  Action AskAgain();
  Action Close();
  Action Fail(Error error);
  Result<Ask> OpenAttempt();
  void RecordAttempt(bool completed);
  std::uint32_t answers_needed() const;
  std::string ReasonsText() const;

  std::shared_ptr<const Plan> plan_;
  Ports ports_;
  BudgetGuard guard_;
  RunId run_;
  State state_ = State::kIdle;
  std::shared_ptr<const Query> open_;
  QueryName open_name_;
  std::uint32_t next_query_ = 0;
  std::unique_ptr<SumAccumulator> accumulator_;
  std::set<std::string> answered_;
  std::map<std::string, RefusalReason> refused_;
  std::vector<std::uint64_t> completed_;  // sums absorbed of each entry
  Participation participation_;
  std::uint64_t dropped_messages_ = 0;
};

}  // namespace synod
