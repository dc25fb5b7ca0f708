// A site whose units, contribution and ledger the tests hold in their hands.
#pragma once

#include <functional>
#include <map>

#include "models/worker/site_computer.h"
#include "site_agent/site_round.h"
#include "tests/support/seeded_streams.h"
#include "tests/unit/coordinator/round_fixture.h"

namespace synod::testing {

// `units` records of one number each.
inline std::shared_ptr<const UnitTable> RecordsOf(std::size_t units) {
  Column column;
  column.name = "number";
  column.maximum = 1.0;
  auto schema = std::make_shared<const Schema>(Schema::Create("one number", {column}).value());
  std::vector<ColumnCells> cells(1);
  cells[0].numbers.assign(units, 0.5);
  auto table = std::make_shared<const Table>(Table::Create(std::move(schema), std::move(cells), units).value());
  return std::make_shared<const UnitTable>(UnitTable::Records(std::move(table)));
}

// Adds vector_of(unit), which must have norm at most 1, in float32 block by block; remembers every batch.
class TestContribution final : public Contribution {
 public:
  explicit TestContribution(std::uint64_t dimension) : dimension_(dimension) {}

  std::uint32_t UnitsPerBlock(const Query&) const override {
    ++calls;
    return units_per_block;
  }
  Result<ClippedSum> Sum(const Query&, const BlockedBatch& batch) override {
    ++calls;
    if (error) return *error;
    batches.push_back(batch.units);
    std::sort(batches.back().begin(), batches.back().end());
    ClippedSummer summer(dimension_, 1.0);
    for (std::size_t b = 0; b < batch.block_count(); ++b) {
      std::vector<float> sum(dimension_, 0.0F);
      for (const std::uint32_t unit : batch.block(b)) {
        const std::vector<float> own = vector_of(unit);
        for (std::size_t i = 0; i < dimension_; ++i) sum[i] += own[i];
      }
      summer.AddBlock(sum, static_cast<std::uint32_t>(batch.block(b).size()));
    }
    return std::move(summer).Finish();
  }

  std::function<std::vector<float>(std::uint32_t)> vector_of = [this](std::uint32_t) {
    return std::vector<float>(dimension_, 0.0F);
  };
  std::uint32_t units_per_block = kMostRowsPerBlock;
  std::optional<Error> error;
  std::vector<std::vector<std::uint32_t>> batches;
  mutable int calls = 0;

 private:
  std::uint64_t dimension_;
};

// Keeps answers in memory, each from the moment that its row is in the ledger store.
class TestAnswerStore final : public AnswerStore {
 public:
  explicit TestAnswerStore(const TestLedgerStore& ledger) : ledger_(ledger) {}

  void Stage(const QueryName& name, Bytes answer) override { staged_[name] = std::move(answer); }
  Result<std::optional<Bytes>> StoredAnswer(const QueryName& name) const override {
    if (fails) return Failed("the answers cannot be read");
    const bool charged = std::any_of(ledger_.rows().begin(), ledger_.rows().end(),
                                     [&](const LedgerRow& row) { return row.charge.name == name; });
    const auto found = staged_.find(name);
    if (!charged || found == staged_.end()) return std::optional<Bytes>();
    return std::optional<Bytes>(found->second);
  }
  Status Forget(std::uint32_t query) override {
    std::erase_if(staged_, [&](const auto& answer) { return answer.first.query <= query; });
    return {};
  }

  bool fails = false;

 private:
  const TestLedgerStore& ledger_;
  std::map<QueryName, Bytes> staged_;
};

struct SiteBench {
  // What came of one query: the sum where one was computed, and what the round did.
  struct Reply {
    SiteRound::Action action;
    std::optional<NoisedSum> share;  // of a curator's plan
  };

  explicit SiteBench(const RoundPlanOptions& options = {}, std::size_t units = 20, std::uint64_t seed = 1)
      : plan(RoundPlan(options)), contribution(options.dimension), ledger_store(log), streams(seed, "site-a") {
    run.bytes.fill(7);
    dataset.bytes.fill(9);
    computer.emplace(SiteComputer::Setup{plan, run, RecordsOf(units), 1}, contribution, streams);
    Begin();
  }

  // A new round from what the ledger holds, as after a restart.
  void Begin() { round.emplace(SiteRound::Begin({plan, run, dataset}, ledger, answers, ledger_store.rows()).value()); }

  std::shared_ptr<const Query> QueryOf(std::uint32_t entry, std::uint32_t query) const {
    Query asked;
    asked.index = query;
    asked.entry = entry;
    asked.kind = plan->entries()[entry].kind;
    return std::make_shared<const Query>(std::move(asked));
  }

  // Query `query` of the plan's entry, computed at once where the round wants it.
  Reply Ask(std::uint32_t entry, std::uint32_t query, std::uint32_t attempt = 0) {
    return AskFor(QueryOf(entry, query), {run, query, attempt});
  }
  Reply AskFor(const std::shared_ptr<const Query>& query, const QueryName& name) {
    SiteRound::Action action = round->OnQuery(query, name);
    if (!std::holds_alternative<SiteRound::Compute>(action)) return {std::move(action), std::nullopt};
    Result<NoisedSum> computed = computer->Answer(*query, name);
    if (!computed.ok()) return {round->OnMalformed(name), std::nullopt};
    if (plan->facts().aggregation == Aggregation::kCurator) return {round->OnComputed(name, {}), std::move(*computed)};
    const WordBits bits = plan->entries()[query->entry].word_bits == 32 ? WordBits::k32 : WordBits::k64;
    return {round->OnComputed(name, StandaloneSum(std::move(*computed)).Encode(bits)), std::nullopt};
  }

  EventLog log;
  std::shared_ptr<const Plan> plan;
  RunId run;
  DatasetId dataset;
  TestContribution contribution;
  TestLedgerStore ledger_store;
  Ledger ledger = Ledger::Open(ledger_store).value();
  TestAnswerStore answers{ledger_store};
  SeededStreams streams;
  std::optional<SiteComputer> computer;
  std::optional<SiteRound> round;
};

inline std::optional<RefusalReason> Refusal(const SiteRound::Action& action) {
  if (!std::holds_alternative<SiteRound::Refuse>(action)) return std::nullopt;
  return std::get<SiteRound::Refuse>(action).reason;
}
inline std::optional<RefusalReason> Refusal(const SiteBench::Reply& reply) {
  return Refusal(reply.action);
}

inline bool IsSent(const SiteRound::Action& action) {
  return std::holds_alternative<SiteRound::Send>(action);
}

inline Bytes WordsOf(const SiteBench::Reply& reply) {
  return *std::get<SiteRound::Send>(reply.action).answer;
}

// The integers of an answer, in grid units.
inline std::vector<double> IntegersOf(const PlanEntry& entry, SiteBench::Reply reply) {
  SumAccumulator total(GridOfEntry(entry), entry.word_bits == 32 ? WordBits::k32 : WordBits::k64);
  if (reply.share) {
    total.Add(std::move(*reply.share));
  } else {
    EXPECT_TRUE(total.AddEncoded(WordsOf(reply)).ok());
  }
  const NoisySum sum = std::move(total).Finish();
  std::vector<double> integers(sum.values().begin(), sum.values().end());
  for (double& value : integers) value *= entry.grid_scale;
  return integers;
}

}  // namespace synod::testing
