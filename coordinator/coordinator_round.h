// The coordinator's side of a run as a pure state machine: what to ask, whose answers count, when a sum is complete.
// No sockets, clocks, disks and no trainer: the simulation and the daemon drive the same class.
//
//   state      event                          next        action
//   Idle       Start                          Training    Train without a sum
//   Training   next query                     Asking      ask all sites, attempt 0; or, replaying, Train with its sum
//   Training   training is finished           Done        Finished; or Failed if the plan's answers were not all used
//   Asking     answer of the last site        Training    sum, store, Train with the sum
//              or deadline with quorum
//   Asking     the masked sum was opened      Training    the same
//   Asking     refusals or deadline without   Asking      ask the same query again (next attempt, charged)
//              quorum; masked sum not opened    or Failed   or give up when the answers left would not suffice
//   Done, Failed                              -           every event is ignored
//
// Quorum here: that of the plan, and never fewer answers than the noise shares that the plan's account counts on.
//
// After a restart (RoundHistory) the same class replays: stored attempts are taken from the history instead of being
// asked, so that trainer, counts and participation come to where they were, bit for bit; a query whose attempt was
// charged but has no record is asked again under the same name (sites send the stored answer of that name again). With
// secure aggregation an attempt does not outlive the process that held its masks: it is recorded as failed, and the
// next attempt is asked.
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
#include "common/query/opened_sum.h"
#include "common/query/query.h"
#include "common/query/refusal.h"
#include "common/query/sum_accumulator.h"
#include "coordinator/round_history.h"
#include "coordinator/round_store.h"

namespace synod {

class CoordinatorRound {
 public:
  // Give this sum to the trainer, if there is one, then ask it for the next query.
  struct Train {
    std::shared_ptr<const Query> answered;  // nothing: no sum
    std::shared_ptr<const NoisySum> sum;
    std::vector<std::uint64_t> left;  // answers that the plan still allows of each entry
    bool replayed = false;            // the sum comes from the store
    // A checkpoint that the trainer takes with this Train, after the sum, has absorbed the queries before this one.
    std::uint32_t trained_queries = 0;
  };
  struct Ask {
    std::shared_ptr<const Query> query;
    QueryName name;
  };
  struct Finished {};
  struct GaveUp {
    Error error;
    // Ledger or store could not be written, nothing else: once they can be, Restore takes the run up where it was. The
    // open attempt is then asked again under its name, and sites send the answers that they stored.
    bool resumable = false;
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

  // With secure aggregation: the masks of the open attempt are off. `survivors`: the sites whose answers are in the
  // sum, as many as it says.
  std::optional<Action> OnOpened(const QueryName& name, const std::vector<std::string>& survivors, OpenedSum&& sum);
  // The open attempt ended without a sum. `answered`: sites that gave a whole masked answer, which they have charged.
  // `reason`: a sentence, for the error if the plan allows no further attempt.
  std::optional<Action> OnNotOpened(const QueryName& name, const std::vector<std::string>& answered,
                                    std::string reason);
  // The time for the open attempt is over.
  std::optional<Action> OnDeadline();

  // The open attempt, and the sites that have neither answered nor refused it: whom to ask (again), and what `why`
  // says. With secure aggregation every site of the roster, less those that refused: who answered is known at the end.
  const Ask* open() const;
  std::vector<std::string> missing() const;

  // Who answered what: public, goes into the certificate.
  const Participation& participation() const { return participation_; }
  std::uint64_t dropped_messages() const { return dropped_messages_; }
  // Answers used of each entry, retries included.
  const std::vector<std::uint64_t>& used() const { return guard_.used(); }
  std::vector<std::uint64_t> left() const;

 private:
  enum class State : std::uint8_t { kIdle, kTraining, kAsking, kDone, kFailed };

  template <typename Sum>
  std::optional<Action> Take(const std::string& site, const QueryName& name, Sum&& sum);
  bool FitsOpenAttempt(const std::string& site, const QueryName& name);
  SumAccumulator& Accumulator();
  std::optional<Action> AfterEvent();
  Action TrainNext(std::shared_ptr<const NoisySum> sum, bool replayed);
  Action FinishTraining();
  Action OpenAttempt();
  Action WaitForAnswers();
  bool secure() const { return plan_->facts().aggregation == Aggregation::kSecure; }
  Action AskAgain();
  std::optional<Action> EndWithoutSum(bool recalled);
  Action Close();
  Action CloseWith(std::shared_ptr<const NoisySum> sum);
  Action Fail(Error error, bool resumable = false);
  Status CheckNext(const Query& next) const;
  AttemptRecord AttemptOf(bool completed) const;
  void Count(const AttemptRecord& attempt);
  const PlanEntry& open_entry() const;
  std::string ReasonsText(bool recalled) const;

  // Replay.
  void SkipTrained(std::uint32_t trained_queries);
  Status RecallAttempt();
  Result<std::shared_ptr<const NoisySum>> LoadSum(const AttemptRecord& attempt) const;

  std::shared_ptr<const Plan> plan_;
  Ports ports_;
  BudgetGuard guard_;
  RunId run_;
  State state_ = State::kIdle;
  std::optional<Ask> open_;  // while asking: the open attempt
  std::uint32_t next_query_ = 0;
  std::unique_ptr<SumAccumulator> accumulator_;
  std::set<std::string> answered_;
  std::map<std::string, RefusalReason> refused_;
  std::string not_opened_;                // why the last masked sum was not opened
  std::vector<std::uint64_t> completed_;  // sums of each entry
  Participation participation_;
  std::uint64_t dropped_messages_ = 0;
  RoundHistory history_;
  std::size_t recalled_ = 0;  // rows of the history that were taken up
};

}  // namespace synod
