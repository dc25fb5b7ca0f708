// A run that trains with everything around it in the tests' hands: worker, sites, clock, stores.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/training_run.h"
#include "tests/support/shared_data.h"
#include "tests/unit/coordinator/run_fixture.h"

namespace synod::testing {

using StepLog = std::vector<std::string>;

// Sums, attempts and checkpoints in memory, which outlives the run that writes them.
class HandTrainingStore final : public TrainingStore {
 public:
  explicit HandTrainingStore(LedgerStore& ledger) : rounds_(log_), ledger_(ledger) {}
  RoundStore& rounds() override { return rounds_; }
  Result<RoundHistory> LoadHistory() const override {
    if (unreadable) return Failed("the disk cannot be read");
    SYNOD_ASSIGN_OR_RETURN(std::vector<LedgerRow> rows, ledger_.Load());
    return RoundHistory{std::move(rows), rounds_.attempts, 0};
  }
  Result<std::optional<TrainingCheckpoint>> LoadCheckpoint() const override { return checkpoint; }
  Status SaveCheckpoint(const TrainingCheckpoint& saved) override {
    checkpoint = saved;
    return {};
  }
  Status Forget() override { return {}; }
  TestRoundStore& memory() { return rounds_; }

  bool unreadable = false;
  std::optional<TrainingCheckpoint> checkpoint;

 private:
  StepLog log_;
  TestRoundStore rounds_;
  LedgerStore& ledger_;
};

// A run with three sites, of which two have to answer, a worker that is a TestTrainer, and a deadline of 60 s.
class TrainingRunTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Make({});
    for (const char* site : {"site-a", "site-b", "site-c"}) Connect(site);
  }

  void Make(const RoundPlanOptions& options) {
    plan_ = RoundPlan(options);
    record_.submission = Submission(7);
    record_.summary = Summary(60.0);
    record_.plan = plan_;
    record_.plan_text = plan_->CanonicalText();
    for (const RosterSite& site : plan_->facts().roster) record_.decisions[site.id] = Approval();
    ledger_.emplace(Ledger::Open(ledger_store_).value());
    synod::EventLog::Settings settings;
    settings.file = TemporaryFolder() + "/training.log";
    log_ = synod::EventLog::Open(settings, clock_).value();
  }

  void Connect(const std::string& site, std::uint8_t process = 1) {
    Hello hello;
    hello.instance[0] = process;
    hello.unix_seconds = clock_.UnixSeconds();
    sites_.Opened(site, ++peer_, hello);
    if (run_) run_->OnSiteConnected(site);
  }
  void Disconnect(const std::string& site) { sites_.Closed(site, *sites_.Link(site).peer, "gone"); }

  void Begin() {
    trainer_ = std::make_unique<TestTrainer>(plan_, trainer_log_);
    TrainingRun::Ports ports{
        *ledger_,
        store_,
        sites_,
        owed_,
        clock_,
        fail_points_,
        *log_,
        [this] { return site_keys_; },
        [this](WorkerRequest request) { requests_.push_back(std::move(request)); },
        [this](const std::string& site, Envelope envelope) { sent_.emplace_back(site, std::move(envelope)); },
        [this](DraftReply) { drafted_ = true; },
        [this](Error error) { failure_ = std::move(error); }};
    run_.emplace(record_, std::move(ports));
    run_->Begin();
  }

  // The worker does everything that was asked of it.
  void Work() {
    while (!requests_.empty()) {
      const WorkerRequest request = std::move(requests_.front());
      requests_.erase(requests_.begin());
      if (std::holds_alternative<OpenTrainerRequest>(request)) {
        run_->OnWorkerReply(OpenTrainerReply{});
      } else if (const auto* train = std::get_if<TrainRequest>(&request)) {
        run_->OnWorkerReply(Trained(*train));
      } else {
        drafts_asked_.push_back(std::get<DraftRequest>(request));
        run_->OnWorkerReply(DraftReply{});
      }
    }
  }
  TrainReply Trained(const TrainRequest& request) {
    trained_.push_back(request);
    TrainReply reply;
    if (request.has_sum) {
      const PlanEntry& entry = plan_->entries()[request.answered->entry];
      const auto sum = SumAccumulator::Decode(GridOfEntry(entry), WordBits::k32, request.words, request.answers);
      (void)trainer_->Absorb(*request.answered, *sum);
    }
    if (request.want_checkpoint) reply.checkpoint = Bytes{1, 2, 3};
    if (std::optional<Query> next = trainer_->Next(request.left)) {
      next->parameters = {1.0F, 2.0F};
      next->context = {3.0F};
      reply.next = std::make_shared<const Query>(std::move(*next));
    }
    return reply;
  }

  // The query asks that left since the last call.
  std::vector<std::pair<std::string, QueryName>> TakeAsks() {
    std::vector<std::pair<std::string, QueryName>> asks;
    for (const auto& [site, envelope] : sent_) {
      if (const auto* ask = std::get_if<QueryAsk>(&envelope.message)) asks.emplace_back(site, ask->name);
    }
    sent_.clear();
    return asks;
  }
  std::set<std::string> AskedSites() {
    std::set<std::string> sites;
    for (const auto& [site, name] : TakeAsks()) sites.insert(site);
    return sites;
  }
  void Answer(const std::string& site, const QueryName& name) {
    const std::uint32_t entry = name.query == 0 ? 0 : 1;
    run_->OnAnswer(site, name, AnswerOf(*plan_, entry, name.query * 31 + site.back()).Encode(WordBits::k32));
    Work();
  }
  void AnswerAll(const std::vector<std::pair<std::string, QueryName>>& asks) {
    for (const auto& [site, name] : asks) Answer(site, name);
  }
  void Wait(double seconds) {
    for (double passed = 0.0; passed < seconds; passed += 1.0) {
      clock_.now += 1.0;
      run_->Tick();
      Work();
    }
  }
  WaitKind Kind() const { return KindOf(run_->Waits().at(0)); }
  static WaitKind KindOf(const WaitReason& wait) { return wait.kind; }

  std::map<std::string, PublicKey> site_keys_;
  HandClock clock_;
  NoFailPoints fail_points_;
  SiteBook sites_{clock_};
  OwedAnswers owed_;
  InMemoryLedgerStore ledger_store_;
  HandTrainingStore store_{ledger_store_};
  std::optional<Ledger> ledger_;
  std::unique_ptr<synod::EventLog> log_;
  std::shared_ptr<const Plan> plan_;
  RunRecord record_;
  StepLog trainer_log_;
  std::unique_ptr<TestTrainer> trainer_;
  std::optional<TrainingRun> run_;
  std::vector<WorkerRequest> requests_;
  std::vector<TrainRequest> trained_;
  std::vector<DraftRequest> drafts_asked_;
  std::vector<std::pair<std::string, Envelope>> sent_;
  std::optional<Error> failure_;
  bool drafted_ = false;
  PeerId peer_ = 0;
};

}  // namespace synod::testing
