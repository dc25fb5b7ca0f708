// What a site refuses, in which order it looks, and what it charges.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/site_agent/site_fixture.h"

namespace synod {
namespace {

using ::testing::ElementsAre;
using testing::Refusal;
using testing::RoundPlanOptions;
using testing::SiteBench;

void ExpectUntouched(const SiteBench& bench, int calls = 0, std::size_t rows = 0) {
  EXPECT_EQ(bench.contribution.calls, calls) << "nothing is computed for a query that is refused";
  EXPECT_EQ(bench.ledger_store.rows().size(), rows);
}

TEST(SiteRefuses, AnEntryThatThePlanDoesNotHaveBeforeAnythingIsComputed) {
  SiteBench bench;
  for (const std::uint32_t entry : {2U, 3U, 0xffffffffU}) {
    Query query;
    query.entry = entry;
    EXPECT_EQ(Refusal(bench.round->Answer(query, {bench.run, 0, 0})), RefusalReason::kOutsidePlan);
  }
  ExpectUntouched(bench);
  EXPECT_TRUE(bench.round->last_error().has_value());
}

TEST(SiteRefuses, AnEntryAskedAsAnotherKind) {
  SiteBench bench;
  Query query;
  query.entry = 1;
  query.kind = QueryKind::kHistogram;
  EXPECT_EQ(Refusal(bench.round->Answer(query, {bench.run, 0, 0})), RefusalReason::kOutsidePlan);
  ExpectUntouched(bench);
}

TEST(SiteRefuses, AQueryUnderTheNameOfAnother) {
  SiteBench bench;
  Query query;
  query.index = 3;
  EXPECT_EQ(Refusal(bench.round->Answer(query, {bench.run, 4, 0})), RefusalReason::kOutsidePlan);
  ExpectUntouched(bench);
}

TEST(SiteRefuses, AQueryOfAnotherRun) {
  SiteBench bench;
  RunId other = bench.run;
  other.bytes[0] ^= 1;
  EXPECT_TRUE(Refusal(bench.round->Answer(Query{}, {other, 0, 0})).has_value());
  ExpectUntouched(bench);
}

TEST(SiteRefuses, TheSameNameTwice) {
  SiteBench bench;
  EXPECT_FALSE(Refusal(bench.Ask(0, 0)));
  const int calls = bench.contribution.calls;
  EXPECT_EQ(Refusal(bench.Ask(0, 0)), RefusalReason::kReplayed);
  ExpectUntouched(bench, calls, 1);
}

TEST(SiteRefuses, AnEarlierQueryAndAnEarlierAttempt) {
  SiteBench bench;
  EXPECT_FALSE(Refusal(bench.Ask(1, 5, 3)));
  EXPECT_EQ(Refusal(bench.Ask(1, 5, 2)), RefusalReason::kReplayed);
  EXPECT_EQ(Refusal(bench.Ask(1, 4, 9)), RefusalReason::kReplayed);
  EXPECT_EQ(bench.ledger_store.rows().size(), 1U);
}

TEST(SiteRefuses, AnAttemptThatChangesTheEntryOfItsQuery) {
  SiteBench bench;
  EXPECT_FALSE(Refusal(bench.Ask(1, 0, 0)));
  EXPECT_EQ(Refusal(bench.Ask(0, 0, 1)), RefusalReason::kReplayed);
  EXPECT_EQ(bench.ledger_store.rows().size(), 1U);
}

TEST(SiteAnswers, LaterAttemptsAlsoIfItWasAwayForEarlierOnesAndChargesEach) {
  SiteBench bench;
  EXPECT_FALSE(Refusal(bench.Ask(1, 2, 1)));
  EXPECT_FALSE(Refusal(bench.Ask(1, 2, 4)));
  EXPECT_FALSE(Refusal(bench.Ask(1, 7, 2)));
  EXPECT_THAT(bench.log, ElementsAre("charge 2.1", "charge 2.4", "charge 7.2"));
  EXPECT_THAT(bench.round->used(), ElementsAre(0, 3));
}

TEST(SiteRefuses, MoreAnswersThanThePlanAllowsWhateverTheirNames) {
  SiteBench bench;  // three steps, two retries
  for (std::uint32_t query = 0; query < 5; ++query) EXPECT_FALSE(Refusal(bench.Ask(1, query)));
  const int calls = bench.contribution.calls;
  EXPECT_EQ(Refusal(bench.Ask(1, 5)), RefusalReason::kOutsidePlan);
  EXPECT_EQ(Refusal(bench.Ask(1, 4, 1)), RefusalReason::kOutsidePlan);
  ExpectUntouched(bench, calls, 5);
  EXPECT_FALSE(Refusal(bench.Ask(0, 6))) << "the other entry has answers left";
}

TEST(SiteCharges, WhatThePlanSaysAndItsOwnDataSet) {
  SiteBench bench;
  bench.Ask(0, 0);
  bench.Ask(1, 1);
  for (std::uint32_t e = 0; e < 2; ++e) {
    const LedgerCharge& charge = bench.ledger_store.rows().at(e).charge;
    EXPECT_EQ(charge.dataset, bench.dataset);
    EXPECT_EQ(charge.plan_hash, bench.plan->Hash());
    EXPECT_EQ(charge.entry, e);
    EXPECT_EQ(charge.event, bench.plan->entries()[e].Event(bench.plan->honest_shares(), 1));
  }
}

TEST(SiteCharges, NoAnswerLeavesWithoutALedgerRow) {
  SiteBench bench;
  bench.ledger_store.fail_from = 0;
  EXPECT_EQ(Refusal(bench.Ask(0, 0)), RefusalReason::kLedgerUnavailable);
  EXPECT_TRUE(bench.ledger_store.rows().empty());
  EXPECT_THAT(bench.round->used(), ElementsAre(1, 0)) << "its row may be on the disk all the same";
  bench.ledger_store.fail_from = SIZE_MAX;
  EXPECT_EQ(Refusal(bench.Ask(0, 0)), RefusalReason::kReplayed) << "an answer under this name was computed before";
  EXPECT_FALSE(Refusal(bench.Ask(0, 0, 1)));
}

TEST(SiteCharges, ARowThatWasThereAfterAllIsNotChargedAgain) {
  SiteBench bench;
  bench.ledger_store.fail_from = 0;
  bench.ledger_store.keeps_row_on_failure = true;
  EXPECT_EQ(Refusal(bench.Ask(1, 0)), RefusalReason::kLedgerUnavailable);
  bench.ledger_store.fail_from = SIZE_MAX;
  EXPECT_FALSE(Refusal(bench.Ask(1, 0, 1)));
  EXPECT_EQ(bench.ledger_store.rows().size(), 2U);
  EXPECT_EQ(bench.ledger.rows(), 2U);
}

TEST(SiteCharges, ARoundThatBeginsAgainWithTheSameLedgerGivesNoAnswerTwice) {
  SiteBench bench;
  EXPECT_FALSE(Refusal(bench.Ask(0, 0)));
  SiteRound again(SiteRound::Setup{bench.plan, bench.run, bench.dataset, testing::RecordsOf(20), 1}, bench.contribution,
                  bench.ledger, SecretRandomForTestsOnly::FromSeed(2));
  EXPECT_TRUE(Refusal(again.Answer(Query{}, {bench.run, 0, 0})).has_value());
  EXPECT_EQ(bench.ledger_store.rows().size(), 1U);
}

TEST(SiteCharges, NothingForAComputationThatWasRefusedAndSaysWhyFromTheClosedList) {
  SiteBench bench;
  bench.contribution.error = BadInput("a query has the wrong number of parameters");
  EXPECT_EQ(Refusal(bench.Ask(0, 0)), RefusalReason::kMalformed);
  EXPECT_TRUE(bench.ledger_store.rows().empty());
  EXPECT_THAT(bench.round->used(), ElementsAre(0, 0));
  ASSERT_TRUE(bench.round->last_error().has_value());
  EXPECT_EQ(bench.round->last_error()->message, "a query has the wrong number of parameters");
  for (const ErrorCode code : {ErrorCode::kInternal, ErrorCode::kFailed, ErrorCode::kBudgetExhausted}) {
    bench.contribution.error = Error{code, "text of the site's own", ""};
    EXPECT_EQ(Refusal(bench.Ask(0, 0)), RefusalReason::kMalformed) << "one reason, whatever happened";
  }
}

TEST(SiteRefuses, AndForgetsWhyOnceItAnswers) {
  SiteBench bench;
  bench.contribution.error = BadInput("a query has the wrong number of parameters");
  bench.Ask(0, 0);
  EXPECT_TRUE(bench.round->last_error().has_value());
  bench.contribution.error.reset();
  EXPECT_FALSE(Refusal(bench.Ask(0, 0)));
  EXPECT_FALSE(bench.round->last_error().has_value());
}

TEST(SiteRefuses, ASumOfAnotherLengthThanItsEntry) {
  RoundPlanOptions options;
  SiteBench bench(options);
  testing::TestContribution longer(options.dimension + 1);
  SiteRound round(SiteRound::Setup{bench.plan, bench.run, bench.dataset, testing::RecordsOf(20), 1}, longer,
                  bench.ledger, SecretRandomForTestsOnly::FromSeed(2));
  EXPECT_EQ(Refusal(round.Answer(Query{}, {bench.run, 0, 0})), RefusalReason::kMalformed);
  EXPECT_TRUE(bench.ledger_store.rows().empty());
}

TEST(SiteAnswers, WithTheWholeNoiseWhereNobodyAddsUpAndAShareWhereACuratorDoes) {
  SiteBench alone;
  EXPECT_TRUE(std::holds_alternative<StandaloneSum>(alone.Ask(0, 0)));
  RoundPlanOptions options;
  options.aggregation = Aggregation::kCurator;
  options.quorum = 3;
  SiteBench curated(options);
  const SiteRound::Reply share = curated.Ask(0, 0);
  ASSERT_TRUE(std::holds_alternative<NoisedSum>(share));
  EXPECT_EQ(std::get<NoisedSum>(share).honest_shares(), 3U);
}

TEST(SiteAnswersDeathTest, NoMaskedPlanOnThePathWithoutMasks) {
  PlanFacts facts = testing::RoundPlan()->facts();
  facts.aggregation = Aggregation::kSecure;
  facts.threshold = facts.quorum = 3;
  const auto secure = std::make_shared<const Plan>(Plan::Create(facts, testing::RoundPlan()->entries()).value());
  SiteBench bench;
  EXPECT_DEATH(SiteRound(SiteRound::Setup{secure, bench.run, bench.dataset, testing::RecordsOf(3), 1},
                         bench.contribution, bench.ledger, SecretRandomForTestsOnly::FromSeed(2)),
               "path of their own");
}

}  // namespace
}  // namespace synod
