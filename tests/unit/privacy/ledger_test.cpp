// The ledger: attacks on its chain, on its store and on its guard.
#include "common/privacy/ledger.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "common/privacy/ledger_guard.h"
#include "common/privacy/plan_resolve.h"
#include "tests/unit/privacy/plan_fixture.h"

namespace synod {
namespace {

static_assert(!std::is_default_constructible_v<SpendPermit>);
static_assert(!std::is_constructible_v<SpendPermit, LedgerRow>);
static_assert(!std::is_copy_constructible_v<SpendPermit>);

RunId TestRun() {
  RunId run;
  run.bytes.fill(7);
  return run;
}

LedgerCharge Charge(std::uint32_t query, std::uint32_t attempt = 0) {
  LedgerCharge charge;
  charge.dataset.bytes.fill(9);
  charge.name = {TestRun(), query, attempt};
  charge.event = {0.25, 1.5, 1};
  return charge;
}

std::vector<LedgerRow> FiveRows() {
  LedgerChain chain;
  std::vector<LedgerRow> rows;
  for (std::uint32_t i = 0; i < 5; ++i) {
    rows.push_back(chain.Next(Charge(i)));
    EXPECT_TRUE(chain.Extend(rows.back()).ok());
  }
  return rows;
}

// Fails, persists or both, as told.
class FaultyStore final : public LedgerStore {
 public:
  bool fail = false;
  bool persist = true;
  std::vector<LedgerRow> rows;

  Status AppendDurably(const LedgerRow& row) override {
    if (persist) rows.push_back(row);
    if (fail) return Failed("the disk is full");
    return {};
  }
  Result<std::vector<LedgerRow>> Load() const override { return rows; }
};

const Plan& GuardedPlan() {
  static const Plan plan = ResolvePlan(testing::SmallPlanRequest()).value();
  return plan;
}

TEST(LedgerChain, AcceptsItsOwnRowsAndTheirJson) {
  std::vector<LedgerRow> rows = FiveRows();
  const Result<LedgerChain> chain = VerifyChain(rows, rows.back().hash);
  ASSERT_TRUE(chain.ok());
  EXPECT_EQ(chain->rows(), 5u);
  for (const LedgerRow& row : rows) {
    const Result<LedgerRow> again = LedgerRow::FromJson(row.ToJson());
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(*again, row);
  }
}

TEST(LedgerChain, NamesARowThatWasAltered) {
  const std::vector<LedgerRow> rows = FiveRows();
  const auto finds = [&](auto change) {
    std::vector<LedgerRow> changed = rows;
    change(changed[2]);
    const Result<LedgerChain> chain = VerifyChain(changed);
    return !chain.ok() && chain.error().message.find("row 2") != std::string::npos;
  };
  EXPECT_TRUE(finds([](LedgerRow& r) { r.charge.event.noise_multiplier = 3; }));
  EXPECT_TRUE(finds([](LedgerRow& r) { r.charge.event.sampling_rate = 0; }));
  EXPECT_TRUE(finds([](LedgerRow& r) { r.charge.event.count = 2; }));
  EXPECT_TRUE(finds([](LedgerRow& r) { r.charge.name.attempt = 1; }));
  EXPECT_TRUE(finds([](LedgerRow& r) { r.charge.name.query = 9; }));
  EXPECT_TRUE(finds([](LedgerRow& r) { r.charge.name.run.bytes[0] ^= 1; }));
  EXPECT_TRUE(finds([](LedgerRow& r) { r.charge.dataset.bytes[0] ^= 1; }));
  EXPECT_TRUE(finds([](LedgerRow& r) { r.charge.plan_hash[0] ^= 1; }));
  EXPECT_TRUE(finds([](LedgerRow& r) { r.charge.entry = 1; }));
  EXPECT_TRUE(finds([](LedgerRow& r) { r.previous[0] ^= 1; }));
  EXPECT_TRUE(finds([](LedgerRow& r) { r.hash[31] ^= 1; }));
  EXPECT_TRUE(finds([](LedgerRow& r) {
    r.previous[0] ^= 1;
    r.hash = HashOfRow(r);
  }));
}

TEST(LedgerChain, FindsRowsThatWereDroppedReorderedOrRepeated) {
  std::vector<LedgerRow> dropped = FiveRows();
  dropped.erase(dropped.begin() + 1);
  EXPECT_FALSE(VerifyChain(dropped).ok());
  std::vector<LedgerRow> first_gone = FiveRows();
  first_gone.erase(first_gone.begin());
  EXPECT_FALSE(VerifyChain(first_gone).ok());
  std::vector<LedgerRow> reordered = FiveRows();
  std::swap(reordered[1], reordered[2]);
  EXPECT_FALSE(VerifyChain(reordered).ok());
  std::vector<LedgerRow> repeated = FiveRows();
  repeated.push_back(repeated.back());
  EXPECT_FALSE(VerifyChain(repeated).ok());
  std::vector<LedgerRow> cut = FiveRows();
  const Digest head = cut.back().hash;
  cut.pop_back();
  EXPECT_TRUE(VerifyChain(cut).ok()) << "a chain alone cannot see what is missing at its end";
  EXPECT_FALSE(VerifyChain(cut, head).ok()) << "its witnessed head does";
}

TEST(Ledger, PermitsOnlyWhatIsDurable) {
  FaultyStore store;
  Ledger ledger = Ledger::Open(store).value();
  Result<SpendPermit> first = ledger.Spend(Charge(0));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(store.rows.back(), first->row());
  store.fail = true;
  store.persist = false;
  EXPECT_FALSE(ledger.Spend(Charge(1)).ok());
  EXPECT_EQ(ledger.rows(), 1u);
  store.fail = false;
  store.persist = true;
  EXPECT_TRUE(ledger.Spend(Charge(1)).ok());
  EXPECT_TRUE(VerifyChain(store.rows, ledger.head()).ok());
}

TEST(Ledger, KeepsItsChainWhenAFailedWriteArrivedAllTheSame) {
  FaultyStore store;
  Ledger ledger = Ledger::Open(store).value();
  store.fail = true;
  EXPECT_FALSE(ledger.Spend(Charge(0)).ok());
  store.fail = false;
  const Result<SpendPermit> replay = ledger.Spend(Charge(0));
  ASSERT_FALSE(replay.ok()) << "the row is there: the answer is charged and may not be given a second time";
  EXPECT_EQ(replay.error().code, ErrorCode::kRefused);
  EXPECT_TRUE(ledger.Spend(Charge(0, 1)).ok());
  EXPECT_TRUE(VerifyChain(store.rows, ledger.head()).ok());
}

TEST(Ledger, RefusesToOpenARolledBackOrDamagedStore) {
  FaultyStore store;
  store.rows = FiveRows();
  const Digest head = store.rows.back().hash;
  store.rows.pop_back();
  EXPECT_TRUE(Ledger::Open(store).ok());
  EXPECT_FALSE(Ledger::Open(store, head).ok());
  store.rows[1].charge.event.count = 2;
  EXPECT_FALSE(Ledger::Open(store).ok());
}

TEST(Ledger, RefusesTheSameAnswerTwice) {
  InMemoryLedgerStore store;
  Ledger ledger = Ledger::Open(store).value();
  ASSERT_TRUE(ledger.Spend(Charge(0)).ok());
  EXPECT_FALSE(ledger.Spend(Charge(0)).ok());
  Ledger reopened = Ledger::Open(store).value();
  EXPECT_FALSE(reopened.Spend(Charge(0)).ok());
  EXPECT_TRUE(reopened.Spend(Charge(0, 1)).ok());
}

// A guard with its own ledger in memory.
struct Guarded {
  explicit Guarded(BudgetGuard::Attempts attempts = BudgetGuard::Attempts::kConsecutive)
      : guard(GuardedPlan(), TestRun(), DatasetId{}, attempts) {}

  Status Ask(std::uint32_t entry, std::uint32_t query, std::uint32_t attempt) {
    const Result<SpendPermit> permit = guard.Reserve(entry, {TestRun(), query, attempt}, ledger);
    if (!permit.ok()) return permit.error();
    return {};
  }

  InMemoryLedgerStore store;
  Ledger ledger = Ledger::Open(store).value();
  BudgetGuard guard;
};

TEST(BudgetGuard, AdmitsCountPlusRetriesAndNotOneMore) {
  Guarded run;
  std::uint32_t query = 0;
  for (; query < 53; ++query) ASSERT_TRUE(run.Ask(1, query, 0).ok()) << query;
  const Status over = run.Ask(1, query, 0);
  ASSERT_FALSE(over.ok());
  EXPECT_EQ(over.error().code, ErrorCode::kBudgetExhausted);
  EXPECT_EQ(run.ledger.rows(), 53u) << "what is refused is not charged";
  EXPECT_TRUE(run.Ask(0, query, 0).ok()) << "another entry has its own allowance";
}

TEST(BudgetGuard, RefusesReplaysSkipsAndQueriesOfThePast) {
  Guarded run;
  EXPECT_FALSE(run.Ask(1, 0, 1).ok()) << "begins with attempt 1";
  ASSERT_TRUE(run.Ask(1, 0, 0).ok());
  EXPECT_FALSE(run.Ask(1, 0, 0).ok()) << "replay";
  EXPECT_FALSE(run.Ask(1, 0, 2).ok()) << "skipped attempt";
  EXPECT_FALSE(run.Ask(0, 0, 1).ok()) << "another entry in a retry";
  ASSERT_TRUE(run.Ask(1, 0, 1).ok());
  ASSERT_TRUE(run.Ask(1, 1, 0).ok());
  EXPECT_FALSE(run.Ask(1, 0, 2).ok()) << "an earlier query is closed by a later one";
  run.guard.CloseQuery(1);
  EXPECT_FALSE(run.Ask(1, 1, 1).ok()) << "closed";
  EXPECT_FALSE(run.Ask(2, 2, 0).ok()) << "an entry that is not in the plan";
  EXPECT_FALSE(run.guard.Reserve(1, {RunId{}, 2, 0}, run.ledger).ok()) << "another run";
  EXPECT_EQ(run.ledger.rows(), 3u);
}

TEST(BudgetGuard, LetsASiteThatWasAwayJoinALaterAttempt) {
  Guarded run(BudgetGuard::Attempts::kIncreasing);
  EXPECT_TRUE(run.Ask(1, 0, 2).ok());
  EXPECT_FALSE(run.Ask(1, 0, 2).ok());
  EXPECT_FALSE(run.Ask(1, 0, 1).ok());
  EXPECT_TRUE(run.Ask(1, 5, 0).ok());
}

TEST(BudgetGuard, ChargesTheEventOfThePlan) {
  Guarded run;
  const Result<SpendPermit> permit = run.guard.Reserve(1, {TestRun(), 0, 0}, run.ledger);
  ASSERT_TRUE(permit.ok());
  PrivacyEvent expected = GuardedPlan().Events(GuardedPlan().honest_shares())[1];
  expected.count = 1;
  EXPECT_EQ(permit->row().charge.event, expected);
  EXPECT_EQ(permit->row().charge.plan_hash, GuardedPlan().Hash());
}

TEST(BudgetGuard, TakesUpARunFromItsLedger) {
  Guarded run;
  ASSERT_TRUE(run.Ask(0, 0, 0).ok());
  ASSERT_TRUE(run.Ask(1, 1, 0).ok());
  ASSERT_TRUE(run.Ask(1, 1, 1).ok());
  const std::vector<LedgerRow> rows = run.store.Load().value();
  const auto restore = [&](const std::vector<LedgerRow>& from) {
    return BudgetGuard::Restore(GuardedPlan(), TestRun(), DatasetId{}, BudgetGuard::Attempts::kConsecutive, from);
  };
  Result<BudgetGuard> guard = restore(rows);
  ASSERT_TRUE(guard.ok());
  EXPECT_EQ(guard->used(), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_FALSE(guard->Reserve(1, {TestRun(), 1, 1}, run.ledger).ok());
  EXPECT_TRUE(guard->Reserve(1, {TestRun(), 1, 2}, run.ledger).ok());
  std::vector<LedgerRow> other_plan = rows;
  other_plan[1].charge.plan_hash[0] ^= 1;
  EXPECT_FALSE(restore(other_plan).ok());
}

}  // namespace
}  // namespace synod
