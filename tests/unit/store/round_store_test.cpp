// What a coordinator keeps of its rounds in SQLite.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/sqlite_round_store.h"
#include "tests/unit/coordinator/round_fixture.h"
#include "tests/unit/store/store_fixture.h"

namespace synod {
namespace {

using testing::DieAt;
using testing::FreshDatabasePath;
using testing::InChild;
using testing::MustOpen;

RunId RunOf(std::uint8_t number) {
  RunId run;
  run.bytes.fill(number);
  return run;
}

NoisySum SumOf(std::uint64_t seed) {
  const auto plan = testing::RoundPlan();
  SumAccumulator total(testing::GridOfEntry(plan->entries()[0]), WordBits::k32);
  total.Add(testing::AnswerOf(*plan, 0, seed));
  return std::move(total).Finish();
}

AttemptRecord Attempt(std::uint32_t query, std::uint32_t attempt, bool completed, std::vector<std::uint32_t> answered) {
  return {{RunOf(7), query, attempt}, query % 3, completed, std::move(answered)};
}

struct StoreBench {
  explicit StoreBench(const std::string& path, std::uint8_t run = 7)
      : database(MustOpen(path)), store(SqliteRoundStore::Open(*database, RunOf(run), none).value()) {}
  NoFailPoints none;
  std::unique_ptr<Database> database;
  SqliteRoundStore store;
};

TEST(SqliteRounds, GiveBackAttemptsInOrderAndSumsByQueryAfterARestart) {
  const std::string path = FreshDatabasePath();
  const std::vector<AttemptRecord> attempts = {Attempt(0, 0, false, {}), Attempt(0, 1, true, {0, 255, 256, 1023}),
                                               Attempt(1, 0, true, {2})};
  {
    StoreBench bench(path);
    ASSERT_TRUE(bench.store.AppendAttempt(attempts[0], nullptr).ok());
    for (std::size_t i = 1; i < 3; ++i) {
      const NoisySum sum = SumOf(i);
      ASSERT_TRUE(bench.store.AppendAttempt(attempts[i], &sum).ok());
    }
  }
  StoreBench bench(path);
  EXPECT_EQ(bench.store.LoadAttempts().value(), attempts);
  EXPECT_EQ(bench.store.LoadWords(0).value(), SumOf(1).words());
  EXPECT_EQ(bench.store.LoadWords(1).value(), SumOf(2).words());
  EXPECT_EQ(bench.store.LoadWords(2).error().code, ErrorCode::kVerificationFailed);
}

TEST(SqliteRounds, TakeOneRecordForAnAttemptAndOneSumForAQuery) {
  StoreBench bench(FreshDatabasePath());
  const NoisySum sum = SumOf(1);
  ASSERT_TRUE(bench.store.AppendAttempt(Attempt(0, 0, true, {0}), &sum).ok());
  const NoisySum other = SumOf(2);
  EXPECT_FALSE(bench.store.AppendAttempt(Attempt(0, 0, true, {0}), &other).ok());
  EXPECT_FALSE(bench.store.AppendAttempt(Attempt(0, 1, true, {0}), &other).ok());
  EXPECT_EQ(bench.store.LoadWords(0).value(), sum.words());
  EXPECT_EQ(bench.store.LoadAttempts().value().size(), 1U);
}

TEST(SqliteRounds, OfTwoRunsDoNotMix) {
  StoreBench bench(FreshDatabasePath());
  SqliteRoundStore other = SqliteRoundStore::Open(*bench.database, RunOf(8), bench.none).value();
  const NoisySum sum = SumOf(1);
  const NoisySum of_other = SumOf(2);
  ASSERT_TRUE(bench.store.AppendAttempt(Attempt(0, 0, true, {0}), &sum).ok());
  ASSERT_TRUE(other.AppendAttempt({{RunOf(8), 0, 0}, 0, true, {1}}, &of_other).ok());
  ASSERT_TRUE(bench.store.SaveCheckpoint(0, {1}).ok());
  ASSERT_TRUE(other.SaveCheckpoint(1, {2}).ok());
  EXPECT_EQ(bench.store.LoadWords(0).value(), sum.words());
  EXPECT_EQ(bench.store.LoadAttempts().value().size(), 1U);
  EXPECT_EQ(bench.store.LoadCheckpoint().value()->content, Bytes({1}));
  ASSERT_TRUE(other.ForgetSums().ok());
  EXPECT_EQ(other.LoadCheckpoint().value(), std::nullopt);
  EXPECT_EQ(other.LoadAttempts().value().size(), 1U);
  EXPECT_TRUE(bench.store.LoadCheckpoint().value().has_value());
}

TEST(SqliteRounds, ACheckpointReplacesTheLastOneAndTheSumsThatItHasAbsorbed) {
  StoreBench bench(FreshDatabasePath());
  for (std::uint32_t query = 0; query < 4; ++query) {
    const NoisySum sum = SumOf(query);
    ASSERT_TRUE(bench.store.AppendAttempt(Attempt(query, 0, true, {0}), &sum).ok());
  }
  EXPECT_EQ(bench.store.LoadCheckpoint().value(), std::nullopt);
  ASSERT_TRUE(bench.store.SaveCheckpoint(1, {1}).ok());
  ASSERT_TRUE(bench.store.SaveCheckpoint(3, {3, 3}).ok());
  const auto checkpoint = bench.store.LoadCheckpoint().value();
  EXPECT_EQ(checkpoint->trained_queries, 3U);
  EXPECT_EQ(checkpoint->content, Bytes({3, 3}));
  EXPECT_FALSE(bench.store.LoadWords(2).ok());
  EXPECT_EQ(bench.store.LoadWords(3).value(), SumOf(3).words());
  EXPECT_EQ(bench.store.LoadAttempts().value().size(), 4U) << "who answered is never forgotten";
}

TEST(SqliteRounds, DeathAroundAWriteLeavesAllOfItOrNothing) {
  const FailPoint points[] = {FailPoint::kCoordinatorBeforeSumStored, FailPoint::kCoordinatorAfterSumStored,
                              FailPoint::kCoordinatorBeforeCheckpointStored,
                              FailPoint::kCoordinatorAfterCheckpointStored};
  for (const FailPoint point : points) {
    const std::string path = FreshDatabasePath();
    EXPECT_EQ(InChild([&] {
                const auto database = MustOpen(path);
                DieAt die(point);
                SqliteRoundStore store = SqliteRoundStore::Open(*database, RunOf(7), die).value();
                const NoisySum sum = SumOf(1);
                if (!store.AppendAttempt(Attempt(0, 0, true, {0, 2}), &sum).ok()) ::_exit(1);
                if (!store.SaveCheckpoint(1, {9}).ok()) ::_exit(1);
              }),
              DieAt::kExitCode);
    StoreBench bench(path);
    const bool attempted = point != FailPoint::kCoordinatorBeforeSumStored;
    const bool checkpointed = point == FailPoint::kCoordinatorAfterCheckpointStored;
    EXPECT_EQ(bench.store.LoadAttempts().value().size(), attempted ? 1U : 0U);
    EXPECT_EQ(bench.store.LoadWords(0).ok(), attempted && !checkpointed);
    EXPECT_EQ(bench.store.LoadCheckpoint().value().has_value(), checkpointed);
  }
}

TEST(SqliteRounds, NameARecordThatCannotBeRead) {
  const char* const attacks[] = {"UPDATE round_attempts SET answered = x'000000'",
                                 "UPDATE round_attempts SET query = -1", "UPDATE round_attempts SET entry = 'x'",
                                 "UPDATE round_attempts SET answered = 'ab'"};
  for (const char* attack : attacks) {
    StoreBench bench(FreshDatabasePath());
    ASSERT_TRUE(bench.store.AppendAttempt(Attempt(0, 0, false, {0}), nullptr).ok());
    ASSERT_TRUE(bench.database->Execute(attack).ok());
    EXPECT_EQ(bench.store.LoadAttempts().error().code, ErrorCode::kVerificationFailed) << attack;
  }
}

}  // namespace
}  // namespace synod
