// Subjects with many rows: sampled as one, clipped as one, charged as one. Every test shows beside it what code that
// takes rows for units would have done.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/privacy/epsilon.h"
#include "common/query/clipped_summer.h"
#include "common/query/sum_accumulator.h"
#include "models/independent_columns/contribution.h"
#include "models/tabular/histogram_sum.h"
#include "models/worker/site_computer.h"
#include "tests/honesty/integers.h"
#include "tests/support/seeded_streams.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::honesty {
namespace {

constexpr std::uint64_t kManyRows = 50;
constexpr std::uint64_t kFrequentSubject = 1000;

// Subjects 1 to 20 with one to five random rows, and the frequent one with 50; without it if `without`.
std::shared_ptr<const Table> Ward(std::uint64_t seed, std::optional<std::uint64_t> without = std::nullopt,
                                  bool equal_rows = false) {
  const std::shared_ptr<const Schema> schema = testing::MixedSchema(true);
  std::vector<std::uint64_t> subjects;
  for (std::uint64_t subject = 1; subject <= 20; ++subject) subjects.insert(subjects.end(), 1 + subject % 5, subject);
  subjects.insert(subjects.begin() + 7, kManyRows, kFrequentSubject);
  const Table drawn = testing::RandomTable(schema, subjects.size(), seed);
  std::vector<std::size_t> kept;
  for (std::size_t row = 0; row < subjects.size(); ++row) {
    if (without && subjects[row] == *without) continue;
    kept.push_back(equal_rows && subjects[row] == kFrequentSubject ? 7 : row);
  }
  const Table chosen = drawn.Select(kept);
  std::vector<ColumnCells> cells;
  for (std::size_t j = 0; j < schema->columns().size(); ++j) cells.push_back(chosen.column(j));
  std::erase_if(subjects, [&](std::uint64_t subject) { return without && subject == *without; });
  return std::make_shared<const Table>(Table::Create(schema, std::move(cells), kept.size(), subjects).value());
}

enum class UnitsAre { kSubjects, kRows };

std::shared_ptr<const UnitTable> UnitsOf(std::shared_ptr<const Table> table, UnitsAre units) {
  return std::make_shared<const UnitTable>(units == UnitsAre::kSubjects
                                               ? UnitTable::Subjects(std::move(table), kManyRows).value()
                                               : UnitTable::Records(std::move(table)));
}

ResolvedRun SubjectRun() {
  return testing::Resolve({testing::MixedSchema(true), 400, "", 3.0, 3, "independent_columns", Aggregation::kNone});
}

// The integers that a site sends, with the same noise every time: the worker's whole path.
std::vector<double> AnswerOf(const ResolvedRun& resolved, const std::shared_ptr<const UnitTable>& units) {
  testing::SeededStreams streams(5, "site-a");
  const RunId run{{1}};
  const auto contribution = independent_columns::MakeContribution(resolved.run, units).value();
  SiteComputer computer({resolved.run.plan, run, units, 1}, *contribution, streams);
  const PlanEntry& entry = resolved.run.plan->entries()[0];
  SumAccumulator total(Grid::Make(entry.grid_scale, entry.clip, entry.dimension).value(), WordBits::k64);
  total.Add(computer.Answer(Query{}, {run, 0, 0}).value());
  const NoisySum noisy = std::move(total).Finish();
  std::vector<double> integers(noisy.values().begin(), noisy.values().end());
  for (double& value : integers) value *= entry.grid_scale;
  return integers;
}

TEST(SubjectLevel, FiftyRowsMoveTheAnswerByNoMoreThanDeltaAndRowsAsUnitsWouldMoveItManyTimes) {
  const ResolvedRun resolved = SubjectRun();
  const double delta = resolved.run.plan->entries()[0].sensitivity;
  for (const bool equal_rows : {false, true}) {
    const auto with = Ward(3, std::nullopt, equal_rows);
    const auto without = Ward(3, kFrequentSubject, equal_rows);
    const auto moved = [&](UnitsAre units) {
      return Moved(AnswerOf(resolved, UnitsOf(with, units)), AnswerOf(resolved, UnitsOf(without, units)));
    };
    EXPECT_LE(moved(UnitsAre::kSubjects), delta);
    EXPECT_GT(moved(UnitsAre::kSubjects), 0.2 * delta) << "the subject is in the sum";
    EXPECT_GT(moved(UnitsAre::kRows), (equal_rows ? 45.0 : 10.0) * delta) << "record-level code fails this test";
  }
}

// 20,000 trials: each subject of each table is removed, its rows with it, and the tables are built anew.
TEST(SubjectLevel, RemovingAnySubjectMovesTheIntegersByNoMoreThanDelta) {
  const auto grids = tabular::GridsOf(*testing::MixedSchema(true));
  const IntegerReader reader(PlanGrid(2.0, tabular::HistogramSize(grids)));
  const auto integers = [&](const std::shared_ptr<const Table>& table) {
    const auto units = UnitsOf(table, UnitsAre::kSubjects);
    std::vector<std::uint32_t> everybody(units->size());
    std::iota(everybody.begin(), everybody.end(), 0);
    const auto cells = tabular::CellsOf(*table, grids);
    const BlockedBatch batch = testing::Blocks(everybody, kMostRowsPerBlock);
    return reader.Read(tabular::HistogramSum(grids, cells, *units, batch, 2.0));
  };
  std::size_t trials = 0;
  double worst = 0.0;
  for (std::uint64_t seed = 0; trials < 20'000; ++seed) {
    const std::vector<double> all = integers(Ward(seed));
    for (std::uint64_t subject = 1; subject <= 20; ++subject, ++trials) {
      const std::uint64_t removed = subject == 20 ? kFrequentSubject : subject;
      worst = std::max(worst, Moved(all, integers(Ward(seed, removed))) / reader.grid().sensitivity());
    }
  }
  EXPECT_LE(worst, 1.0);
  EXPECT_GT(worst, 0.97);
}

// Counts the draws of each unit.
class CountingContribution final : public Contribution {
 public:
  explicit CountingContribution(std::size_t units) : draws(units) {}
  std::uint32_t UnitsPerBlock(const Query&) const override { return kMostRowsPerBlock; }
  Result<ClippedSum> Sum(const Query&, const BlockedBatch& batch) override {
    for (const std::uint32_t unit : batch.units) ++draws[unit];
    return ClippedSummer(1, 1.0).Finish();
  }
  std::vector<int> draws;
};

// A plan with one gradient entry of this sampling rate.
std::shared_ptr<const Plan> SamplingPlan(double rate) {
  PlanFacts facts;
  facts.name = "sampling";
  facts.roster = {{"site-a", Digest{}}};
  facts.unit = PrivacyUnit::kSubject;
  facts.delta = 1e-5;
  facts.epsilon_target = 3.0;
  facts.units = 1000;
  facts.model_family = "table_test";
  facts.aggregation = Aggregation::kNone;
  PlanEntry entry;
  entry.name = "training";
  entry.kind = QueryKind::kGradient;
  entry.count = 5000;
  entry.sampling_rate = rate;
  entry.parts = {{"vector", 1.0}};
  entry.grid_scale = 1024.0;
  entry.sensitivity = 1040.0;
  entry.site_variance = 64;
  return std::make_shared<const Plan>(Plan::Create(facts, {entry}).value());
}

// In how many of 1,500 draws at rate 1/16 anything of the frequent subject is looked at.
double ShareOfDrawsWithTheFrequentSubject(UnitsAre units_are) {
  constexpr std::uint32_t kDraws = 1500;
  const auto table = Ward(3);
  const auto units = UnitsOf(table, units_are);
  const auto plan = SamplingPlan(0.0625);
  testing::SeededStreams streams(6, "site-a");
  const RunId run{{1}};
  int seen = 0;
  CountingContribution contribution(units->size());
  SiteComputer computer({plan, run, units, 1}, contribution, streams);
  for (std::uint32_t query = 0; query < kDraws; ++query) {
    std::fill(contribution.draws.begin(), contribution.draws.end(), 0);
    Query asked;
    asked.index = query;
    asked.kind = QueryKind::kGradient;
    EXPECT_TRUE(computer.Answer(asked, {run, query, 0}).ok());
    bool drawn = false;
    for (std::size_t unit = 0; unit < units->size(); ++unit) {
      drawn |= contribution.draws[unit] > 0 && table->subjects()[units->rows(unit)[0]] == kFrequentSubject;
    }
    seen += drawn ? 1 : 0;
  }
  return static_cast<double>(seen) / kDraws;
}

// Six standard deviations of a binomial: a false alarm of 2e-9, if the streams were not fixed.
TEST(SubjectLevel, ASubjectIsDrawnAtTheRateThatIsAccountedHoweverManyRowsItHas) {
  const double six_sigma = 6.0 * std::sqrt(0.0625 * 0.9375 / 1500.0);
  EXPECT_NEAR(ShareOfDrawsWithTheFrequentSubject(UnitsAre::kSubjects), 0.0625, six_sigma);
  const double as_rows = ShareOfDrawsWithTheFrequentSubject(UnitsAre::kRows);
  EXPECT_NEAR(as_rows, 1.0 - std::pow(0.9375, 50.0), 0.03) << "nearly always: no amplification is left";
  EXPECT_GT(as_rows, 0.0625 + six_sigma) << "record-level code fails this test";
}

TEST(SubjectLevel, TheAccountIsOfOneSubjectAndRowsAsUnitsWouldPromiseAFractionOfTheLoss) {
  const ResolvedRun resolved = SubjectRun();
  const Plan& plan = *resolved.run.plan;
  EXPECT_EQ(plan.facts().unit, PrivacyUnit::kSubject) << "the contract says whose privacy it is";
  const PrivacyEvents events = plan.Events(plan.honest_shares());
  const double promised = ComputeEpsilon(events, plan.facts().delta).value().upper;
  EXPECT_LE(promised, 3.0);
  // With rows as units, 50 equal rows of a subject move the sum 50 times as far: the same noise, a fiftieth of the
  // multiplier.
  PrivacyEvents of_the_subject = events;
  for (PrivacyEvent& event : of_the_subject) event.noise_multiplier /= static_cast<double>(kManyRows);
  EXPECT_GT(ComputeEpsilon(of_the_subject, plan.facts().delta).value().lower, 50.0 * promised);
}

TEST(SubjectLevel, ARunOfRecordsIsAnotherContractThanOneOfSubjects) {
  const ResolvedRun resolved = SubjectRun();
  PlanFacts facts = resolved.run.plan->facts();
  facts.unit = PrivacyUnit::kRecord;
  const Plan of_records = Plan::Create(facts, resolved.run.plan->entries()).value();
  EXPECT_NE(of_records.Hash(), resolved.run.plan->Hash());
}

}  // namespace
}  // namespace synod::honesty
