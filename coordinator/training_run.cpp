#include "coordinator/training_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace synod {
namespace {

constexpr double kRateSeconds = 60.0;
static_assert(std::endian::native == std::endian::little, "parameters travel as they lie in memory");

// Context, then parameters.
std::shared_ptr<const Bytes> PayloadOf(const Query& query) {
  auto payload = std::make_shared<Bytes>(sizeof(float) * (query.context.size() + query.parameters.size()));
  std::uint8_t* out = payload->data();
  const std::size_t context_bytes = sizeof(float) * query.context.size();
  if (context_bytes > 0) std::memcpy(out, query.context.data(), context_bytes);
  if (!query.parameters.empty()) {
    std::memcpy(out + context_bytes, query.parameters.data(), sizeof(float) * query.parameters.size());
  }
  return payload;
}

// What the trainer needs of the query that a sum answers: its values are its own.
std::shared_ptr<const Query> WithoutValues(const Query& query) {
  auto light = std::make_shared<Query>();
  light->index = query.index;
  light->entry = query.entry;
  light->kind = query.kind;
  return light;
}

}  // namespace

TrainingRun::TrainingRun(RunRecord record, Ports ports) : record_(std::move(record)), ports_(std::move(ports)) {
  last_tick_ = ports_.clock.MonotonicSeconds();
  checkpoint_at_ = last_tick_;
}

void TrainingRun::EnterPhase(Phase phase) {
  phase_ = phase;
  phase_since_unix_ = ports_.clock.UnixSeconds();
  phase_detail_.clear();
}

void TrainingRun::Begin() {
  if (phase_ == Phase::kEnded) return;
  round_.reset();
  masked_.reset();
  EnterPhase(Phase::kOpening);
  const Status opened = Open();
  if (opened.ok()) return;
  // A disk that cannot be read may come back; a history that does not fit will not.
  if (opened.error().code == ErrorCode::kFailed) return PauseForStorage(opened.error());
  End(opened.error());
}

Status TrainingRun::Open() {
  SYNOD_ASSIGN_OR_RETURN(RoundHistory history, ports_.store.LoadHistory());
  const Result<std::optional<TrainingCheckpoint>> checkpoint = ports_.store.LoadCheckpoint();
  if (!checkpoint.ok()) return checkpoint.error();
  OpenTrainerRequest request;
  request.run = run();
  request.offer = {record_.submission.specification, record_.submission.schema, record_.plan_text};
  if (checkpoint->has_value()) {
    history.trained_queries = (*checkpoint)->trained_queries;
    request.checkpoint = (*checkpoint)->state;
  }
  checkpoint_queries_ = history.trained_queries;
  SYNOD_ASSIGN_OR_RETURN(
      CoordinatorRound round,
      CoordinatorRound::Restore(record_.plan, run(), {ports_.ledger, ports_.store.rounds()}, std::move(history)));
  round_ = std::make_unique<CoordinatorRound>(std::move(round));
  ports_.to_worker(std::move(request));
  return {};
}

void TrainingRun::Do(CoordinatorRound::Action action) {
  if (const auto* train = std::get_if<CoordinatorRound::Train>(&action)) return Train(*train);
  if (const auto* ask = std::get_if<CoordinatorRound::Ask>(&action)) return Ask(*ask);
  if (const auto* gave_up = std::get_if<CoordinatorRound::GaveUp>(&action)) return GiveUp(*gave_up);
  EnterPhase(Phase::kDrafting);
  phase_detail_ = "the worker writes the draft of the generator file";
  ports_.to_worker(DraftRequest{run(), round_->participation(), ports_.clock.UnixSeconds()});
}

bool TrainingRun::WantCheckpoint() const {
  return trained_queries_ >= checkpoint_queries_ + kCheckpointQueries ||
         (trained_queries_ > checkpoint_queries_ &&
          ports_.clock.MonotonicSeconds() - checkpoint_at_ >= kCheckpointSeconds);
}

void TrainingRun::Train(const CoordinatorRound::Train& train) {
  EnterPhase(Phase::kTraining);
  if (train.replayed) phase_detail_ = fmt::format("the worker replays query {}", train.answered->index);
  trained_queries_ = train.trained_queries;
  TrainRequest request;
  request.left = train.left;
  request.want_checkpoint = WantCheckpoint();
  if (train.sum != nullptr) {
    request.has_sum = true;
    request.answered = WithoutValues(*train.answered);
    request.words = train.sum->words();
    request.answers = train.sum->answers();
  }
  if (train.answered != nullptr && !train.replayed) {
    for (const RosterSite& site : record_.plan->facts().roster) {
      ports_.to_site(site.id, {QueryClosed{run(), train.answered->index}, nullptr});
    }
  }
  ports_.to_worker(std::move(request));
}

void TrainingRun::Ask(const CoordinatorRound::Ask& ask) {
  EnterPhase(Phase::kAsking);
  query_payload_ = PayloadOf(*ask.query);
  refused_.clear();
  elapsed_seconds_ = 0.0;
  short_of_sites_ = false;
  if (secure()) {
    // What a plan and the members' keys do not allow now, a further attempt would not allow either.
    if (const Status begun = BeginMasked(ask); !begun.ok()) End(begun.error());
    return;
  }
  ports_.fail_points.At(FailPoint::kCoordinatorBeforeQuerySent);
  for (const std::string& site : MissingAndConnected()) SendQuery(site);
  ports_.fail_points.At(FailPoint::kCoordinatorAfterQuerySent);
  const QueryName name = ask.name;
  for (const RosterSite& site : record_.plan->facts().roster) {
    if (record_.Approved(site.id)) continue;
    // Never the last one: a run starts with enough sites that approved.
    OnRefusal(site.id, name, RefusalReason::kOutsidePlan);
  }
}

void TrainingRun::SendQuery(const std::string& site) {
  const CoordinatorRound::Ask* open = round_->open();
  const PlanEntry& entry = record_.plan->entries()[open->query->entry];
  QueryAsk message;
  message.name = open->name;
  message.entry = open->query->entry;
  message.kind = open->query->kind;
  message.context_values = open->query->context.size();
  message.parameter_values = open->query->parameters.size();
  message.seconds_left =
      masked_ ? masked_->seconds_left() : std::max(0.0, record_.summary.deadline_seconds - elapsed_seconds_);
  ports_.owed.Ask(site, open->name, entry.dimension * (entry.word_bits / 8));
  ports_.to_site(site, {message, query_payload_});
}

void TrainingRun::GiveUp(const CoordinatorRound::GaveUp& gave_up) {
  if (gave_up.resumable) return PauseForStorage(gave_up.error);
  End(gave_up.error);
}

void TrainingRun::PauseForStorage(const Error& error) {
  round_.reset();
  masked_.reset();
  EnterPhase(Phase::kStorage);
  phase_detail_ = error.message;
  retry_at_ = ports_.clock.MonotonicSeconds() + kStorageRetrySeconds;
  ports_.log.Error("run_paused", {{"run", RunIdText(run())}, {"reason", error.message}});
}

void TrainingRun::End(Error error) {
  round_.reset();
  masked_.reset();
  EnterPhase(Phase::kEnded);
  ports_.on_failed(std::move(error));
}

void TrainingRun::OnWorkerReply(WorkerReply reply) {
  if (phase_ == Phase::kOpening && std::holds_alternative<OpenTrainerReply>(reply)) return Do(round_->Start());
  if (auto* trained = std::get_if<TrainReply>(&reply); trained != nullptr && phase_ == Phase::kTraining) {
    return TakeTrained(std::move(*trained));
  }
  if (auto* draft = std::get_if<DraftReply>(&reply); draft != nullptr && phase_ == Phase::kDrafting) {
    return ports_.on_draft(std::move(*draft));
  }
  if (const auto* failed = std::get_if<FailedReply>(&reply)) TakeFailed(failed->error);
}

void TrainingRun::TakeTrained(TrainReply reply) {
  news_ = reply.news;
  if (reply.checkpoint) {
    const Status saved = ports_.store.SaveCheckpoint({trained_queries_, std::move(*reply.checkpoint)});
    // Without it a restart replays from the one before.
    if (!saved.ok()) ports_.log.Warning("checkpoint_not_stored", {{"reason", saved.error().message}});
    checkpoint_queries_ = trained_queries_;
    checkpoint_at_ = ports_.clock.MonotonicSeconds();
  }
  std::optional<Query> next;
  if (reply.next != nullptr) next = *reply.next;
  Do(round_->OnTrained(std::move(next)));
}

void TrainingRun::TakeFailed(const Error& error) {
  if (phase_ == Phase::kTraining) return Do(round_->OnTrainingFailed(error));
  if (phase_ == Phase::kOpening || phase_ == Phase::kDrafting) End(error);
}

void TrainingRun::OnWorkerLost(const Error& error) {
  if (phase_ == Phase::kEnded || phase_ == Phase::kStorage) return;
  ports_.log.Warning("worker_lost", {{"run", RunIdText(run())}, {"reason", error.message}});
  if (++worker_losses_ >= kMaxWorkerLosses) {
    return End(Failed(fmt::format("the worker ended {} times in a row: {}", worker_losses_, error.message),
                      "look at the coordinator's log and memory; the answers that were given stay charged"));
  }
  Begin();
  if (phase_ == Phase::kOpening) phase_detail_ = error.message;
}

void TrainingRun::OnAnswer(const std::string& site, const QueryName& name, ByteView words) {
  silent_.erase(site);
  if (round_ == nullptr || masked_) return;  // an answer without a mask is not one that was asked for
  if (std::optional<CoordinatorRound::Action> action = round_->OnAnswer(site, name, words)) {
    worker_losses_ = 0;
    return Do(std::move(*action));
  }
  CloseIfNobodyIsWaitedFor();
}

void TrainingRun::OnRefusal(const std::string& site, const QueryName& name, RefusalReason reason) {
  if (round_ == nullptr || phase_ != Phase::kAsking) return;
  const std::vector<std::string> missing = round_->missing();
  const bool owed = std::find(missing.begin(), missing.end(), site) != missing.end();
  if (owed && round_->open()->name == name) refused_.insert(site);
  if (masked_) {
    if (name == masked_->name()) TakeOutcome(masked_->OnLeft(site));
    return;
  }
  if (std::optional<CoordinatorRound::Action> action = round_->OnRefusal(site, name, reason)) {
    return Do(std::move(*action));
  }
  CloseIfNobodyIsWaitedFor();
}

void TrainingRun::OnSiteConnected(const std::string& site) {
  if (round_ == nullptr || phase_ != Phase::kAsking || !record_.Approved(site)) return;
  if (masked_) {
    if (masked_->WantsQuery(site)) return SendQuery(site);
    return TakeOutcome(masked_->OnConnected(site));
  }
  const std::vector<std::string> missing = round_->missing();
  if (std::find(missing.begin(), missing.end(), site) != missing.end()) SendQuery(site);
}

void TrainingRun::OnDecision(const std::string& site, const SiteDecision& decision) {
  record_.decisions[site] = decision;
  if (round_ == nullptr || phase_ != Phase::kAsking) return;
  if (decision.decision == Decision::kApproved) return OnSiteConnected(site);
  OnRefusal(site, QueryName(round_->open()->name), RefusalReason::kOutsidePlan);
}

void TrainingRun::Tick() {
  const double now = ports_.clock.MonotonicSeconds();
  const double seconds = now - last_tick_;
  last_tick_ = now;
  if (phase_ == Phase::kStorage && now >= retry_at_) return Begin();
  if (round_ == nullptr) return;
  const std::uint64_t done = QueriesDone();
  if (done_over_time_.empty() || done_over_time_.back().second != done) done_over_time_.emplace_back(now, done);
  while (done_over_time_.size() > 2 && done_over_time_.front().first < now - kRateSeconds) done_over_time_.pop_front();
  if (phase_ != Phase::kAsking) return;
  if (masked_) return AdvanceMasked(seconds);
  AdvanceDeadline(seconds);
}

const Participation* TrainingRun::participation() const {
  return round_ == nullptr ? nullptr : &round_->participation();
}

}  // namespace synod
