// Coordinator and sites together, without LibTorch: what comes out of a query of the whole federation.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/site_agent/site_fixture.h"

namespace synod {
namespace {

using testing::RoundPlanOptions;
using testing::SiteBench;

// Every ask goes to every site and every reply back, until the round ends.
void Drive(CoordinatorRound& round, testing::TestTrainer& trainer, std::vector<std::unique_ptr<SiteBench>>& sites,
           const Plan& plan) {
  std::optional<CoordinatorRound::Action> action = round.Start();
  while (action && !std::holds_alternative<CoordinatorRound::Finished>(*action)) {
    if (const auto* train = std::get_if<CoordinatorRound::Train>(&*action)) {
      if (train->sum != nullptr) {
        ASSERT_TRUE(trainer.Absorb(*train->answered, *train->sum).ok());
      }
      action = round.OnTrained(trainer.Next(train->left));
      continue;
    }
    ASSERT_TRUE(std::holds_alternative<CoordinatorRound::Ask>(*action));
    const auto ask = std::get<CoordinatorRound::Ask>(*action);
    action.reset();
    for (std::size_t i = 0; i < sites.size(); ++i) {
      SiteBench::Reply reply = sites[i]->AskFor(ask.query, ask.name);
      ASSERT_FALSE(testing::Refusal(reply));
      const std::string& id = plan.facts().roster[i].id;
      action = reply.share ? round.OnAnswer(id, ask.name, std::move(*reply.share))
                           : round.OnAnswer(id, ask.name, ByteView(testing::WordsOf(reply)));
    }
  }
  ASSERT_TRUE(action.has_value());
}

// The mean square of every sum of a run over empty contributions, in grid units squared.
std::vector<double> NoiseOfRun(const RoundPlanOptions& options) {
  testing::EventLog log;
  const auto plan = testing::RoundPlan(options);
  testing::TestTrainer trainer(plan, log);
  testing::TestLedgerStore ledger_store(log);
  testing::TestRoundStore store(log);
  Ledger ledger = Ledger::Open(ledger_store).value();
  std::vector<std::unique_ptr<SiteBench>> sites;
  for (std::uint32_t i = 0; i < options.sites; ++i) {
    sites.push_back(std::make_unique<SiteBench>(options, 20, 100 + i));
  }
  CoordinatorRound round(plan, sites[0]->run, {ledger, store});
  Drive(round, trainer, sites, *plan);
  std::vector<double> squares;
  for (const std::vector<double>& values : trainer.values) {
    double square = 0.0;
    for (const double value : values) square += value * value * 1024.0 * 1024.0 / static_cast<double>(values.size());
    squares.push_back(square);
  }
  return squares;
}

TEST(FederationNoise, OfASumIsTheNoiseOfAllItsSites) {
  for (const Aggregation aggregation : {Aggregation::kCurator, Aggregation::kNone}) {
    for (const std::uint32_t sites : {1U, 4U}) {
      RoundPlanOptions options;
      options.aggregation = aggregation;
      options.sites = options.quorum = sites;
      options.dimension = 20'000;
      const double variance = sites * static_cast<double>(testing::RoundPlan(options)->entries()[0].site_variance);
      const std::vector<double> squares = NoiseOfRun(options);
      ASSERT_EQ(squares.size(), 4U);
      // Six standard deviations, sixteen comparisons: a false alarm of 3e-8 together.
      for (const double square : squares) EXPECT_NEAR(square, variance, 6.0 * variance * std::sqrt(2.0 / 20'000));
    }
  }
}

}  // namespace
}  // namespace synod
