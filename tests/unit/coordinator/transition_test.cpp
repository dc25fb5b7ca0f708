#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/coordinator/round_fixture.h"

namespace synod {
namespace {

using testing::AskedName;
using ::testing::ElementsAre;
using testing::GivenUp;
using ::testing::HasSubstr;
using testing::IsFinished;
using testing::RoundBench;
using testing::RoundPlanOptions;
using testing::TotalOf;

// ---- State by state, event by event.

// Every event but Start does nothing; what carries an answer is counted as dropped.
void ExpectDeaf(RoundBench& bench) {
  const std::uint64_t dropped = bench.round->dropped_messages();
  const std::size_t rows = bench.ledger_store.rows().size();
  for (std::uint32_t query = 0; query < 6; ++query) {
    EXPECT_FALSE(bench.Answer("site-a", bench.Name(query), 1));
    EXPECT_FALSE(bench.Refuse("site-b", bench.Name(query)));
  }
  EXPECT_FALSE(bench.Deadline());
  EXPECT_EQ(bench.round->dropped_messages(), dropped + 12);
  EXPECT_EQ(bench.ledger_store.rows().size(), rows);
}

void DriveToEnd(RoundBench& bench) {
  EXPECT_EQ(AskedName(bench.Start()), bench.Name(0));
  EXPECT_EQ(AskedName(bench.AnswerAll(bench.Name(0), 0)), bench.Name(1));
  EXPECT_EQ(AskedName(bench.AnswerAll(bench.Name(1), 1)), bench.Name(2));
  EXPECT_EQ(AskedName(bench.AnswerAll(bench.Name(2), 1)), bench.Name(3));
  EXPECT_TRUE(IsFinished(bench.AnswerAll(bench.Name(3), 1)));
}

TEST(CoordinatorStates, BeforeTheStartEveryEventIsIgnored) {
  RoundBench bench;
  ExpectDeaf(bench);
  EXPECT_TRUE(bench.log.empty());
}

TEST(CoordinatorStates, AfterTheEndEveryEventIsIgnored) {
  RoundBench bench;
  DriveToEnd(bench);
  ExpectDeaf(bench);
}

TEST(CoordinatorStates, AfterGivingUpEveryEventIsIgnored) {
  RoundBench bench;
  bench.ledger_store.fail_from = 0;
  ASSERT_NE(GivenUp(bench.Start()), nullptr);
  ExpectDeaf(bench);
}

TEST(CoordinatorStatesDeathTest, ASecondStartEndsTheProgram) {
  RoundBench bench;
  bench.Start();
  EXPECT_DEATH(bench.Start(), "starts once");
}

TEST(CoordinatorStates, AskingWaitsForAllSitesAndThenAsksTheNextQuery) {
  RoundBench bench;
  DriveToEnd(bench);
  EXPECT_EQ(bench.round->dropped_messages(), 0U);
  EXPECT_THAT(bench.round->used(), ElementsAre(1, 3));
  EXPECT_THAT(bench.round->left(), ElementsAre(1, 2));
}

TEST(CoordinatorStates, ADeadlineWithQuorumClosesTheQuery) {
  RoundBench bench;
  bench.Start();
  EXPECT_FALSE(bench.Answer("site-c", bench.Name(0), 3));
  EXPECT_FALSE(bench.Answer("site-a", bench.Name(0), 1));
  EXPECT_EQ(AskedName(bench.Deadline()), bench.Name(1));
  EXPECT_THAT(bench.trainer.answers, ElementsAre(2));
  EXPECT_EQ(bench.trainer.absorbed.at(0), TotalOf(*bench.plan, 0, {1, 3}));
}

TEST(CoordinatorStates, ADeadlineWithoutQuorumAsksAgainUnderANewNameAndIsCharged) {
  RoundBench bench;
  bench.Start();
  EXPECT_FALSE(bench.Answer("site-a", bench.Name(0), 1));
  EXPECT_EQ(AskedName(bench.Deadline()), bench.Name(0, 1));
  EXPECT_THAT(bench.log, ElementsAre("next", "charge 0.0", "record 0.0", "charge 0.1"));
  EXPECT_TRUE(bench.trainer.absorbed.empty());
}

TEST(CoordinatorStates, RefusalsWithQuorumCloseAndWithoutAskAgain) {
  RoundBench bench;
  bench.Start();
  EXPECT_FALSE(bench.Refuse("site-a", bench.Name(0)));
  EXPECT_FALSE(bench.Refuse("site-b", bench.Name(0)));
  EXPECT_EQ(AskedName(bench.Answer("site-c", bench.Name(0), 3)), bench.Name(0, 1)) << "one of two needed";
  EXPECT_FALSE(bench.Refuse("site-a", bench.Name(0, 1)));
  EXPECT_FALSE(bench.Answer("site-b", bench.Name(0, 1), 2));
  EXPECT_EQ(AskedName(bench.Answer("site-c", bench.Name(0, 1), 4)), bench.Name(1));
  EXPECT_EQ(bench.trainer.absorbed.at(0), TotalOf(*bench.plan, 0, {2, 4})) << "nothing of the failed attempt is in it";
}

// ---- Charges, sums, records.

TEST(CoordinatorOrder, ChargesBeforeItAsksAndStoresBeforeItAbsorbs) {
  RoundBench bench;
  bench.Start();
  EXPECT_THAT(bench.log, ElementsAre("next", "charge 0.0"));
  bench.AnswerAll(bench.Name(0), 0);
  EXPECT_THAT(bench.log, ElementsAre("next", "charge 0.0", "store 0.0", "absorb 0", "next", "charge 1.0"));
}

TEST(CoordinatorOrder, TheChargeIsThePlansEventForTheNoiseSharesThatCount) {
  RoundBench bench;
  bench.Start();
  bench.AnswerAll(bench.Name(0), 0);
  const auto& rows = bench.ledger_store.rows();
  ASSERT_EQ(rows.size(), 2U);
  for (std::uint32_t e = 0; e < 2; ++e) {
    EXPECT_EQ(rows[e].charge.entry, e);
    EXPECT_EQ(rows[e].charge.plan_hash, bench.plan->Hash());
    EXPECT_EQ(rows[e].charge.event, bench.plan->entries()[e].Event(1, 1));
  }
}

TEST(CoordinatorOrder, AnswersInAnyOrderGiveTheSameExactSum) {
  const std::vector<std::vector<std::size_t>> orders = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}};
  const std::vector<std::string> sites = {"site-a", "site-b", "site-c"};
  for (const auto& order : orders) {
    RoundBench bench;
    bench.Start();
    for (const std::size_t site : order) bench.Answer(sites[site], bench.Name(0), site + 1);
    EXPECT_EQ(bench.trainer.absorbed.at(0), TotalOf(*bench.plan, 0, {1, 2, 3}));
    EXPECT_EQ(bench.store.words.at(0), bench.trainer.absorbed.at(0)) << "what is stored is what is used";
  }
}

TEST(CoordinatorRecord, NamesWhoAnsweredEveryAttempt) {
  RoundBench bench;
  bench.Start();
  bench.Answer("site-b", bench.Name(0), 1);
  bench.Deadline();
  bench.Answer("site-c", bench.Name(0, 1), 1);
  bench.Answer("site-a", bench.Name(0, 1), 2);
  bench.Deadline();
  for (std::uint32_t query = 1; query < 4; ++query) bench.AnswerAll(bench.Name(query), 1);
  const std::vector<ParticipationRow> expected = {
      {0, 0, 0, 0, false, {1}}, {0, 0, 1, 0, true, {0, 2}}, {1, 3, 0, 1, true, {0, 1, 2}}};
  EXPECT_EQ(bench.round->participation().rows(), expected);
  EXPECT_TRUE(bench.round->participation().CheckAgainst(*bench.plan).ok());
  EXPECT_EQ(bench.round->participation().UsedOfEntries(2), bench.round->used());
}

}  // namespace
}  // namespace synod
