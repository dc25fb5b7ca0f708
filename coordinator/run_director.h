// Moves runs along: resolves them, offers them to sites, takes decisions, starts the next one when the trainer is free,
// hands what sites say to the run that trains or to the signing desk.
//
// No sockets: messages to sites go through a port; workers and database are the daemon's. Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/consortium/trust.h"
#include "common/log/event_log.h"
#include "coordinator/owed_answers.h"
#include "coordinator/run_book.h"
#include "coordinator/run_views.h"
#include "coordinator/signing_desk.h"
#include "coordinator/site_book.h"
#include "coordinator/training_run.h"

namespace synod {

class RunDirector {
 public:
  // Ended runs that a site is told about when it connects.
  static constexpr std::size_t kEndedRunsTold = 50;
  static constexpr double kRetrySeconds = 5.0;

  // One of the two workers.
  struct Worker {
    std::function<void(WorkerRequest)> send;
    std::function<void()> kill;
  };
  // Of TCP payload over all links, since the process started.
  struct Traffic {
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
  };
  struct Ports {
    RunBook& book;
    SigningDesk& signing;
    Ledger& ledger;
    const SiteBook& sites;
    OwedAnswers& owed;
    const Trust& trust;  // replaced in place when the kit is read again
    const Clock& clock;
    FailPoints& fail_points;
    EventLog& log;
    Worker resolver;
    Worker trainer;
    std::function<Result<std::unique_ptr<TrainingStore>>(const RunId&)> training_store;
    std::function<void(const std::string& site, Envelope)> to_site;
    std::function<Traffic()> traffic = [] { return Traffic{}; };  // for the log
  };

  explicit RunDirector(Ports ports);

  // Of an operator. The submission's sites and their number are checked; idempotent by its id.
  Result<const RunRecord*> Submit(const RunSubmission& submission);
  Status Abort(const RunId& run, const std::string& by);

  void OnSiteConnected(const std::string& site);
  // Fails if the message breaks the protocol: its link is then closed.
  Status OnSiteMessage(const std::string& site, const Envelope& envelope);

  void OnResolverReply(WorkerReply reply);
  void OnResolverLost(const Error& error);
  void OnTrainerReply(WorkerReply reply);
  void OnTrainerLost(const Error& error);

  // Does whatever can be done now. After every event, and some times a second.
  void Advance();
  void Tick();
  // The run reached another state outside: its sites are told.
  void TellSites(const RunRecord& record);

  RunSight Sight(const RunRecord& record) const;

 private:
  Result<std::vector<RosterSite>> RosterOf(const RunSubmission& submission) const;
  void ResolveNext();
  void StartNext();
  void BeginTraining(const RunRecord& record);
  void EndTraining();
  void Propose(const RunRecord& record, const std::string& site);
  void ProposeAgain();
  Status TakeDecision(const std::string& site, const RunDecision& decision);
  Status CheckApproval(const RunRecord& record, const std::string& site, const RunDecision& decision) const;
  void TakeAnswer(const std::string& site, const Answer& answer, const std::shared_ptr<const Bytes>& words);
  void TakeRefusal(const std::string& site, const AnswerRefused& refused);
  void TakeDraft(DraftReply reply);
  void FailRun(const RunId& run, const Error& error);
  void TellIfEnded(const RunId& run, const std::string& site);
  void LogTrained(const RunRecord& record) const;
  bool Stored(const Status& status, const RunId& run);

  Ports ports_;
  std::optional<RunId> resolving_;
  unsigned resolver_losses_ = 0;
  std::unique_ptr<TrainingStore> training_store_;
  std::unique_ptr<TrainingRun> training_;
  bool training_ended_ = false;  // destroyed outside of its own calls
  std::optional<Error> training_failure_;
  double training_since_ = 0.0;
  Traffic traffic_before_;  // when it began
  double retry_at_ = 0.0;
  std::optional<std::pair<RunId, std::string>> storage_error_;
  std::set<std::pair<RunId, std::string>> propose_again_;  // sites whose decision could not be stored
};

}  // namespace synod
