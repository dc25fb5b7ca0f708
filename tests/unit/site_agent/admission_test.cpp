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

std::optional<RefusalReason> RefusalOf(SiteBench& bench, const Query& query, std::uint32_t name) {
  return Refusal(bench.AskFor(std::make_shared<const Query>(query), {bench.run, name, 0}));
}

TEST(SiteRefuses, AnEntryThatThePlanDoesNotHaveBeforeAnythingIsComputed) {
  SiteBench bench;
  for (const std::uint32_t entry : {2U, 3U, 0xffffffffU}) {
    Query query;
    query.entry = entry;
    EXPECT_EQ(RefusalOf(bench, query, 0), RefusalReason::kOutsidePlan);
  }
  ExpectUntouched(bench);
  EXPECT_TRUE(bench.round->last_error().has_value());
}

TEST(SiteRefuses, AnEntryAskedAsAnotherKind) {
  SiteBench bench;
  Query query;
  query.entry = 1;
  query.kind = QueryKind::kHistogram;
  EXPECT_EQ(RefusalOf(bench, query, 0), RefusalReason::kOutsidePlan);
  ExpectUntouched(bench);
}

TEST(SiteRefuses, AQueryUnderTheNameOfAnother) {
  SiteBench bench;
  Query query;
  query.index = 3;
  EXPECT_EQ(RefusalOf(bench, query, 4), RefusalReason::kOutsidePlan);
  ExpectUntouched(bench);
}

TEST(SiteRefuses, AQueryOfAnotherRun) {
  SiteBench bench;
  RunId other = bench.run;
  other.bytes[0] ^= 1;
  EXPECT_EQ(Refusal(bench.AskFor(bench.QueryOf(0, 0), {other, 0, 0})), RefusalReason::kOutsidePlan);
  ExpectUntouched(bench);
}

TEST(SiteAnswers, TheSameNameWithTheSameBytesAndWithoutACharge) {
  SiteBench bench;
  const Bytes first = WordsOf(bench.Ask(0, 0));
  const int calls = bench.contribution.calls;
  EXPECT_EQ(WordsOf(bench.Ask(0, 0)), first);
  EXPECT_EQ(WordsOf(bench.AskFor(bench.QueryOf(1, 0), {bench.run, 0, 0})), first) << "whatever is asked under it";
  ExpectUntouched(bench, calls, 1);
}

TEST(SiteRefuses, ANameWhoseAnswerItHasForgotten) {
  SiteBench bench;
  EXPECT_FALSE(Refusal(bench.Ask(0, 0)));
  EXPECT_FALSE(Refusal(bench.Ask(1, 1)));
  const int calls = bench.contribution.calls;
  EXPECT_TRUE(bench.round->OnQueryClosed(0).ok());
  EXPECT_EQ(Refusal(bench.Ask(0, 0)), RefusalReason::kReplayed);
  EXPECT_FALSE(Refusal(bench.Ask(1, 1))) << "this one is still open";
  bench.Begin();
  EXPECT_EQ(Refusal(bench.Ask(0, 0)), RefusalReason::kReplayed);
  ExpectUntouched(bench, calls, 2);
}

TEST(SiteRefuses, AnyAttemptOfAQueryThatTheCoordinatorClosed) {
  SiteBench bench;
  EXPECT_TRUE(bench.round->OnQueryClosed(3).ok());
  EXPECT_EQ(Refusal(bench.Ask(1, 3)), RefusalReason::kReplayed) << "it was away, and its answer would come too late";
  EXPECT_EQ(Refusal(bench.Ask(1, 2, 4)), RefusalReason::kReplayed);
  EXPECT_TRUE(bench.round->OnQueryClosed(1).ok()) << "an older message, late";
  EXPECT_EQ(Refusal(bench.Ask(1, 3)), RefusalReason::kReplayed);
  ExpectUntouched(bench);
  EXPECT_FALSE(Refusal(bench.Ask(1, 4)));
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

TEST(SiteCharges, ANameAgainOnceTheLedgerSaysThatItsChargeWasNeverWritten) {
  SiteBench bench;
  bench.ledger_store.fail_from = 0;
  EXPECT_EQ(Refusal(bench.Ask(0, 0)), RefusalReason::kLedgerUnavailable);
  bench.ledger_store.fail_from = SIZE_MAX;
  bench.Begin();
  EXPECT_THAT(bench.round->used(), ElementsAre(0, 0));
  EXPECT_FALSE(Refusal(bench.Ask(0, 0)));
  EXPECT_EQ(bench.ledger_store.rows().size(), 1U);
}

TEST(SiteCharges, NothingAgainWhereTheRowAndItsAnswerWereThereAfterAll) {
  SiteBench bench;
  bench.ledger_store.fail_from = 0;
  bench.ledger_store.keeps_row_on_failure = true;
  EXPECT_EQ(Refusal(bench.Ask(1, 0)), RefusalReason::kLedgerUnavailable);
  bench.ledger_store.fail_from = SIZE_MAX;
  bench.Begin();
  const int calls = bench.contribution.calls;
  EXPECT_FALSE(Refusal(bench.Ask(1, 0)));
  ExpectUntouched(bench, calls, 1);
}

TEST(SiteRefuses, WhileItsStoredAnswersCannotBeRead) {
  SiteBench bench;
  bench.answers.fails = true;
  EXPECT_EQ(Refusal(bench.Ask(0, 0)), RefusalReason::kLedgerUnavailable);
  bench.answers.fails = false;
  EXPECT_FALSE(Refusal(bench.Ask(0, 0)));
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

TEST(SiteCharges, ARoundThatBeginsAgainSendsTheSameBytesAndChargesNothingTwice) {
  SiteBench bench;
  const Bytes first = WordsOf(bench.Ask(1, 0, 1));
  bench.Begin();
  EXPECT_THAT(bench.round->used(), ElementsAre(0, 1));
  EXPECT_EQ(WordsOf(bench.Ask(1, 0, 1)), first);
  EXPECT_EQ(Refusal(bench.Ask(1, 0, 0)), RefusalReason::kReplayed);
  EXPECT_EQ(bench.ledger_store.rows().size(), 1U);
}

TEST(SiteBegin, RefusesALedgerThatWasChargedForAnotherPlan) {
  SiteBench bench;
  bench.Ask(1, 0);
  RoundPlanOptions options;
  options.steps = 4;
  const auto result = SiteRound::Begin({testing::RoundPlan(options), bench.run, bench.dataset}, bench.ledger,
                                       bench.answers, bench.ledger_store.rows());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kVerificationFailed);
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("ledger row 0"));
}

// ---- The one computation at a time.

TEST(SiteComputation, IsStartedOnceForANameThatIsAskedAgain) {
  SiteBench bench;
  const QueryName name{bench.run, 0, 0};
  EXPECT_TRUE(std::holds_alternative<SiteRound::Compute>(bench.round->OnQuery(bench.QueryOf(0, 0), name)));
  EXPECT_TRUE(std::holds_alternative<SiteRound::Nothing>(bench.round->OnQuery(bench.QueryOf(0, 0), name)));
  EXPECT_EQ(bench.round->computing(), name);
  ExpectUntouched(bench);
}

TEST(SiteComputation, IsReplacedByALaterAttemptAndItsAnswerDroppedUncharged) {
  SiteBench bench;
  const Bytes answer(4 * bench.plan->entries()[0].dimension, 1);
  for (std::uint32_t attempt = 0; attempt < 2; ++attempt) {
    bench.round->OnQuery(bench.QueryOf(0, 0), {bench.run, 0, attempt});
  }
  EXPECT_TRUE(std::holds_alternative<SiteRound::Nothing>(bench.round->OnComputed({bench.run, 0, 0}, answer)));
  EXPECT_EQ(Refusal(bench.round->OnQuery(bench.QueryOf(0, 0), {bench.run, 0, 0})), RefusalReason::kReplayed);
  EXPECT_TRUE(bench.ledger_store.rows().empty());
  EXPECT_TRUE(testing::IsSent(bench.round->OnComputed({bench.run, 0, 1}, answer)));
  EXPECT_THAT(bench.log, ElementsAre("charge 0.1"));
}

TEST(SiteComputation, ThatIsAbandonedCostsNothingAndMayBeAskedAgain) {
  SiteBench bench;
  const QueryName name{bench.run, 1, 0};
  const Bytes answer(4 * bench.plan->entries()[1].dimension, 1);
  bench.round->OnQuery(bench.QueryOf(1, 1), name);
  bench.round->Abandon();
  EXPECT_TRUE(std::holds_alternative<SiteRound::Nothing>(bench.round->OnComputed(name, answer)));
  EXPECT_TRUE(std::holds_alternative<SiteRound::Nothing>(bench.round->OnMalformed(name)));
  EXPECT_TRUE(bench.ledger_store.rows().empty());
  EXPECT_TRUE(std::holds_alternative<SiteRound::Compute>(bench.round->OnQuery(bench.QueryOf(1, 1), name)));
  EXPECT_TRUE(testing::IsSent(bench.round->OnComputed(name, answer)));
  EXPECT_TRUE(std::holds_alternative<SiteRound::Nothing>(bench.round->OnComputed(name, answer))) << "once";
  EXPECT_EQ(bench.ledger_store.rows().size(), 1U);
}

TEST(SiteComputation, OfAQueryThatWasClosedIsDroppedUncharged) {
  SiteBench bench;
  const QueryName name{bench.run, 1, 0};
  bench.round->OnQuery(bench.QueryOf(1, 1), name);
  EXPECT_TRUE(bench.round->OnQueryClosed(1).ok());
  EXPECT_FALSE(bench.round->computing().has_value());
  const Bytes answer(4 * bench.plan->entries()[1].dimension, 1);
  EXPECT_TRUE(std::holds_alternative<SiteRound::Nothing>(bench.round->OnComputed(name, answer)));
  EXPECT_TRUE(bench.ledger_store.rows().empty());
}

TEST(SiteComputation, OfTheWrongLengthIsNeitherChargedNorSent) {
  SiteBench bench;
  for (const std::size_t length : {std::size_t{0}, std::size_t{15}, std::size_t{17}, std::size_t{32}}) {
    bench.round->OnQuery(bench.QueryOf(0, 0), {bench.run, 0, 0});
    EXPECT_EQ(Refusal(bench.round->OnComputed({bench.run, 0, 0}, Bytes(length, 1))), RefusalReason::kMalformed);
  }
  EXPECT_TRUE(bench.ledger_store.rows().empty());
}

TEST(SiteCharges, NothingForAComputationThatWasRefusedAndSaysWhyFromTheClosedList) {
  SiteBench bench;
  bench.contribution.error = BadInput("a query has the wrong number of parameters");
  EXPECT_EQ(Refusal(bench.Ask(0, 0)), RefusalReason::kMalformed);
  EXPECT_TRUE(bench.ledger_store.rows().empty());
  EXPECT_THAT(bench.round->used(), ElementsAre(0, 0));
  ASSERT_TRUE(bench.round->last_error().has_value());
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
  bench.computer.emplace(SiteComputer::Setup{bench.plan, bench.run, testing::RecordsOf(20), 1}, longer, bench.streams);
  EXPECT_EQ(Refusal(bench.Ask(0, 0)), RefusalReason::kMalformed);
  EXPECT_TRUE(bench.ledger_store.rows().empty());
}

TEST(SiteComputes, NothingForAQueryThatIsNotOfThePlanEither) {
  SiteBench bench;
  const auto answer = [&](std::uint32_t entry, QueryKind kind, const QueryName& name) {
    Query query;
    query.entry = entry;
    query.kind = kind;
    return bench.computer->Answer(query, name).ok();
  };
  RunId other = bench.run;
  other.bytes[3] ^= 1;
  EXPECT_FALSE(answer(2, QueryKind::kGradient, {bench.run, 0, 0}));
  EXPECT_FALSE(answer(1, QueryKind::kHistogram, {bench.run, 0, 0}));
  EXPECT_FALSE(answer(0, QueryKind::kHistogram, {bench.run, 1, 0}));
  EXPECT_FALSE(answer(0, QueryKind::kHistogram, {other, 0, 0}));
  EXPECT_EQ(bench.contribution.calls, 0);
  EXPECT_TRUE(answer(0, QueryKind::kHistogram, {bench.run, 0, 0}));
}

TEST(SiteAnswers, WithTheWholeNoiseWhereNobodyAddsUpAndAShareWhereACuratorDoes) {
  SiteBench alone;
  EXPECT_FALSE(alone.Ask(0, 0).share.has_value());
  RoundPlanOptions options;
  options.aggregation = Aggregation::kCurator;
  options.quorum = 3;
  SiteBench curated(options);
  const SiteBench::Reply reply = curated.Ask(0, 0);
  ASSERT_TRUE(reply.share.has_value());
  EXPECT_EQ(reply.share->honest_shares(), 3U);
  EXPECT_TRUE(WordsOf(reply).empty()) << "a share has no bytes";
  EXPECT_EQ(curated.ledger_store.rows().size(), 1U);
}

// ---- Secure aggregation: the words wait for the masking.

struct SecureBench : SiteBench {
  SecureBench() {
    PlanFacts facts = plan->facts();
    facts.aggregation = Aggregation::kSecure;
    facts.threshold = facts.quorum = 3;
    plan = std::make_shared<const Plan>(Plan::Create(facts, plan->entries()).value());
    Begin();
  }
  SiteRound::Action OnQuery(std::uint32_t query, std::uint32_t attempt) {
    return round->OnQuery(QueryOf(0, query), {run, query, attempt});
  }
};

TEST(SecureAdmission, AChargedNameIsDeadAlsoAfterARestart) {
  SecureBench bench;
  ASSERT_TRUE(std::holds_alternative<SiteRound::Compute>(bench.OnQuery(0, 0)));
  EXPECT_TRUE(bench.ledger_store.rows().empty());
  const Result<SpendPermit> permit = bench.round->Charge({bench.run, 0, 0});
  ASSERT_TRUE(permit.ok());
  EXPECT_EQ(permit->name(), (QueryName{bench.run, 0, 0}));
  EXPECT_EQ(bench.ledger_store.rows().size(), 1U);
  EXPECT_EQ(Refusal(bench.OnQuery(0, 0)), RefusalReason::kReplayed);
  bench.Begin();
  EXPECT_EQ(Refusal(bench.OnQuery(0, 0)), RefusalReason::kReplayed);
  EXPECT_TRUE(std::holds_alternative<SiteRound::Compute>(bench.OnQuery(0, 1)));
}

TEST(SecureAdmission, AnAbandonedNameIsDeadInThisProcessAndCostsNothing) {
  SecureBench bench;
  bench.OnQuery(0, 2);
  bench.round->Abandon();
  EXPECT_EQ(Refusal(bench.OnQuery(0, 2)), RefusalReason::kReplayed);
  EXPECT_EQ(Refusal(bench.OnQuery(0, 1)), RefusalReason::kReplayed);
  bench.OnQuery(0, 3);
  EXPECT_EQ(Refusal(bench.round->OnMalformed({bench.run, 0, 3})), RefusalReason::kMalformed);
  EXPECT_EQ(Refusal(bench.OnQuery(0, 3)), RefusalReason::kReplayed);
  EXPECT_TRUE(bench.ledger_store.rows().empty());
  EXPECT_TRUE(std::holds_alternative<SiteRound::Compute>(bench.OnQuery(1, 0)));
}

TEST(SecureAdmissionDeathTest, NothingIsChargedTwiceAndNoWordsLeaveWithoutMasks) {
  SecureBench bench;
  bench.OnQuery(0, 0);
  EXPECT_DEATH(bench.round->OnComputed({bench.run, 0, 0}, {}), "leaves under masks");
  ASSERT_TRUE(bench.round->Charge({bench.run, 0, 0}).ok());
  EXPECT_DEATH(bench.round->Charge({bench.run, 0, 0}).ok(), "charged once");
  SiteBench open;
  EXPECT_DEATH(open.round->Charge({open.run, 0, 0}).ok(), "charged once");
}

}  // namespace
}  // namespace synod
