#include "site_agent/compute_queue.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

namespace synod {
namespace {

template <typename Queue, typename Predicate>
void EraseIf(Queue& queue, Predicate predicate) {
  queue.erase(std::remove_if(queue.begin(), queue.end(), predicate), queue.end());
}

Error Unexpected() {
  return {ErrorCode::kInternal, "the worker gave a reply to something else", ""};
}

}  // namespace

const RunId& ComputeQueue::Job::run() const {
  if (const auto* answer = std::get_if<AnswerJob>(&what)) return answer->name.run;
  if (const auto* draft = std::get_if<DraftJob>(&what)) return draft->run;
  return std::get<ReviewJob>(what).run;
}

std::deque<ComputeQueue::Job>* ComputeQueue::QueueOf(const Job& job) {
  if (std::holds_alternative<AnswerJob>(job.what)) return &answers_;
  return std::holds_alternative<DraftJob>(job.what) ? &drafts_ : &reviews_;
}

void ComputeQueue::Review(const RunId& run, RunOffer offer) {
  reviews_.push_back({ReviewJob{run, std::move(offer)}});
}

void ComputeQueue::Answer(AnswerJob job) {
  EraseIf(answers_, [&](const Job& other) { return other.run() == job.name.run; });
  answers_.push_back({std::move(job)});
}

void ComputeQueue::CheckDraft(const RunId& run, RunOffer offer, Bytes draft, const Digest& file_digest) {
  EraseIf(drafts_, [&](const Job& other) { return other.run() == run; });
  drafts_.push_back({DraftJob{run, std::move(offer), std::move(draft), file_digest}});
}

void ComputeQueue::DropAnswers(const RunId& run, std::uint32_t query) {
  EraseIf(answers_, [&](const Job& job) {
    const auto& answer = std::get<AnswerJob>(job.what);
    return answer.name.run == run && answer.name.query <= query;
  });
}

void ComputeQueue::Forget(const RunId& run) {
  for (std::deque<Job>* queue : {&answers_, &drafts_, &reviews_}) {
    EraseIf(*queue, [&](const Job& job) { return job.run() == run; });
  }
  const bool computes = asked_ && asked_->run() == run;
  if (!computes && opened_ != run) return;
  if (asked_ && !computes) {  // another run's job, in the worker that still has these records
    QueueOf(*asked_)->push_front(std::move(*asked_));
  }
  asked_.reset();
  opened_.reset();
  opening_ = false;
  has_worker_ = false;
  worker_->End();
}

ComputeEvent ComputeQueue::FailedEvent(const Job& job, const Error& error) {
  if (const auto* answer = std::get_if<AnswerJob>(&job.what)) return NotComputed{answer->name, error};
  if (const auto* draft = std::get_if<DraftJob>(&job.what)) return DraftChecked{draft->run, draft->file_digest, error};
  return Reviewed{job.run(), error};
}

std::vector<ComputeEvent> ComputeQueue::OnFailed(Job job, const Error& error, bool opening, double now) {
  if (!opening) return {FailedEvent(job, error)};
  // The file may be put right while the query has time.
  const RunId run = job.run();
  job.not_before = now + kReopenSeconds;
  answers_.push_back(std::move(job));
  return {RecordsNotOpened{run, error}};
}

std::vector<ComputeEvent> ComputeQueue::OnReply(WorkerReply reply, double now) {
  if (!asked_) return {};
  losses_in_a_row_ = 0;
  not_before_ = 0.0;
  idle_since_ = now;
  Job job = std::move(*asked_);
  asked_.reset();
  const bool opening = std::exchange(opening_, false);
  if (const auto* failed = std::get_if<FailedReply>(&reply))
    return OnFailed(std::move(job), failed->error, opening, now);
  if (auto* opened = std::get_if<OpenSiteReply>(&reply); opened != nullptr && opening) {
    opened_ = job.run();
    std::vector<ComputeEvent> events = {RecordsOpened{job.run(), std::move(opened->report)}};
    answers_.push_front(std::move(job));
    return events;
  }
  if (const auto* answer = std::get_if<AnswerJob>(&job.what); answer != nullptr && !opening) {
    auto* computed = std::get_if<AnswerReply>(&reply);
    if (computed != nullptr && computed->name == answer->name) {
      return {Computed{answer->name, std::move(computed->words)}};
    }
    const auto* malformed = std::get_if<AnswerMalformedReply>(&reply);
    if (malformed != nullptr && malformed->name == answer->name) return {QueryMalformed{answer->name}};
  }
  if (const auto* draft = std::get_if<DraftJob>(&job.what)) {
    auto* checked = std::get_if<CheckDraftReply>(&reply);
    if (checked != nullptr) return {DraftChecked{draft->run, draft->file_digest, std::move(*checked)}};
  }
  if (std::holds_alternative<ReviewJob>(job.what)) {
    auto* reviewed = std::get_if<ReviewReply>(&reply);
    if (reviewed != nullptr) return {Reviewed{job.run(), std::move(*reviewed)}};
  }
  opened_.reset();
  has_worker_ = false;
  worker_->End();
  return {FailedEvent(job, Unexpected())};
}

std::vector<ComputeEvent> ComputeQueue::OnLost(const Error& error, double now) {
  opened_.reset();
  opening_ = false;
  has_worker_ = false;
  ++losses_in_a_row_;
  not_before_ =
      now + std::min(kMaxBackOffSeconds, kFirstBackOffSeconds * std::exp2(std::min(losses_in_a_row_, 20) - 1));
  if (!asked_) return {};
  Job job = std::move(*asked_);
  asked_.reset();
  if (++job.losses >= kMaxLosses) return {FailedEvent(job, error)};
  QueueOf(job)->push_front(std::move(job));
  return {};
}

void ComputeQueue::DropLate(double now, std::vector<ComputeEvent>& events) {
  for (auto job = answers_.begin(); job != answers_.end();) {
    if (std::get<AnswerJob>(job->what).until > now) {
      ++job;
      continue;
    }
    events.push_back(FailedEvent(*job, {ErrorCode::kTimeout, "the query's time is over", ""}));
    job = answers_.erase(job);
  }
}

std::optional<ComputeQueue::Job> ComputeQueue::TakeNext(double now) {
  for (std::deque<Job>* queue : {&answers_, &drafts_, &reviews_}) {
    const auto due = std::find_if(queue->begin(), queue->end(), [&](const Job& job) { return job.not_before <= now; });
    if (due == queue->end()) continue;
    Job job = std::move(*due);
    queue->erase(due);
    return job;
  }
  return std::nullopt;
}

std::vector<ComputeEvent> ComputeQueue::Ask(Job job, double now) {
  const auto request = [&]() -> WorkerRequest {
    if (const auto* answer = std::get_if<AnswerJob>(&job.what)) {
      if (opening_) return *answer->records;
      return AnswerRequest{answer->name, answer->query};
    }
    if (const auto* draft = std::get_if<DraftJob>(&job.what)) return CheckDraftRequest{draft->offer, draft->draft};
    return ReviewRequest{std::get<ReviewJob>(job.what).offer};
  };
  opening_ = std::holds_alternative<AnswerJob>(job.what) && opened_ != job.run();
  if (opening_) opened_.reset();
  const Status sent = worker_->Send(request());
  asked_ = std::move(job);
  has_worker_ = true;
  if (sent.ok()) return {};
  return OnLost(sent.error(), now);
}

std::vector<ComputeEvent> ComputeQueue::Advance(double now) {
  std::vector<ComputeEvent> events;
  DropLate(now, events);
  if (asked_) return events;
  if (now >= not_before_) {
    if (std::optional<Job> job = TakeNext(now)) {
      std::vector<ComputeEvent> more = Ask(std::move(*job), now);
      std::move(more.begin(), more.end(), std::back_inserter(events));
      return events;
    }
  }
  if (has_worker_ && !opened_ && waiting() == 0 && now >= idle_since_ + kIdleSeconds) {
    has_worker_ = false;
    worker_->End();
  }
  return events;
}

double ComputeQueue::next_timer() const {
  double next = std::numeric_limits<double>::infinity();
  for (const Job& job : answers_) next = std::min(next, std::get<AnswerJob>(job.what).until);
  if (asked_) return next;
  for (const std::deque<Job>* queue : {&answers_, &drafts_, &reviews_}) {
    for (const Job& job : *queue) next = std::min(next, std::max(job.not_before, not_before_));
  }
  if (has_worker_ && !opened_ && waiting() == 0) next = std::min(next, idle_since_ + kIdleSeconds);
  return next;
}

}  // namespace synod
