// The runs of a coordinator and every change of them: the one place that moves a run from state to state.
//
// Each change is durable before it is seen: a change whose write fails has not happened. One run trains at a time; the
// others wait in the order in which they were submitted. No sockets, no worker.
// Threads: one at a time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/core/clock.h"
#include "common/core/fail_points.h"
#include "coordinator/run_store.h"

namespace synod {

class RunBook {
 public:
  struct Ports {
    RunStore& store;
    const Clock& clock;
    FailPoints& fail_points;
  };

  // Reads all runs. One that was being resolved when the process ended is Submitted again.
  static Result<RunBook> Open(Ports ports);

  // The same submission under the same id again gives the run that is there; another one is Refused.
  Result<const RunRecord*> Submit(const RunSubmission& submission, const RunSummary& summary);
  Status BeginResolving(const RunId& run);
  Status TakeOffer(const RunId& run, std::string plan_text, std::string explanation);
  // From a site of the roster, an approval's signature checked. When denials leave fewer sites than a sum needs, the
  // run is Refused with the sites' reasons. True if something changed.
  Result<bool> TakeDecision(const RunId& run, const std::string& site, SiteDecision decision);
  Status Start(const RunId& run);
  Status TakeDraft(const RunId& run, const Bytes& draft, const Digest& file_digest, std::vector<std::string> signers);
  // From a site of `signers`, checked. True if it is a new one.
  Result<bool> TakeSignature(const RunId& run, SiteSignature signature);
  // From Signing, or again when a late signature completes the file.
  Status MarkPublished(const RunId& run);
  Status Fail(const RunId& run, Error error);
  Status Abort(const RunId& run, const std::string& by);

  const RunRecord* Find(const RunId& run) const;
  std::vector<const RunRecord*> InOrder() const;
  std::vector<const RunRecord*> InState(RunState state) const;

  // The run that occupies the trainer, if one does.
  const RunRecord* training() const;
  std::vector<std::string> TrainingSites() const;  // the roster of that run
  // Every site of the roster has decided and enough of them approved.
  static bool ReadyToStart(const RunRecord& record);
  // The first run that may start, while no other trains.
  const RunRecord* NextToStart() const;

 private:
  explicit RunBook(Ports ports) : ports_(ports) {}
  Result<RunRecord> Copy(const RunId& run) const;
  Status MoveTo(RunRecord record, RunState state);
  Status Keep(RunRecord record);

  Ports ports_;
  std::vector<RunId> order_;
  std::map<RunId, RunRecord> runs_;
};

}  // namespace synod
