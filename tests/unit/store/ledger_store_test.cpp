// A ledger in SQLite: what survives which death, and that no name has two answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/privacy/ledger.h"
#include "common/store/sqlite_ledger_store.h"
#include "site_agent/sqlite_answer_store.h"
#include "tests/unit/store/store_fixture.h"

namespace synod {
namespace {

using testing::DieAt;
using testing::FreshDatabasePath;
using ::testing::HasSubstr;
using testing::InChild;
using testing::MustOpen;

constexpr FailPoint kBefore = FailPoint::kSiteBeforeCharge;
constexpr FailPoint kAfter = FailPoint::kSiteAfterCharge;

DatasetId Dataset(std::uint8_t number) {
  DatasetId id;
  id.bytes.fill(number);
  return id;
}

QueryName Name(std::uint32_t query, std::uint32_t attempt = 0, std::uint8_t run = 7) {
  QueryName name{{}, query, attempt};
  name.run.bytes.fill(run);
  return name;
}

LedgerCharge ChargeOf(const QueryName& name, const DatasetId& dataset = Dataset(1)) {
  LedgerCharge charge;
  charge.dataset = dataset;
  charge.name = name;
  charge.plan_hash.fill(3);
  charge.event = {0.1, 1.0 / 3.0, 1};
  return charge;
}

struct LedgerBench {
  explicit LedgerBench(const std::string& path, FailPoints* points = nullptr)
      : database(MustOpen(path)),
        store(SqliteLedgerStore::Open(*database, points == nullptr ? none : *points, kBefore, kAfter).value()),
        ledger(Ledger::Open(store).value()) {}

  bool Answer(const QueryName& name, Bytes answer, const DatasetId& dataset = Dataset(1)) {
    store.Stage(dataset, name, std::move(answer));
    return ledger.Spend(ChargeOf(name, dataset)).ok();
  }
  std::optional<Bytes> Stored(const QueryName& name, const DatasetId& dataset = Dataset(1)) {
    return store.StoredAnswer(dataset, name).value();
  }

  NoFailPoints none;
  std::unique_ptr<Database> database;
  SqliteLedgerStore store;
  Ledger ledger;
};

TEST(SqliteLedger, ContinuesAfterARestartWithTheSameRowsAndHead) {
  const std::string path = FreshDatabasePath();
  std::vector<LedgerRow> rows;
  Digest head{};
  {
    LedgerBench bench(path);
    for (std::uint32_t query = 0; query < 20; ++query) ASSERT_TRUE(bench.Answer(Name(query), {1}));
    rows = bench.store.Load().value();
    head = bench.ledger.head();
  }
  LedgerBench bench(path);
  EXPECT_EQ(bench.store.Load().value(), rows) << "rates and multipliers bit for bit";
  EXPECT_EQ(bench.ledger.head(), head);
  EXPECT_FALSE(bench.Answer(Name(3), {2})) << "a name is charged once";
  EXPECT_TRUE(bench.Answer(Name(20), {2}));
}

TEST(SqliteLedger, KeepsTheAnswerThatItsRowPaysForAndNoOther) {
  LedgerBench bench(FreshDatabasePath());
  ASSERT_TRUE(bench.Answer(Name(0), {1, 2, 3}));
  EXPECT_EQ(bench.Stored(Name(0)), Bytes({1, 2, 3}));
  EXPECT_EQ(bench.Stored(Name(0, 1)), std::nullopt);
  EXPECT_EQ(bench.Stored(Name(0, 0, 8)), std::nullopt);
  EXPECT_EQ(bench.Stored(Name(0), Dataset(2)), std::nullopt);
  // Staged for one name, charged under another: the answer has not been paid for.
  bench.store.Stage(Dataset(1), Name(1), {9});
  ASSERT_TRUE(bench.ledger.Spend(ChargeOf(Name(2))).ok());
  EXPECT_EQ(bench.Stored(Name(1)), std::nullopt);
  EXPECT_EQ(bench.Stored(Name(2)), std::nullopt);
  ASSERT_TRUE(bench.ledger.Spend(ChargeOf(Name(1))).ok());
  EXPECT_EQ(bench.Stored(Name(1)), std::nullopt) << "what was staged before another row is gone";
}

TEST(SqliteLedger, HoldsOneAnswerForANameWhateverIsWrittenPastTheLedger) {
  LedgerBench bench(FreshDatabasePath());
  ASSERT_TRUE(bench.Answer(Name(0), {1}));
  LedgerRow second = bench.store.Load().value()[0];
  second.index = 1;
  bench.store.Stage(Dataset(1), Name(0), {2});
  EXPECT_FALSE(bench.store.AppendDurably(second).ok());
  EXPECT_EQ(bench.Stored(Name(0)), Bytes({1}));
  EXPECT_EQ(bench.store.Load().value().size(), 1U);
}

TEST(SqliteLedger, ForgetsAnswersOfARunUpToAQueryAndNoRows) {
  LedgerBench bench(FreshDatabasePath());
  for (std::uint32_t query = 0; query < 4; ++query) ASSERT_TRUE(bench.Answer(Name(query), {1}));
  ASSERT_TRUE(bench.Answer(Name(0, 0, 8), {2}));
  ASSERT_TRUE(bench.Answer(Name(0), {3}, Dataset(2)));
  SqliteAnswerStore answers(bench.store, Dataset(1), Name(0).run);
  ASSERT_TRUE(answers.Forget(2).ok());
  for (std::uint32_t query = 0; query < 3; ++query) EXPECT_EQ(bench.Stored(Name(query)), std::nullopt);
  EXPECT_EQ(bench.Stored(Name(3)), Bytes({1}));
  EXPECT_EQ(bench.Stored(Name(0, 0, 8)), Bytes({2})) << "another run";
  EXPECT_EQ(bench.Stored(Name(0), Dataset(2)), Bytes({3})) << "another data set";
  ASSERT_TRUE(answers.Forget(0xffffffff).ok());
  EXPECT_EQ(bench.Stored(Name(3)), std::nullopt);
  EXPECT_EQ(bench.store.Load().value().size(), 6U);
}

TEST(SqliteLedger, DeletesForgottenAnswersWithTheNextRowAndUntilThenAnEndBringsThemBack) {
  const std::string path = FreshDatabasePath();
  {
    LedgerBench bench(path);
    ASSERT_TRUE(bench.Answer(Name(0), {1}));
    bench.store.ForgetAnswersLater(Dataset(1), Name(0).run, 0);
    EXPECT_EQ(bench.Stored(Name(0)), std::nullopt);
  }
  LedgerBench bench(path);
  EXPECT_EQ(bench.Stored(Name(0)), Bytes({1})) << "the same answer, which its row paid for";
  bench.store.ForgetAnswersLater(Dataset(1), Name(0).run, 0);
  bench.store.ForgetAnswersLater(Dataset(1), Name(0, 0, 8).run, 0);
  LedgerRow broken = bench.store.Load().value()[0];
  EXPECT_FALSE(bench.store.AppendDurably(broken).ok());
  EXPECT_EQ(bench.Stored(Name(0)), std::nullopt) << "a row that was not written takes nothing back";
  ASSERT_TRUE(bench.Answer(Name(1), {2}));
  EXPECT_EQ(bench.database->Query("SELECT answer FROM ledger_answers").value().size(), 1U);
}

TEST(SqliteLedger, DeathBeforeTheTransactionLeavesNeitherRowNorAnswerAndAfterItBoth) {
  for (const bool after : {false, true}) {
    const std::string path = FreshDatabasePath();
    EXPECT_EQ(InChild([&] {
                DieAt points(after ? kAfter : kBefore, 3);
                LedgerBench bench(path, &points);
                for (std::uint32_t query = 0; query < 5; ++query) bench.Answer(Name(query), Bytes(50'000, 1));
              }),
              DieAt::kExitCode);
    LedgerBench bench(path);
    EXPECT_EQ(bench.ledger.rows(), after ? 3U : 2U);
    EXPECT_EQ(bench.Stored(Name(2)).has_value(), after);
    EXPECT_EQ(bench.Answer(Name(2), {7}), !after) << "charged once in the end, whenever it died";
    EXPECT_EQ(bench.Stored(Name(2))->size(), after ? 50'000U : 1U);
  }
}

TEST(SqliteLedger, DeathBySignalAtAnyMomentLeavesEveryRowWithItsAnswer) {
  // The moment depends on the machine; what must hold does not.
  for (const unsigned microseconds : {2'000U, 10'000U, 40'000U}) {
    const std::string path = FreshDatabasePath();
    MustOpen(path).reset();
    const pid_t child = ::fork();
    if (child == 0) {
      LedgerBench bench(path);
      for (std::uint32_t query = 0;; ++query)
        bench.Answer(Name(query), Bytes(20'000, static_cast<std::uint8_t>(query)));
    }
    ::usleep(microseconds);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    LedgerBench bench(path);
    const std::vector<LedgerRow> rows = bench.store.Load().value();
    for (const LedgerRow& row : rows) {
      const std::uint32_t query = row.charge.name.query;
      EXPECT_EQ(bench.Stored(Name(query)), Bytes(20'000, static_cast<std::uint8_t>(query)));
    }
  }
}

TEST(SqliteLedger, AFullDiskChargesNothingAndKeepsNoAnswer) {
  const std::string path = FreshDatabasePath();
  const int code = InChild([&] {
    LedgerBench bench(path);
    if (!bench.Answer(Name(0), {1})) ::_exit(1);
    {
      const testing::FileLimit full(100'000);
      bench.store.Stage(Dataset(1), Name(1), Bytes(1'000'000, 1));
      if (bench.ledger.Spend(ChargeOf(Name(1))).ok()) ::_exit(2);
      if (bench.store.Load().value().size() != 1 || bench.Stored(Name(1))) ::_exit(3);
    }
    ::_exit(bench.Answer(Name(1), {2}) && bench.Stored(Name(1)) == Bytes({2}) ? 40 : 4);
  });
  EXPECT_EQ(code, 40);
  EXPECT_EQ(LedgerBench(path).ledger.rows(), 2U);
}

TEST(SqliteLedger, NamesTheFirstRowThatWasChangedTakenOutOrMoved) {
  const char* const attacks[] = {
      "UPDATE ledger_rows SET content = replace(content, '\"entry\":0', '\"entry\":1') WHERE position = 2",
      "DELETE FROM ledger_rows WHERE position = 2",
      "UPDATE ledger_rows SET content = 'no row' WHERE position = 2",
      "UPDATE ledger_rows SET content = x'00' WHERE position = 2",
      "UPDATE ledger_rows SET position = CASE position WHEN 2 THEN -3 ELSE position END",
  };
  for (const char* attack : attacks) {
    const std::string path = FreshDatabasePath();
    {
      LedgerBench bench(path);
      for (std::uint32_t query = 0; query < 5; ++query) ASSERT_TRUE(bench.Answer(Name(query), {1}));
      ASSERT_TRUE(bench.database->Execute(attack).ok());
    }
    const auto database = MustOpen(path);
    NoFailPoints none;
    SqliteLedgerStore store = SqliteLedgerStore::Open(*database, none, kBefore, kAfter).value();
    const Result<Ledger> opened = Ledger::Open(store);
    ASSERT_FALSE(opened.ok()) << attack;
    EXPECT_THAT(opened.error().message, HasSubstr("ledger row ")) << attack;
  }
}

}  // namespace
}  // namespace synod
