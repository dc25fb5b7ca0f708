// The part of RunDirector that owns the run that trains.
#include <fmt/format.h>

#include "coordinator/run_director.h"

namespace synod {

// Whether a durable change happened; if not, it is tried again after a pause and `why` says so.
bool RunDirector::Stored(const Status& status, const RunId& run) {
  if (status.ok()) {
    if (storage_error_ && storage_error_->first == run) storage_error_.reset();
    return true;
  }
  if (!storage_error_) {
    ports_.log.Error("not_stored", {{"run", RunIdText(run)}, {"reason", status.error().message}});
  }
  storage_error_ = {run, status.error().message};
  retry_at_ = ports_.clock.MonotonicSeconds() + kRetrySeconds;
  return false;
}

void RunDirector::FailRun(const RunId& run, const Error& error) {
  if (!Stored(ports_.book.Fail(run, error), run)) return;
  ports_.log.Error("run_failed", {{"run", RunIdText(run)}, {"reason", error.message}});
  TellSites(*ports_.book.Find(run));
}

void RunDirector::StartNext() {
  if (training_ != nullptr) return;
  if (const RunRecord* running = ports_.book.training()) return BeginTraining(*running);
  const RunRecord* next = ports_.book.NextToStart();
  if (next == nullptr) return;
  const RunId run = next->run();
  if (!Stored(ports_.book.Start(run), run)) return;
  const RunRecord& record = *ports_.book.Find(run);
  ports_.log.Info("run_started", {{"run", RunIdText(run)}});
  TellSites(record);
  BeginTraining(record);
}

void RunDirector::BeginTraining(const RunRecord& record) {
  Result<std::unique_ptr<TrainingStore>> store = ports_.training_store(record.run());
  if (!store.ok()) {
    Stored(store.error(), record.run());
    return;
  }
  training_store_ = std::move(*store);
  training_ended_ = false;
  training_failure_.reset();
  training_since_ = ports_.clock.MonotonicSeconds();
  traffic_before_ = ports_.traffic();
  TrainingRun::Ports ports{ports_.ledger,
                           *training_store_,
                           ports_.sites,
                           ports_.owed,
                           ports_.clock,
                           ports_.fail_points,
                           ports_.log,
                           [this] { return ports_.trust.Keys().sites; },
                           ports_.trainer.send,
                           ports_.to_site,
                           [this](DraftReply reply) { TakeDraft(std::move(reply)); },
                           [this](Error error) {
                             training_failure_ = std::move(error);
                             training_ended_ = true;
                           }};
  training_ = std::make_unique<TrainingRun>(record, std::move(ports));
  training_->Begin();
}

void RunDirector::TakeDraft(DraftReply reply) {
  const RunRecord& record = *ports_.book.Find(training_->run());
  const auto& roster = record.plan->facts().roster;
  std::vector<std::string> signers;
  for (std::uint32_t site = 0; site < roster.size(); ++site) {
    std::uint64_t answers = 0;
    for (const std::uint64_t used : training_->participation()->AnsweredBy(site, record.plan->entries().size())) {
      answers += used;
    }
    if (answers > 0) signers.push_back(roster[site].id);
  }
  const Status stored = ports_.book.TakeDraft(record.run(), reply.draft, reply.file_digest, std::move(signers));
  if (!stored.ok()) return training_->OnDraftNotStored(stored.error());
  training_ended_ = true;
  LogTrained(record);
}

// What it cost on the wire, of this process: links of people that watched included.
void RunDirector::LogTrained(const RunRecord& record) const {
  const Traffic traffic = ports_.traffic();
  ports_.log.Info("run_trained", {{"run", RunIdText(record.run())},
                                  {"queries", training_->Progress().queries_done},
                                  {"seconds", ports_.clock.MonotonicSeconds() - training_since_},
                                  {"bytes_sent", traffic.bytes_sent - traffic_before_.bytes_sent},
                                  {"bytes_received", traffic.bytes_received - traffic_before_.bytes_received}});
}

void RunDirector::OnTrainerReply(WorkerReply reply) {
  if (training_ != nullptr && !training_ended_) training_->OnWorkerReply(std::move(reply));
}

void RunDirector::OnTrainerLost(const Error& error) {
  if (training_ != nullptr && !training_ended_) training_->OnWorkerLost(error);
}

// Memory of LibTorch and sums on disk are given back. That sums could not be deleted costs space, nothing else.
void RunDirector::EndTraining() {
  ports_.trainer.kill();
  const Status forgotten = training_store_->Forget();
  if (!forgotten.ok()) ports_.log.Warning("sums_not_deleted", {{"reason", forgotten.error().message}});
  training_.reset();
  training_store_.reset();
  training_ended_ = false;
}

void RunDirector::Advance() {
  if (training_ended_ && training_ != nullptr) {
    const RunId run = training_->run();
    if (training_failure_ && !Stored(ports_.book.Fail(run, *training_failure_), run)) return;
    if (training_failure_) {
      ports_.log.Error("run_failed", {{"run", RunIdText(run)}, {"reason", training_failure_->message}});
    }
    EndTraining();
    TellSites(*ports_.book.Find(run));
  }
  if (ports_.clock.MonotonicSeconds() < retry_at_) return;
  ProposeAgain();
  ResolveNext();
  StartNext();
}

void RunDirector::Tick() {
  if (training_ != nullptr && !training_ended_) training_->Tick();
  ports_.signing.Tick();
  Advance();
}

Status RunDirector::Abort(const RunId& run, const std::string& by) {
  const RunRecord* record = ports_.book.Find(run);
  if (record == nullptr) return BadInput(fmt::format("there is no run {}", RunIdText(run)));
  if (record->state == RunState::kAborted) return {};
  SYNOD_RETURN_IF_ERROR(ports_.book.Abort(run, by));
  ports_.log.Info("run_aborted", {{"run", RunIdText(run)}, {"operator", by}});
  if (resolving_ == run) {
    ports_.resolver.kill();
    resolving_.reset();
  }
  if (training_ != nullptr && training_->run() == run) EndTraining();
  TellSites(*ports_.book.Find(run));
  return {};
}

RunSight RunDirector::Sight(const RunRecord& record) const {
  const bool trains = training_ != nullptr && training_->run() == record.run() && record.state == RunState::kRunning;
  RunSight sight{record, ports_.sites, {}, std::nullopt};
  if (trains) {
    sight.waits = training_->Waits();
    const std::vector<std::string> awaited = sight.waits.front().sites;
    for (const std::string& site : awaited) {
      if (!ports_.sites.connected(site)) sight.waits.push_back(NotConnectedWait(site, ports_.sites, "answers"));
    }
    sight.progress = training_->Progress();
  } else {
    sight.waits = WaitsOf(record, ports_.sites, ports_.book.training());
  }
  std::string storage = ports_.signing.StorageError(record.run());
  if (storage_error_ && storage_error_->first == record.run()) storage = storage_error_->second;
  if (!storage.empty()) {
    TrainingWait wait;
    wait.kind = WaitKind::kStorage;
    wait.since_unix = record.state_since_unix;
    wait.detail = std::move(storage);
    sight.waits.push_back(Describe(wait));
  }
  return sight;
}

}  // namespace synod
