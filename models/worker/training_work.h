// The worker of a coordinator while a run trains: the trainer, from a checkpoint or from the start, and at the end the
// draft of the generator file. No records.
#pragma once

#include <memory>

#include "models/family.h"
#include "models/worker/worker_messages.h"

namespace synod {

class TrainingWork {
 public:
  static Result<std::unique_ptr<TrainingWork>> Open(const OpenTrainerRequest& request);

  // BadInput where the sum or the counts do not fit the plan.
  Result<TrainReply> Train(const TrainRequest& request);
  // Finishes training and certifies what happened, as a federation's.
  Result<DraftReply> Draft(const DraftRequest& request);

 private:
  TrainingWork(RunId run_id, FamilyRun run, std::unique_ptr<Trainer> trainer)
      : run_id_(run_id), run_(std::move(run)), trainer_(std::move(trainer)) {}
  Status Absorb(const TrainRequest& request);

  RunId run_id_;
  FamilyRun run_;
  std::unique_ptr<Trainer> trainer_;
};

}  // namespace synod
