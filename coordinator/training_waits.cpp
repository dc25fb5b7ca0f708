// The part of TrainingRun that knows whom an open query waits for, and says so.
#include <algorithm>

#include "coordinator/round_history.h"
#include "coordinator/training_run.h"

namespace synod {

std::vector<std::string> TrainingRun::MissingAndConnected() const {
  std::vector<std::string> sites;
  for (const std::string& site : round_->missing()) {
    if (record_.Approved(site) && ports_.sites.connected(site)) sites.push_back(site);
  }
  return sites;
}

std::uint32_t TrainingRun::AnswersSoFar() const {
  return record_.plan->sites() - static_cast<std::uint32_t>(round_->missing().size() + refused_.size());
}

// With enough answers, those who are long gone or keep silent are not waited for.
void TrainingRun::CloseIfNobodyIsWaitedFor() {
  if (round_ == nullptr || phase_ != Phase::kAsking || AnswersSoFar() < AnswersNeeded(*record_.plan)) return;
  for (const std::string& site : round_->missing()) {
    const bool gone = ports_.sites.AbsentSeconds(site) >= record_.summary.deadline_seconds;
    if (!gone && !silent_.contains(site)) return;
  }
  if (std::optional<CoordinatorRound::Action> action = round_->OnDeadline()) Do(std::move(*action));
}

void TrainingRun::AdvanceDeadline(double seconds) {
  const std::vector<std::string> reachable = MissingAndConnected();
  const bool short_of_sites = AnswersSoFar() + reachable.size() < AnswersNeeded(*record_.plan);
  // Sites that have just come back get the whole time for their answer.
  if (short_of_sites_ && !short_of_sites) elapsed_seconds_ = 0.0;
  if (short_of_sites != short_of_sites_) phase_since_unix_ = ports_.clock.UnixSeconds();
  short_of_sites_ = short_of_sites;
  if (short_of_sites) return;
  elapsed_seconds_ += seconds;
  if (elapsed_seconds_ < record_.summary.deadline_seconds) return CloseIfNobodyIsWaitedFor();
  silent_.insert(reachable.begin(), reachable.end());
  for (const std::string& site : round_->missing()) {
    ports_.log.Warning("no_answer", {{"run", RunIdText(run())},
                                     {"site", site},
                                     {"query", round_->open()->name.query},
                                     {"attempt", round_->open()->name.attempt}});
  }
  if (std::optional<CoordinatorRound::Action> action = round_->OnDeadline()) Do(std::move(*action));
}

std::uint64_t TrainingRun::QueriesDone() const {
  std::uint64_t done = 0;
  for (const std::uint64_t used : round_->participation().UsedOfEntries(record_.plan->entries().size())) done += used;
  return done;
}

std::vector<WaitReason> TrainingRun::Waits() const {
  TrainingWait wait;
  wait.since_unix = phase_since_unix_;
  wait.detail = phase_detail_;
  if (phase_ == Phase::kStorage) wait.kind = WaitKind::kStorage;
  if (phase_ == Phase::kOpening && worker_losses_ > 0) wait.kind = WaitKind::kWorker;
  if (phase_ == Phase::kOpening && worker_losses_ == 0) wait.detail = "the worker gets ready to train";
  if (phase_ == Phase::kAsking && masked_) DescribeMasked(wait);
  if (phase_ == Phase::kAsking && !masked_) {
    wait.kind = short_of_sites_ ? WaitKind::kQuorum : WaitKind::kAnswers;
    wait.sites = round_->missing();
    if (short_of_sites_) {
      std::erase_if(wait.sites, [&](const std::string& site) { return ports_.sites.connected(site); });
    }
    wait.query = round_->open()->name.query;
    wait.attempt = round_->open()->name.attempt;
    wait.elapsed_seconds = elapsed_seconds_;
    wait.deadline_seconds = record_.summary.deadline_seconds;
    wait.answers = AnswersSoFar();
    wait.answers_needed = AnswersNeeded(*record_.plan);
  }
  return {Describe(wait)};
}

TrainingProgress TrainingRun::Progress() const {
  TrainingProgress progress;
  for (const PlanEntry& entry : record_.plan->entries()) {
    progress.queries_planned += entry.allowed();
    progress.queries_needed += entry.count;
  }
  progress.loss = news_.loss;
  progress.clipped_fraction = news_.clipped_fraction;
  if (round_ == nullptr) return progress;
  progress.used = round_->used();
  progress.queries_done = QueriesDone();
  if (const CoordinatorRound::Ask* open = round_->open()) {
    progress.entry = record_.plan->entries()[open->query->entry].name;
  }
  if (done_over_time_.size() >= 2) {
    const auto& [first_time, first_done] = done_over_time_.front();
    const double seconds = ports_.clock.MonotonicSeconds() - first_time;
    if (seconds > 0.0) progress.queries_per_second = static_cast<double>(progress.queries_done - first_done) / seconds;
  }
  return progress;
}

}  // namespace synod
