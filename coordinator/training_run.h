// Drives the one run that trains: a CoordinatorRound, the worker that trains, and the sites that answer.
//
//   phase       waits for                              then
//   Opening     the worker, with its checkpoint        the round starts (and replays what was answered before)
//   Training    the worker: absorb a sum, next query   Asking, or Drafting at the end
//   Asking      sites                                  Training
//   Drafting    the worker: the draft of the file      Ended (on_draft)
//   Storage     a few seconds, then a write            Opening
//   Ended       nothing; every event is ignored
//
// Whom a query waits for. Sites that denied the run count as refusing it. Once enough answers are there, sites that
// have been away for a whole deadline are not waited for, nor sites that kept silent over a whole deadline, until they
// answer something again. While too few sites are connected for a query to succeed, its clock stands still: asking
// again would use up the plan's retries for nothing.
//
// With secure aggregation a MaskedAttempt takes the place of single answers: it asks, waits and gives a sum or a
// reason. Its clock, too, stands still while too few sites are connected for a query to begin.
//
// No sockets: everything outside comes through Ports. Threads: one.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "common/core/clock.h"
#include "common/core/fail_points.h"
#include "common/log/event_log.h"
#include "common/wire/messages.h"
#include "coordinator/coordinator_round.h"
#include "coordinator/masked_attempt.h"
#include "coordinator/owed_answers.h"
#include "coordinator/run_record.h"
#include "coordinator/run_views.h"
#include "coordinator/site_book.h"
#include "coordinator/wait_reason.h"
#include "models/worker/worker_messages.h"

namespace synod {

// A trainer's state after it absorbed the queries before `trained_queries`.
struct TrainingCheckpoint {
  std::uint32_t trained_queries = 0;
  Bytes state;
};

// What a run leaves behind while it trains. A port; the daemon's is SQLite.
class TrainingStore {
 public:
  virtual ~TrainingStore() = default;
  virtual RoundStore& rounds() = 0;
  // Rows of the ledger and attempts; `trained_queries` is left 0.
  virtual Result<RoundHistory> LoadHistory() const = 0;
  virtual Result<std::optional<TrainingCheckpoint>> LoadCheckpoint() const = 0;
  virtual Status SaveCheckpoint(const TrainingCheckpoint& checkpoint) = 0;
  // The run has trained or ended: sums and checkpoint are not needed again.
  virtual Status Forget() = 0;
};

class TrainingRun {
 public:
  static constexpr double kCheckpointSeconds = 30.0;
  static constexpr std::uint32_t kCheckpointQueries = 50;
  static constexpr double kStorageRetrySeconds = 5.0;
  // Of the worker, without a query in between.
  static constexpr unsigned kMaxWorkerLosses = 5;

  struct Ports {
    Ledger& ledger;
    TrainingStore& store;
    const SiteBook& sites;
    OwedAnswers& owed;
    const Clock& clock;
    FailPoints& fail_points;
    EventLog& log;
    std::function<std::map<std::string, PublicKey>()> site_keys;  // of sites that are members now
    std::function<void(WorkerRequest)> to_worker;
    std::function<void(const std::string& site, Envelope)> to_site;  // dropped if it is not connected
    std::function<void(DraftReply)> on_draft;
    std::function<void(Error)> on_failed;
  };

  TrainingRun(RunRecord record, Ports ports);

  // Loads what is stored and opens the trainer.
  void Begin();
  void OnWorkerReply(WorkerReply reply);
  // It is being started again: what was done is replayed.
  void OnWorkerLost(const Error& error);
  // The draft could not be stored: the run stands still and makes it again.
  void OnDraftNotStored(const Error& error) { PauseForStorage(error); }
  void OnAnswer(const std::string& site, const QueryName& name, ByteView words);
  void OnRefusal(const std::string& site, const QueryName& name, RefusalReason reason);
  // Of secure aggregation.
  void OnStep(const std::string& site, const QueryName& name, ByteView payload);
  void OnChunk(const std::string& site, const AggregationChunk& chunk, ByteView words);
  void OnSiteConnected(const std::string& site);
  // A site's decision changed while the run trains.
  void OnDecision(const std::string& site, const SiteDecision& decision);
  // Some times a second.
  void Tick();

  const RunId& run() const { return record_.run(); }
  const Participation* participation() const;
  std::vector<WaitReason> Waits() const;
  TrainingProgress Progress() const;

 private:
  enum class Phase : std::uint8_t { kOpening, kTraining, kAsking, kDrafting, kStorage, kEnded };

  void Do(CoordinatorRound::Action action);
  void Train(const CoordinatorRound::Train& train);
  void Ask(const CoordinatorRound::Ask& ask);
  void SendQuery(const std::string& site);
  void GiveUp(const CoordinatorRound::GaveUp& gave_up);
  void TakeTrained(TrainReply reply);
  void TakeFailed(const Error& error);
  void CloseIfNobodyIsWaitedFor();
  void AdvanceDeadline(double seconds);
  // Secure aggregation; training_masked.cpp.
  bool secure() const { return record_.plan->facts().aggregation == Aggregation::kSecure; }
  Status BeginMasked(const CoordinatorRound::Ask& ask);
  void TakeOutcome(std::optional<MaskedAttempt::Outcome> outcome);
  void AdvanceMasked(double seconds);
  void DescribeMasked(TrainingWait& wait) const;
  void PauseForStorage(const Error& error);
  void End(Error error);
  void EnterPhase(Phase phase);
  bool WantCheckpoint() const;
  std::vector<std::string> MissingAndConnected() const;
  std::uint32_t AnswersSoFar() const;
  std::uint64_t QueriesDone() const;
  Status Open();

  RunRecord record_;
  Ports ports_;
  std::unique_ptr<CoordinatorRound> round_;
  Phase phase_ = Phase::kOpening;
  std::int64_t phase_since_unix_ = 0;
  std::string phase_detail_;

  // Of the open attempt.
  std::shared_ptr<const Bytes> query_payload_;
  std::set<std::string> refused_;  // of the open attempt
  double elapsed_seconds_ = 0.0;
  bool short_of_sites_ = false;
  std::set<std::string> silent_;  // kept silent over a whole deadline, nothing heard since
  std::unique_ptr<MaskedAttempt> masked_;

  // Of the open training step.
  std::uint32_t trained_queries_ = 0;
  std::uint32_t checkpoint_queries_ = 0;
  double checkpoint_at_ = 0.0;
  unsigned worker_losses_ = 0;
  double retry_at_ = 0.0;
  double last_tick_ = 0.0;
  TrainingNews news_;
  std::deque<std::pair<double, std::uint64_t>> done_over_time_;
};

}  // namespace synod
