#include "models/worker/worker.h"

#include <new>

#include "models/worker/draft_check.h"
#include "models/worker/plan_work.h"

namespace synod {
namespace {

template <typename Reply>
Result<WorkerReply> AsReply(Result<Reply> result) {
  if (!result.ok()) return result.error();
  return WorkerReply(std::move(result).value());
}

}  // namespace

WorkerReply Worker::Handle(const WorkerRequest& request) {
  try {
    Result<WorkerReply> reply = std::visit([this](const auto& one) { return Do(one); }, request);
    if (!reply.ok()) return FailedReply{reply.error()};
    return std::move(reply).value();
  } catch (const std::bad_alloc&) {
    return FailedReply{Error{ErrorCode::kFailed, "the worker has no memory left for this", ""}};
  } catch (const std::exception&) {
    return FailedReply{Error{ErrorCode::kInternal, "a library failed in the worker", ""}};
  }
}

Result<WorkerReply> Worker::Do(const ResolveRequest& request) {
  return AsReply(ResolveOffer(request));
}

Result<WorkerReply> Worker::Do(const ReviewRequest& request) {
  return AsReply(ReviewOffer(request));
}

Result<WorkerReply> Worker::Do(const OpenSiteRequest& request) {
  site_.reset();  // two data sets are never in memory at once
  SYNOD_ASSIGN_OR_RETURN(SiteWork::Opened opened, SiteWork::Open(request, streams_, threads_, load_compute_));
  site_ = std::move(opened.work);
  return WorkerReply(OpenSiteReply{std::move(opened.report)});
}

Result<WorkerReply> Worker::Do(const AnswerRequest& request) {
  if (!site_) return BadInput("an answer was asked for before the records of a run were opened");
  return site_->Answer(request);
}

Result<WorkerReply> Worker::Do(const OpenTrainerRequest& request) {
  training_.reset();
  SYNOD_ASSIGN_OR_RETURN(training_, TrainingWork::Open(request));
  return WorkerReply(OpenTrainerReply{});
}

Result<WorkerReply> Worker::Do(const TrainRequest& request) {
  if (!training_) return BadInput("there is no trainer to train: open one first");
  return AsReply(training_->Train(request));
}

Result<WorkerReply> Worker::Do(const DraftRequest& request) {
  if (!training_) return BadInput("there is no trainer to finish: open one first");
  return AsReply(training_->Draft(request));
}

Result<WorkerReply> Worker::Do(const CheckDraftRequest& request) {
  return AsReply(CheckDraft(request));
}

}  // namespace synod
