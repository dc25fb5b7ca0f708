// A site whose units, contribution and ledger the tests hold in their hands.
#pragma once

#include <functional>

#include "site_agent/site_round.h"
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

struct SiteBench {
  explicit SiteBench(const RoundPlanOptions& options = {}, std::size_t units = 20, std::uint64_t seed = 1)
      : plan(RoundPlan(options)), contribution(options.dimension), ledger_store(log) {
    run.bytes.fill(7);
    dataset.bytes.fill(9);
    round.emplace(SiteRound::Setup{plan, run, dataset, RecordsOf(units), 1}, contribution, ledger,
                  SecretRandomForTestsOnly::FromSeed(seed));
  }

  // Query `query` of the plan's entry.
  SiteRound::Reply Ask(std::uint32_t entry, std::uint32_t query, std::uint32_t attempt = 0) {
    Query asked;
    asked.index = query;
    asked.entry = entry;
    asked.kind = plan->entries()[entry].kind;
    return round->Answer(asked, {run, query, attempt});
  }

  EventLog log;
  std::shared_ptr<const Plan> plan;
  RunId run;
  DatasetId dataset;
  TestContribution contribution;
  TestLedgerStore ledger_store;
  Ledger ledger = Ledger::Open(ledger_store).value();
  std::optional<SiteRound> round;
};

inline std::optional<RefusalReason> Refusal(const SiteRound::Reply& reply) {
  if (!std::holds_alternative<RefusalReason>(reply)) return std::nullopt;
  return std::get<RefusalReason>(reply);
}

inline Bytes WordsOf(const SiteRound::Reply& reply) {
  return std::get<StandaloneSum>(reply).Encode(WordBits::k64);
}

// The integers of a standalone answer, in grid units.
inline std::vector<double> IntegersOf(const PlanEntry& entry, SiteRound::Reply reply) {
  SumAccumulator total(GridOfEntry(entry), WordBits::k64);
  if (auto* share = std::get_if<NoisedSum>(&reply)) {
    total.Add(std::move(*share));
  } else {
    total.Add(std::move(std::get<StandaloneSum>(reply)));
  }
  const NoisySum sum = std::move(total).Finish();
  std::vector<double> integers(sum.values().begin(), sum.values().end());
  for (double& value : integers) value *= entry.grid_scale;
  return integers;
}

}  // namespace synod::testing
