// What waits for a site's one worker, and in which order it is asked: answers first, then drafts, then reviews; one
// request at a time. A pure state machine: the process is a port, time is given.
//
//   Idle      a job is due            the worker is asked (for an answer of a run whose records it has not open: to
//   open
//                                     them first, then for the answer)
//   Asked     the reply               an event for the owner; Idle
//   Asked     the worker is lost      the job waits for the next worker (back-off 0.2 s, doubling to 30 s); lost three
//                                     times over one job: an event that it failed; Idle
//
// The worker has the records of one run open at a time: queries of a second run wait behind those of the first. When a
// run is forgotten, the worker that has its records is ended, and whatever it computes with it; a worker with nothing
// to do is ended after kIdleSeconds. A query whose time is over is dropped. None of this depends on rows. Threads: one.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "common/core/result.h"
#include "common/query/query.h"
#include "models/worker/worker_messages.h"

namespace synod {

// The worker process as the queue sees it.
class WorkerPort {
 public:
  virtual ~WorkerPort() = default;
  // Starts the process where there is none. A reply comes later, or the loss of the worker.
  virtual Status Send(const WorkerRequest& request) = 0;
  // Ends the process; what was asked is lost, and no loss is reported.
  virtual void End() = 0;
};

// What came of a job.
struct Reviewed {
  RunId run;
  Result<ReviewReply> reply;
};
struct RecordsOpened {
  RunId run;
  std::string report;  // for local eyes
};
struct RecordsNotOpened {  // tried again while the query has time
  RunId run;
  Error error;
};
struct Computed {
  QueryName name;
  Bytes words;
};
struct QueryMalformed {
  QueryName name;
};
// No answer will come: the worker failed or was lost too often, or the time is over.
struct NotComputed {
  QueryName name;
  Error error;
};
struct DraftChecked {
  RunId run;
  Digest file_digest{};  // of the draft that was given
  Result<CheckDraftReply> reply;
};
using ComputeEvent =
    std::variant<Reviewed, RecordsOpened, RecordsNotOpened, Computed, QueryMalformed, NotComputed, DraftChecked>;

class ComputeQueue {
 public:
  static constexpr int kMaxLosses = 3;
  static constexpr double kReopenSeconds = 10.0;
  static constexpr double kIdleSeconds = 10.0;
  static constexpr double kFirstBackOffSeconds = 0.2;
  static constexpr double kMaxBackOffSeconds = 30.0;

  explicit ComputeQueue(WorkerPort& worker) : worker_(&worker) {}

  struct AnswerJob {
    std::shared_ptr<const OpenSiteRequest> records;
    QueryName name;
    std::shared_ptr<const Query> query;
    double until = 0.0;  // monotonic: the coordinator's deadline
  };
  void Review(const RunId& run, RunOffer offer);
  // Replaces what waits for the same run.
  void Answer(AnswerJob job);
  void CheckDraft(const RunId& run, RunOffer offer, Bytes draft, const Digest& file_digest);

  // Answers of this and earlier queries of the run are not wanted any more.
  void DropAnswers(const RunId& run, std::uint32_t query);
  // Nothing of this run is wanted any more, and its records are not.
  void Forget(const RunId& run);

  std::vector<ComputeEvent> OnReply(WorkerReply reply, double now);
  std::vector<ComputeEvent> OnLost(const Error& error, double now);
  // Asks what is due, drops what is too late.
  std::vector<ComputeEvent> Advance(double now);
  double next_timer() const;

  const std::optional<RunId>& opened() const { return opened_; }
  std::size_t waiting() const { return answers_.size() + drafts_.size() + reviews_.size(); }
  bool asked() const { return asked_.has_value(); }
  int losses_in_a_row() const { return losses_in_a_row_; }

 private:
  struct ReviewJob {
    RunId run;
    RunOffer offer;
  };
  struct DraftJob {
    RunId run;
    RunOffer offer;
    Bytes draft;
    Digest file_digest{};
  };
  struct Job {
    std::variant<AnswerJob, DraftJob, ReviewJob> what;
    int losses = 0;
    double not_before = 0.0;
    const RunId& run() const;
  };

  std::deque<Job>* QueueOf(const Job& job);
  std::optional<Job> TakeNext(double now);
  std::vector<ComputeEvent> Ask(Job job, double now);
  void DropLate(double now, std::vector<ComputeEvent>& events);
  static ComputeEvent FailedEvent(const Job& job, const Error& error);
  std::vector<ComputeEvent> OnFailed(Job job, const Error& error, bool opening, double now);

  WorkerPort* worker_;
  std::deque<Job> answers_;
  std::deque<Job> drafts_;
  std::deque<Job> reviews_;
  std::optional<Job> asked_;
  bool opening_ = false;         // asked_ is an answer, and its records are being opened
  std::optional<RunId> opened_;  // whose records the worker has
  bool has_worker_ = false;
  int losses_in_a_row_ = 0;
  double not_before_ = 0.0;  // of the next worker
  double idle_since_ = 0.0;
};

}  // namespace synod
