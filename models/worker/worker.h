// What a worker does with one request: no socket, no process, so that tests call it as it is.
//
// It holds at most one opened site and one opened trainer; opening another replaces it. An exception of a library ends
// here, without its text: that may hold values of records.
// Threads: one at a time.
#pragma once

#include <memory>

#include "common/crypto/secret_streams.h"
#include "models/family_table.h"
#include "models/worker/site_work.h"
#include "models/worker/training_work.h"
#include "models/worker/worker_messages.h"

namespace synod {

class Worker {
 public:
  // `streams` must outlive it. `threads`: of noise. `load_compute`: called where a family needs LibTorch.
  Worker(SecretStreams& streams, unsigned threads, LoadCompute load_compute)
      : streams_(streams), threads_(threads), load_compute_(std::move(load_compute)) {}

  WorkerReply Handle(const WorkerRequest& request);

 private:
  Result<WorkerReply> Do(const ResolveRequest& request);
  Result<WorkerReply> Do(const ReviewRequest& request);
  Result<WorkerReply> Do(const OpenSiteRequest& request);
  Result<WorkerReply> Do(const AnswerRequest& request);
  Result<WorkerReply> Do(const OpenTrainerRequest& request);
  Result<WorkerReply> Do(const TrainRequest& request);
  Result<WorkerReply> Do(const DraftRequest& request);
  Result<WorkerReply> Do(const CheckDraftRequest& request);

  SecretStreams& streams_;
  unsigned threads_;
  LoadCompute load_compute_;
  std::unique_ptr<SiteWork> site_;
  std::unique_ptr<TrainingWork> training_;
};

}  // namespace synod
