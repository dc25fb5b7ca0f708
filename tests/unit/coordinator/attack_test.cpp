// Messages that do not fit, ports that fail, sites that refuse for ever.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/unit/coordinator/round_fixture.h"

namespace synod {
namespace {

using ::testing::AllOf;
using testing::AskedName;
using ::testing::ElementsAre;
using testing::GivenUp;
using ::testing::HasSubstr;
using testing::IsFinished;
using testing::RoundBench;
using testing::RoundPlanOptions;
using testing::TotalOf;

// Sends `hostile` between the first two honest answers and the third, and expects that nothing changed.
template <typename Hostile>
void ExpectDropped(Hostile&& hostile) {
  RoundBench bench;
  bench.Start();
  bench.AnswerAll(bench.Name(0), 0);
  bench.Answer("site-a", bench.Name(1), 1, 1);
  bench.Answer("site-b", bench.Name(1), 2, 1);
  EXPECT_FALSE(hostile(bench).has_value());
  EXPECT_EQ(bench.round->dropped_messages(), 1U);
  EXPECT_EQ(AskedName(bench.Answer("site-c", bench.Name(1), 3, 1)), bench.Name(2));
  EXPECT_EQ(bench.trainer.absorbed.at(1), TotalOf(*bench.plan, 1, {1, 2, 3}));
  EXPECT_EQ(bench.round->participation().rows().back().answered.size(), 3U);
}

TEST(CoordinatorDrops, ASecondAnswerOfOneSite) {
  ExpectDropped([](RoundBench& b) { return b.Answer("site-a", b.Name(1), 99, 1); });
}
TEST(CoordinatorDrops, ARefusalAfterAnAnswer) {
  ExpectDropped([](RoundBench& b) { return b.Refuse("site-b", b.Name(1)); });
}
TEST(CoordinatorDrops, AnAnswerToAQueryThatIsClosed) {
  ExpectDropped([](RoundBench& b) { return b.Answer("site-c", b.Name(0), 99, 0); });
}
TEST(CoordinatorDrops, AnAnswerToAQueryThatIsNotAskedYet) {
  ExpectDropped([](RoundBench& b) { return b.Answer("site-c", b.Name(2), 99, 1); });
}
TEST(CoordinatorDrops, AnAnswerToAnAttemptThatIsNotAskedYet) {
  ExpectDropped([](RoundBench& b) { return b.Answer("site-c", b.Name(1, 1), 99, 1); });
}
TEST(CoordinatorDrops, AnAnswerOfAnotherRun) {
  ExpectDropped([](RoundBench& b) {
    QueryName name = b.Name(1);
    name.run.bytes[15] ^= 1;
    return b.Answer("site-c", name, 99, 1);
  });
}
TEST(CoordinatorDrops, AnAnswerOfASiteThatIsNotOnTheRoster) {
  ExpectDropped([](RoundBench& b) { return b.Answer("site-d", b.Name(1), 99, 1); });
  ExpectDropped([](RoundBench& b) { return b.Answer("", b.Name(1), 99, 1); });
  ExpectDropped([](RoundBench& b) { return b.Answer("site-c ", b.Name(1), 99, 1); });
  ExpectDropped([](RoundBench& b) { return b.Refuse("site-d", b.Name(1)); });
}
TEST(CoordinatorDrops, AnAnswerOfTheWrongLengthAndStillTakesARightOne) {
  ExpectDropped([](RoundBench& b) {
    RoundPlanOptions longer;
    longer.dimension = 5;
    return b.round->OnAnswer("site-c", b.Name(1), testing::AnswerOf(*testing::RoundPlan(longer), 1, 99));
  });
}

TEST(CoordinatorDrops, ALateAnswerOfAnEarlierAttempt) {
  RoundBench bench;
  bench.Start();
  bench.Answer("site-a", bench.Name(0), 1);
  bench.Deadline();
  EXPECT_FALSE(bench.Answer("site-b", bench.Name(0), 2));
  EXPECT_FALSE(bench.Answer("site-a", bench.Name(0), 1)) << "a replay of what counted in the earlier attempt";
  EXPECT_EQ(bench.round->dropped_messages(), 2U);
  bench.Answer("site-a", bench.Name(0, 1), 11);
  bench.Answer("site-b", bench.Name(0, 1), 12);
  EXPECT_EQ(AskedName(bench.Deadline()), bench.Name(1));
  EXPECT_EQ(bench.trainer.absorbed.at(0), TotalOf(*bench.plan, 0, {11, 12}));
}

TEST(CoordinatorDrops, AnAnswerAfterTheSitesOwnRefusal) {
  RoundBench bench;
  bench.Start();
  bench.Refuse("site-a", bench.Name(0));
  EXPECT_FALSE(bench.Answer("site-a", bench.Name(0), 1));
  EXPECT_FALSE(bench.Refuse("site-a", bench.Name(0)));
  EXPECT_EQ(bench.round->dropped_messages(), 2U);
}

TEST(CoordinatorNoise, ASumNeverHasFewerSharesThanItIsAccountedWith) {
  RoundPlanOptions options;
  options.aggregation = Aggregation::kCurator;  // accounted with the noise of all three: its quorum is three
  RoundBench bench(options);
  bench.Start();
  EXPECT_FALSE(bench.round->OnAnswer("site-a", bench.Name(0), testing::ShareOf(*bench.plan, 0, 1)));
  EXPECT_FALSE(bench.round->OnAnswer("site-b", bench.Name(0), testing::ShareOf(*bench.plan, 0, 2)));
  EXPECT_EQ(AskedName(bench.Deadline()), bench.Name(0, 1));
  EXPECT_TRUE(bench.trainer.absorbed.empty());
  EXPECT_TRUE(bench.store.words.empty());
}

TEST(CoordinatorNoiseDeathTest, AShareIsNotTakenWhereItsOwnNoiseIsAllThereIs) {
  RoundPlanOptions options;
  options.aggregation = Aggregation::kCurator;
  const auto curator = testing::RoundPlan(options);
  RoundBench bench;
  bench.Start();
  EXPECT_DEATH(bench.round->OnAnswer("site-a", bench.Name(0), testing::ShareOf(*curator, 0, 1)), "carries all noise");
}

// ---- Giving up.

TEST(CoordinatorGivesUp, WhenThePlanAllowsNoFurtherAttemptAndNamesSitesAndReasons) {
  RoundBench bench;
  bench.Start();
  bench.Deadline();
  bench.Answer("site-c", bench.Name(0, 1), 1);
  bench.Refuse("site-a", bench.Name(0, 1), RefusalReason::kLedgerUnavailable);
  const auto action = bench.Deadline();
  const Error* error = GivenUp(action);
  ASSERT_NE(error, nullptr);
  EXPECT_THAT(error->message, AllOf(HasSubstr("\"counts\""), HasSubstr("1 of 3"), HasSubstr("2 are needed"),
                                    HasSubstr("site-a: ledger_unavailable"), HasSubstr("site-b: no answer")));
  EXPECT_THAT(error->message, ::testing::Not(HasSubstr("site-c")));
  EXPECT_FALSE(error->hint.empty());
  EXPECT_THAT(bench.round->used(), ElementsAre(2, 0));
  EXPECT_TRUE(bench.trainer.absorbed.empty());
}

TEST(CoordinatorGivesUp, BeforeAnswersThatLaterQueriesNeedAreUsedUp) {
  RoundBench bench;  // three steps, two retries
  bench.Start();
  bench.AnswerAll(bench.Name(0), 0);
  EXPECT_EQ(AskedName(bench.Deadline()), bench.Name(1, 1));
  EXPECT_EQ(AskedName(bench.Deadline()), bench.Name(1, 2));
  EXPECT_NE(GivenUp(bench.Deadline()), nullptr) << "two answers left, three sums missing";
  EXPECT_THAT(bench.round->used(), ElementsAre(1, 3));
  EXPECT_EQ(bench.ledger_store.rows().size(), 4U);
}

TEST(CoordinatorGivesUp, NotForAQueryBeyondWhatTheRunNeeds) {
  RoundBench bench;
  bench.trainer.uses_spares = true;
  bench.Start();
  bench.AnswerAll(bench.Name(0), 0);
  EXPECT_EQ(AskedName(bench.Deadline()), bench.Name(2)) << "the spare histogram failed";
  for (std::uint32_t query = 2; query < 6; ++query) {
    EXPECT_EQ(AskedName(bench.AnswerAll(bench.Name(query), 1)), bench.Name(query + 1));
  }
  EXPECT_TRUE(IsFinished(bench.Deadline())) << "the last spare step failed";
  EXPECT_THAT(bench.round->used(), ElementsAre(2, 5));
  EXPECT_TRUE(bench.round->participation().CheckAgainst(*bench.plan).ok());
}

TEST(CoordinatorGivesUp, WhenTheTrainerStopsBeforeThePlanIsDone) {
  RoundBench bench;
  bench.Start();
  bench.trainer.stops_early = true;
  const auto action = bench.AnswerAll(bench.Name(0), 0);
  ASSERT_NE(GivenUp(action), nullptr);
  EXPECT_THAT(GivenUp(action)->message, HasSubstr("0 of 3 answers of training"));
}

// ---- Ports that fail.

TEST(CoordinatorPorts, WithoutALedgerRowNothingIsAsked) {
  RoundBench bench;
  bench.ledger_store.fail_from = 1;
  bench.Start();
  const auto action = bench.AnswerAll(bench.Name(0), 0);
  ASSERT_NE(GivenUp(action), nullptr);
  EXPECT_THAT(GivenUp(action)->message, AllOf(HasSubstr("ledger"), HasSubstr("disk of the ledger is full")));
}

TEST(CoordinatorPorts, WithoutALedgerRowNothingIsAskedAgain) {
  RoundBench bench;
  bench.ledger_store.fail_from = 1;
  bench.Start();
  EXPECT_NE(GivenUp(bench.Deadline()), nullptr);
}

TEST(CoordinatorPorts, ASumThatCannotBeStoredIsNeverAbsorbed) {
  RoundBench bench;
  bench.store.fails = true;
  bench.Start();
  const auto action = bench.AnswerAll(bench.Name(0), 0);
  ASSERT_NE(GivenUp(action), nullptr);
  EXPECT_THAT(GivenUp(action)->message, HasSubstr("disk of the sums is full"));
  EXPECT_THAT(bench.log, ElementsAre("next", "charge 0.0"));
}

TEST(CoordinatorPorts, ATrainerThatCannotUseASumEndsTheRun) {
  RoundBench bench;
  bench.trainer.fails = true;
  bench.Start();
  EXPECT_NE(GivenUp(bench.AnswerAll(bench.Name(0), 0)), nullptr);
}

// ---- A storm of random events: whatever comes in whatever order, the promises of the header hold.

struct Storm {
  explicit Storm(std::uint64_t seed) : random(seed) {
    bench.trainer.uses_spares = seed % 2 == 0;
    if (seed % 7 == 0) bench.ledger_store.fail_from = random() % 6;
    Take(bench.Start());
  }

  void Take(const std::optional<CoordinatorRound::Action>& action) {
    if (!action) return;
    ended = !std::holds_alternative<CoordinatorRound::Ask>(*action);
    if (ended) return;
    const auto& ask = std::get<CoordinatorRound::Ask>(*action);
    EXPECT_TRUE(asked.insert(ask.name).second) << "one name was asked twice";
    EXPECT_EQ(bench.ledger_store.rows().back().charge.name, ask.name) << "charged before it is asked";
    EXPECT_EQ(ask.name.query, ask.query->index);
    open = ask.name;
    entry = ask.query->entry;
    counted.clear();
  }

  void Step() {
    QueryName name = open;
    if (random() % 4 == 0) name.attempt += static_cast<std::uint32_t>(random() % 3) - 1;
    if (random() % 4 == 0) name.query += static_cast<std::uint32_t>(random() % 3) - 1;
    const std::string site = std::string("site-") + static_cast<char>('a' + random() % 4);
    const std::size_t sums = bench.trainer.absorbed.size();
    const std::uint32_t asked_entry = entry;
    const std::uint64_t seed = random() % 50;
    const auto event = random() % 8;
    const bool fits = name == open && site != "site-d" && !counted.contains(site) && !ended;
    std::map<std::string, std::optional<std::uint64_t>> after = counted;
    std::optional<CoordinatorRound::Action> action;
    if (event < 5) {
      if (fits) after[site] = seed;
      action = bench.Answer(site, name, seed, asked_entry);
    } else if (event < 7) {
      if (fits) after[site] = std::nullopt;
      action = bench.Refuse(site, name);
    } else {
      action = bench.Deadline();
    }
    counted = after;
    if (bench.trainer.absorbed.size() > sums) ExpectSumOf(after, asked_entry);
    Take(action);
  }

  void ExpectSumOf(const std::map<std::string, std::optional<std::uint64_t>>& answers, std::uint32_t of_entry) {
    std::vector<std::uint64_t> seeds;
    for (const auto& [site, seed] : answers) {
      if (seed) seeds.push_back(*seed);
    }
    EXPECT_GE(seeds.size(), 2U) << "below the quorum";
    EXPECT_EQ(bench.trainer.absorbed.back(), TotalOf(*bench.plan, of_entry, seeds));
  }

  RoundBench bench;
  std::mt19937_64 random;
  std::set<QueryName> asked;
  std::map<std::string, std::optional<std::uint64_t>> counted;  // nothing: refused
  QueryName open;
  std::uint32_t entry = 0;
  bool ended = false;
};

TEST(CoordinatorStorm, NoOrderOfEventsBreaksAPromise) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Storm storm(seed);
    for (int step = 0; step < 60; ++step) storm.Step();
    const CoordinatorRound& round = *storm.bench.round;
    EXPECT_EQ(storm.bench.ledger_store.rows().size(), storm.asked.size()) << "asked and charged are one";
    for (std::size_t e = 0; e < 2; ++e) EXPECT_LE(round.used()[e], storm.bench.plan->entries()[e].allowed());
    EXPECT_TRUE(round.participation().CheckAgainst(*storm.bench.plan).ok());
    EXPECT_EQ(storm.bench.store.words.size(), storm.bench.trainer.absorbed.size());
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace synod
