// Ledger, attempts and checkpoint of a coordinator that do not belong together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/coordinator/round_fixture.h"

namespace synod {
namespace {

using ::testing::HasSubstr;
using testing::RoundBench;

// Query 0 failed once and was asked again; 1 and 2 have their sums; 3 is open.
struct HistoryBench : RoundBench {
  HistoryBench() {
    Start();
    Answer("site-b", Name(0), 1);
    Deadline();
    AnswerAll(Name(0, 1), 0);
    AnswerAll(Name(1), 1);
    AnswerAll(Name(2), 1);
  }
  // Whether the run can be taken up from the changed history, and why not.
  Error ErrorOf(const std::function<void(RoundHistory&)>& change) {
    RoundHistory history = History();
    change(history);
    const Result<RoundHistory> checked = CheckHistory(*plan, run, std::move(history));
    EXPECT_FALSE(checked.ok());
    return checked.ok() ? Error{} : checked.error();
  }
};

void ExpectNamed(const Error& error, const std::string& what) {
  EXPECT_EQ(error.code, ErrorCode::kVerificationFailed) << error.message;
  EXPECT_THAT(error.message, HasSubstr(what));
}

TEST(RoundHistoryCheck, AgreesWithWhatARunLeaves) {
  HistoryBench bench;
  ASSERT_EQ(bench.ledger_store.rows().size(), 5U);
  ASSERT_EQ(bench.store.attempts.size(), 4U);
  EXPECT_TRUE(CheckHistory(*bench.plan, bench.run, bench.History()).ok());
  EXPECT_TRUE(CheckHistory(*bench.plan, bench.run, bench.History(3)).ok());
  EXPECT_TRUE(CheckHistory(*bench.plan, bench.run, {}).ok());
}

TEST(RoundHistoryCheck, PassesOverOtherRuns) {
  HistoryBench bench;
  RoundHistory history = bench.History();
  LedgerRow other = history.ledger_rows[2];
  other.charge.name.run.bytes[0] ^= 1;
  history.ledger_rows.insert(history.ledger_rows.begin() + 1, other);
  const Result<RoundHistory> checked = CheckHistory(*bench.plan, bench.run, history);
  ASSERT_TRUE(checked.ok());
  EXPECT_EQ(checked->ledger_rows, bench.ledger_store.rows());
}

TEST(RoundHistoryCheck, NamesARowThatIsMissing) {
  HistoryBench bench;
  for (const int row : {0, 1, 2, 3}) {
    const Error error = bench.ErrorOf([&](RoundHistory& h) { h.ledger_rows.erase(h.ledger_rows.begin() + row); });
    EXPECT_THAT(error.message, HasSubstr("ledger row ")) << row;
  }
  ExpectNamed(bench.ErrorOf([](RoundHistory& h) { h.ledger_rows.resize(3); }), "query 2 attempt 0");
}

TEST(RoundHistoryCheck, NamesAnAttemptThatIsMissing) {
  HistoryBench bench;
  for (const int attempt : {0, 1, 2}) {
    const Error error = bench.ErrorOf([&](RoundHistory& h) { h.attempts.erase(h.attempts.begin() + attempt); });
    ExpectNamed(error, "ledger row " + std::to_string(attempt));
  }
  ExpectNamed(bench.ErrorOf([](RoundHistory& h) { h.attempts.resize(2); }), "ledger row 2");
}

TEST(RoundHistoryCheck, NamesARecordOfAnotherNameOrEntry) {
  HistoryBench bench;
  ExpectNamed(bench.ErrorOf([](RoundHistory& h) { ++h.attempts[2].name.query; }), "ledger row 2");
  ExpectNamed(bench.ErrorOf([](RoundHistory& h) { ++h.attempts[1].name.attempt; }), "ledger row 1");
  ExpectNamed(bench.ErrorOf([](RoundHistory& h) { h.attempts[0].name.run.bytes[0] ^= 1; }), "ledger row 0");
  ExpectNamed(bench.ErrorOf([](RoundHistory& h) { h.attempts[3].entry = 0; }), "ledger row 3");
}

TEST(RoundHistoryCheck, NamesARecordWithSitesThatCannotBe) {
  HistoryBench bench;
  for (const std::vector<std::uint32_t>& sites :
       {std::vector<std::uint32_t>{1, 0}, std::vector<std::uint32_t>{1, 1}, std::vector<std::uint32_t>{0, 3}}) {
    ExpectNamed(bench.ErrorOf([&](RoundHistory& h) { h.attempts[2].answered = sites; }), "ledger row 2");
  }
}

TEST(RoundHistoryCheck, NamesASumOfTooFewAnswersAndAQueryThatWasLeftWithoutOne) {
  HistoryBench bench;
  ExpectNamed(bench.ErrorOf([](RoundHistory& h) { h.attempts[2].answered = {1}; }), "too few answers");
  ExpectNamed(bench.ErrorOf([](RoundHistory& h) { h.attempts[2].completed = false; }), "ledger row 3");
  ExpectNamed(bench.ErrorOf([](RoundHistory& h) {
    h.attempts[0].completed = true;
    h.attempts[0].answered = {0, 1};
  }),
              "asked again after it had its sum");
}

TEST(RoundHistoryCheck, NamesARowOfAnotherPlanOrEvent) {
  HistoryBench bench;
  ExpectNamed(bench.ErrorOf([](RoundHistory& h) { h.ledger_rows[3].charge.plan_hash[0] ^= 1; }), "ledger row 3");
  ExpectNamed(bench.ErrorOf([](RoundHistory& h) { h.ledger_rows[2].charge.event.noise_multiplier *= 2.0; }),
              "ledger row 2");
  ExpectNamed(bench.ErrorOf([](RoundHistory& h) { ++h.ledger_rows[4].charge.name.query; }), "ledger row 4");
}

TEST(RoundHistoryCheck, NamesACheckpointThatIsAheadOfTheSums) {
  HistoryBench bench;
  ExpectNamed(bench.ErrorOf([](RoundHistory& h) { h.trained_queries = 4; }), "checkpoint");
  ExpectNamed(bench.ErrorOf([](RoundHistory& h) {
    h.trained_queries = 3;
    h.attempts.pop_back();
    h.ledger_rows.pop_back();
  }),
              "checkpoint");
}

TEST(RoundHistoryCheck, NamesMoreChargesThanThePlanAllows) {
  RoundBench bench;
  bench.Start();
  bench.Deadline();
  RoundHistory history = bench.History();
  LedgerRow more = history.ledger_rows.back();
  ++more.charge.name.attempt;
  ++more.index;
  history.ledger_rows.push_back(more);
  history.attempts.push_back({history.ledger_rows[1].charge.name, 0, false, {}});
  const auto checked = CheckHistory(*bench.plan, bench.run, history);
  ASSERT_FALSE(checked.ok());
  EXPECT_THAT(checked.error().message, HasSubstr("ledger row 2"));
}

}  // namespace
}  // namespace synod
