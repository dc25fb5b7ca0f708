// Plans, answers and ports that the tests of rounds drive: no LibTorch, no disk, no clock.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/privacy/noise_arithmetic.h"
#include "common/query/clipped_summer.h"
#include "common/query/grid.h"
#include "common/query/noise_share.h"
#include "coordinator/coordinator_round.h"
#include "models/family.h"
#include "tests/support/deterministic_random.h"

namespace synod::testing {

struct RoundPlanOptions {
  Aggregation aggregation = Aggregation::kNone;
  std::uint32_t sites = 3;
  std::uint32_t quorum = 2;
  std::uint32_t steps = 3;
  std::uint32_t retries = 2;
  std::uint64_t dimension = 4;
  double sampling_rate = 0.5;
  std::uint64_t units = 1000;
  std::vector<Digest> keys = {};  // fingerprints, with secure aggregation: c = 1, t = quorum
};

inline PlanEntry RoundEntry(std::string name, QueryKind kind, const RoundPlanOptions& options) {
  PlanEntry entry;
  entry.name = std::move(name);
  entry.kind = kind;
  entry.dimension = options.dimension;
  entry.parts = {{"vector", 1.0}};
  entry.grid_scale = 1024.0;
  entry.sensitivity = SensitivityOnGrid(entry.grid_scale, entry.clip, entry.dimension);
  entry.site_variance = std::uint64_t{1} << 20;  // a standard deviation of 1.0 in units of the vector
  return entry;
}

// Two entries: 0 "counts" (one histogram of everybody, one retry), 1 "training" (steps gradients of samples).
inline std::shared_ptr<const Plan> RoundPlan(const RoundPlanOptions& options = {}) {
  PlanFacts facts;
  facts.name = "rounds";
  for (std::uint32_t i = 0; i < options.sites; ++i) {
    facts.roster.push_back(
        {std::string("site-") + static_cast<char>('a' + i), options.keys.empty() ? Digest{} : options.keys[i]});
  }
  facts.quorum = options.aggregation == Aggregation::kCurator ? options.sites : options.quorum;
  if (options.aggregation == Aggregation::kSecure) {
    facts.max_colluding = 1;
    facts.threshold = options.quorum;
  }
  facts.delta = 1e-5;
  facts.epsilon_target = 3.0;
  facts.units = options.units;
  facts.model_family = "table_test";
  facts.aggregation = options.aggregation;
  PlanEntry counts = RoundEntry("counts", QueryKind::kHistogram, options);
  counts.retries = 1;
  PlanEntry training = RoundEntry("training", QueryKind::kGradient, options);
  training.count = options.steps;
  training.retries = options.retries;
  training.sampling_rate = options.sampling_rate;
  return std::make_shared<const Plan>(Plan::Create(facts, {counts, training}).value());
}

inline Grid GridOfEntry(const PlanEntry& entry) {
  return Grid::Make(entry.grid_scale, entry.clip, entry.dimension).value();
}

// What a site could answer: `value` in every coordinate, with noise of the stream `seed`. Equal calls, equal answers.
inline NoisedSum ShareOf(const Plan& plan, std::uint32_t entry_index, std::uint64_t seed) {
  const PlanEntry& entry = plan.entries()[entry_index];
  const Grid grid = GridOfEntry(entry);
  const NoiseShare share = NoiseShare::Make(grid, entry.site_variance, plan.honest_shares()).value();
  ClippedSummer summer(entry.dimension, entry.clip);
  summer.AddBlock(std::vector<float>(entry.dimension, 0.25F), 1);
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(seed);
  return share.Add(grid.Encode(std::move(summer).Finish()), random);
}

inline StandaloneSum AnswerOf(const Plan& plan, std::uint32_t entry, std::uint64_t seed) {
  return StandaloneSum(ShareOf(plan, entry, seed));
}

// The words of the total of the answers with these seeds, added up on their own.
inline Bytes TotalOf(const Plan& plan, std::uint32_t entry, const std::vector<std::uint64_t>& seeds) {
  SumAccumulator total(GridOfEntry(plan.entries()[entry]), WordBits::k32);
  for (const std::uint64_t seed : seeds) total.Add(AnswerOf(plan, entry, seed));
  return std::move(total).Finish().words();
}

// What happened, in order: "charge 1.0", "store 1.0", "absorb 1", "next".
using EventLog = std::vector<std::string>;

inline std::string NameText(const QueryName& name) {
  return std::to_string(name.query) + "." + std::to_string(name.attempt);
}

class TestLedgerStore final : public LedgerStore {
 public:
  explicit TestLedgerStore(EventLog& log) : log_(log) {}

  Status AppendDurably(const LedgerRow& row) override {
    if (rows_.size() >= fail_from) {
      if (keeps_row_on_failure) rows_.push_back(row);
      return Failed("the disk of the ledger is full");
    }
    log_.push_back("charge " + NameText(row.charge.name));
    rows_.push_back(row);
    return {};
  }
  Result<std::vector<LedgerRow>> Load() const override { return rows_; }
  const std::vector<LedgerRow>& rows() const { return rows_; }

  std::size_t fail_from = SIZE_MAX;   // appends fail once there are this many rows
  bool keeps_row_on_failure = false;  // power came back, and the row was there after all

 private:
  EventLog& log_;
  std::vector<LedgerRow> rows_;
};

class TestRoundStore final : public RoundStore {
 public:
  explicit TestRoundStore(EventLog& log) : log_(log) {}
  Status AppendAttempt(const AttemptRecord& attempt, const NoisySum* sum) override {
    if (fails) return Failed("the disk of the sums is full");
    log_.push_back((sum != nullptr ? "store " : "record ") + NameText(attempt.name));
    attempts.push_back(attempt);
    if (sum != nullptr) words[attempt.name.query] = sum->words();
    return {};
  }
  Result<Bytes> LoadWords(std::uint32_t query) const override {
    const auto found = words.find(query);
    if (found == words.end()) return VerificationFailed("there is no sum of this query");
    return found->second;
  }

  std::vector<AttemptRecord> attempts;
  std::map<std::uint32_t, Bytes> words;  // of every sum, by query
  bool fails = false;

 private:
  EventLog& log_;
};

// Asks the entries of the plan in order: as often as the plan needs them, or as often as it has answers left.
class TestTrainer final : public Trainer {
 public:
  TestTrainer(std::shared_ptr<const Plan> plan, EventLog& log)
      : plan_(std::move(plan)), log_(&log), done_(plan_->entries().size(), 0) {}

  std::optional<Query> Next(std::span<const std::uint64_t> left) override {
    log_->push_back("next");
    for (std::uint32_t e = 0; e < left.size(); ++e) {
      const bool wanted = uses_spares || done_[e] < plan_->entries()[e].count;
      if (!wanted || left[e] == 0 || stops_early) continue;
      Query query;
      query.entry = e;
      query.kind = plan_->entries()[e].kind;
      return query;
    }
    return std::nullopt;
  }
  Status Absorb(const Query& query, const NoisySum& sum) override {
    if (fails) return Failed("the trainer cannot use this sum");
    log_->push_back("absorb " + std::to_string(query.index));
    ++done_[query.entry];
    absorbed.push_back(sum.words());
    values.emplace_back(sum.values().begin(), sum.values().end());
    answers.push_back(sum.answers());
    return {};
  }
  TrainingNews news() const override { return {}; }
  Result<GeneratorModel> Finish() override { return GeneratorModel{}; }

  bool uses_spares = false;
  bool stops_early = false;
  bool fails = false;
  std::vector<Bytes> absorbed;              // the words of every sum
  std::vector<std::vector<double>> values;  // and its values
  std::vector<std::uint32_t> answers;

 private:
  std::shared_ptr<const Plan> plan_;
  EventLog* log_;
  std::vector<std::uint32_t> done_;
};

// A coordinator with everything around it.
struct RoundBench {
  explicit RoundBench(const RoundPlanOptions& options = {})
      : plan(RoundPlan(options)), trainer(plan, log), ledger_store(log), store(log) {
    run.bytes.fill(7);
    round.emplace(plan, run, CoordinatorRound::Ports{ledger, store});
  }

  // Lets the trainer work until the round waits for sites or has ended.
  std::optional<CoordinatorRound::Action> Train(std::optional<CoordinatorRound::Action> action) {
    while (action && std::holds_alternative<CoordinatorRound::Train>(*action)) {
      const auto train = std::get<CoordinatorRound::Train>(*action);
      action = TrainOnce(train);
    }
    return action;
  }
  CoordinatorRound::Action TrainOnce(const CoordinatorRound::Train& train) {
    trained.push_back(train);
    if (train.sum != nullptr) {
      if (const Status absorbed = trainer.Absorb(*train.answered, *train.sum); !absorbed.ok()) {
        return round->OnTrainingFailed(absorbed.error());
      }
    }
    checkpoints.emplace_back(train.trained_queries, trainer);
    return round->OnTrained(trainer.Next(train.left));
  }

  // What a restarted coordinator finds.
  RoundHistory History(std::uint32_t trained_queries = 0) const {
    return {ledger_store.rows(), store.attempts, trained_queries};
  }
  // The process dies and another one takes the run up.
  Status Restart(RoundHistory history) {
    round.reset();
    ledger = Ledger::Open(ledger_store).value();
    SYNOD_ASSIGN_OR_RETURN(CoordinatorRound restored, CoordinatorRound::Restore(plan, run, {ledger, store}, history));
    round.emplace(std::move(restored));
    return {};
  }
  std::optional<CoordinatorRound::Action> Start() { return Train(round->Start()); }
  std::optional<CoordinatorRound::Action> Deadline() { return Train(round->OnDeadline()); }

  QueryName Name(std::uint32_t query, std::uint32_t attempt = 0) const { return {run, query, attempt}; }
  // The answer of `site` with the stream `seed`.
  std::optional<CoordinatorRound::Action> Answer(const std::string& site, const QueryName& name, std::uint64_t seed,
                                                 std::uint32_t entry = 0) {
    return Train(round->OnAnswer(site, name, AnswerOf(*plan, entry, seed)));
  }
  std::optional<CoordinatorRound::Action> Refuse(const std::string& site, const QueryName& name,
                                                 RefusalReason reason = RefusalReason::kMalformed) {
    return Train(round->OnRefusal(site, name, reason));
  }
  // All three sites answer query `name`.
  std::optional<CoordinatorRound::Action> AnswerAll(const QueryName& name, std::uint32_t entry) {
    EXPECT_FALSE(Answer("site-a", name, 1, entry));
    EXPECT_FALSE(Answer("site-b", name, 2, entry));
    return Answer("site-c", name, 3, entry);
  }

  EventLog log;
  std::shared_ptr<const Plan> plan;
  RunId run;
  TestTrainer trainer;
  TestLedgerStore ledger_store;
  Ledger ledger = Ledger::Open(ledger_store).value();
  TestRoundStore store;
  std::optional<CoordinatorRound> round;
  std::vector<CoordinatorRound::Train> trained;                    // every Train that the trainer was given
  std::vector<std::pair<std::uint32_t, TestTrainer>> checkpoints;  // the trainer as each of them left it
};

// The attempt that an action asks for, or nothing.
inline std::optional<QueryName> AskedName(const std::optional<CoordinatorRound::Action>& action) {
  if (!action || !std::holds_alternative<CoordinatorRound::Ask>(*action)) return std::nullopt;
  return std::get<CoordinatorRound::Ask>(*action).name;
}

inline const Error* GivenUp(const std::optional<CoordinatorRound::Action>& action) {
  if (!action || !std::holds_alternative<CoordinatorRound::GaveUp>(*action)) return nullptr;
  return &std::get<CoordinatorRound::GaveUp>(*action).error;
}

inline bool IsFinished(const std::optional<CoordinatorRound::Action>& action) {
  return action && std::holds_alternative<CoordinatorRound::Finished>(*action);
}

}  // namespace synod::testing
