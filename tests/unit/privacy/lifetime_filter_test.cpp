// The life-time filter: what it holds is what a recomputation from scratch says, whatever the history.
#include "common/privacy/lifetime_filter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "common/privacy/noise_arithmetic.h"
#include "common/privacy/rdp_accountant.h"

namespace synod {
namespace {

// One histogram and some steps at `sigma` (in units of the sensitivity, about).
Plan SpendingPlan(std::uint32_t steps, double sigma, std::uint32_t retries = 1) {
  PlanFacts facts;
  facts.name = "spending";
  facts.roster = {{"site-a", {}}, {"site-b", {}}};
  facts.quorum = 2;
  facts.delta = 1e-6;
  facts.epsilon_target = 1.0;
  facts.units = 1000;
  facts.model_family = "test";
  facts.aggregation = Aggregation::kNone;
  PlanEntry counts;
  counts.name = "counts";
  counts.dimension = 4;
  counts.retries = retries;
  counts.parts = {{"vector", 1.0}};
  counts.grid_scale = 1024.0;
  counts.sensitivity = SensitivityOnGrid(counts.grid_scale, 1.0, 4);
  counts.site_variance = static_cast<std::uint64_t>(std::pow(sigma * counts.sensitivity, 2));
  PlanEntry training = counts;
  training.name = "training";
  training.kind = QueryKind::kGradient;
  training.count = steps;
  training.sampling_rate = 0.25;
  return Plan::Create(facts, {counts, training}).value();
}

RunId RunOf(int number) {
  RunId run;
  run.bytes[0] = static_cast<std::uint8_t>(number);
  run.bytes[1] = static_cast<std::uint8_t>(number >> 8);
  return run;
}

std::vector<LedgerRow> RowsOf(const Plan& plan, const RunId& run, const std::vector<std::uint64_t>& answers) {
  std::vector<LedgerRow> rows;
  for (std::uint32_t entry = 0; entry < answers.size(); ++entry) {
    for (std::uint64_t i = 0; i < answers[entry]; ++i) {
      LedgerRow row;
      row.index = rows.size();
      row.charge = {{},
                    {run, static_cast<std::uint32_t>(rows.size()), 0},
                    plan.Hash(),
                    entry,
                    plan.entries()[entry].Event(plan.honest_shares(), 1)};
      rows.push_back(row);
    }
  }
  return rows;
}

TEST(LifetimeBudget, ProvesItsEpsilonAndNoMoreThanItLoses) {
  for (const double epsilon : {0.01, 0.5, 3.0, 8.0, 100.0}) {
    for (const double delta : {1e-12, 1e-5, 1e-2}) {
      const LifetimeBudget budget = LifetimeBudget::Choose(epsilon, delta).value();
      EXPECT_TRUE(budget.Check().ok());
      EXPECT_LE(EpsilonFromRdp(budget.rdp, budget.order, delta), epsilon);
      EXPECT_GT(EpsilonFromRdp(budget.rdp * (1 + 1e-6), budget.order, delta), epsilon) << "nothing is given away";
    }
  }
}

TEST(LifetimeBudget, LetsAGaussianMechanismSpendAlmostTheWholeEpsilonOfItsBestOrder) {
  const LifetimeBudget budget = LifetimeBudget::Choose(8.0, 1e-5).value();
  // Gaussian queries with rho = 1 / (2 z^2) each: as many as the budget holds.
  const double rho = budget.rdp / budget.order;
  const double z = std::sqrt(0.5 / rho);
  const double best = RdpEpsilon({{1.0, z, 1}}, 1e-5).value().epsilon;
  EXPECT_LE(best, 8.0);
  EXPECT_GT(best, 7.999) << "another order would prove a smaller epsilon";
}

TEST(LifetimeBudget, RefusesNonsense) {
  const double nan = std::nan("");
  for (const double epsilon : {0.0, -1.0, nan, 1e9, HUGE_VAL}) EXPECT_FALSE(LifetimeBudget::Choose(epsilon, 1e-5).ok());
  for (const double delta : {0.0, -1.0, nan, 1.0, 1e-20}) EXPECT_FALSE(LifetimeBudget::Choose(1.0, delta).ok());
}

TEST(LifetimeBudget, ABudgetThatWasMadeLargerAfterwardsDoesNotPass) {
  const LifetimeBudget budget = LifetimeBudget::Choose(3.0, 1e-5).value();
  LifetimeBudget larger = budget;
  larger.rdp *= 1.001;
  EXPECT_EQ(larger.Check().error().code, ErrorCode::kVerificationFailed);
  larger = budget;
  larger.order = std::nan("");
  EXPECT_FALSE(larger.Check().ok());
}

TEST(LifetimeFilter, HoldsTheWholePlanUntilTheRunEndsAndThenWhatWasCharged) {
  const LifetimeBudget budget = LifetimeBudget::Choose(8.0, 1e-5).value();
  LifetimeFilter filter(budget);
  const Plan plan = SpendingPlan(20, 8.0);
  const LifetimeCost whole = CostOfPlan(plan, budget.order).value();
  EXPECT_EQ(whole.answers, 23U) << "retries belong to the plan";
  ASSERT_TRUE(filter.Reserve(RunOf(1), whole).ok());
  EXPECT_NEAR(filter.held().rdp, whole.rdp, 1e-9 * whole.rdp);
  const LifetimeCost charged = CostOfRows(RowsOf(plan, RunOf(1), {1, 5}), plan, budget.order).value();
  EXPECT_LT(charged.rdp, whole.rdp);
  filter.Settle(RunOf(1), charged);
  EXPECT_NEAR(filter.held().rdp, charged.rdp, 1e-9 * charged.rdp);
  EXPECT_EQ(filter.held().answers, 6U);
}

TEST(LifetimeFilter, RowsOfAWholePlanCostWhatThePlanCosts) {
  const LifetimeBudget budget = LifetimeBudget::Choose(8.0, 1e-5).value();
  const Plan plan = SpendingPlan(7, 5.0, 2);
  const LifetimeCost whole = CostOfPlan(plan, budget.order).value();
  const LifetimeCost charged = CostOfRows(RowsOf(plan, RunOf(1), {3, 9}), plan, budget.order).value();
  EXPECT_NEAR(whole.rdp, charged.rdp, 1e-12 * whole.rdp);
  EXPECT_EQ(whole.answers, charged.answers);
}

TEST(LifetimeFilter, RefusesWithNumbersAndReservesNothing) {
  const LifetimeBudget budget = LifetimeBudget::Choose(1.0, 1e-5).value();
  LifetimeFilter filter(budget);
  const LifetimeCost large = CostOfPlan(SpendingPlan(20, 2.0), budget.order).value();
  const Status refused = filter.Reserve(RunOf(1), large);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kBudgetExhausted);
  EXPECT_NE(refused.error().message.find("is left"), std::string::npos) << refused.error().message;
  EXPECT_EQ(filter.held().rdp, 0.0);
}

TEST(LifetimeFilter, TheSameRunTwiceIsHeldOnce) {
  const LifetimeBudget budget = LifetimeBudget::Choose(4.0, 1e-5).value();
  LifetimeFilter filter(budget);
  const LifetimeCost most{budget.rdp * 0.7, 10};
  EXPECT_TRUE(filter.Reserve(RunOf(1), most).ok());
  EXPECT_TRUE(filter.Reserve(RunOf(1), most).ok());
  EXPECT_FALSE(filter.Reserve(RunOf(2), most).ok());
}

TEST(LifetimeFilter, CountsAnswersToo) {
  const LifetimeBudget budget = LifetimeBudget::Choose(4.0, 1e-5).value();
  LifetimeFilter filter(budget);
  EXPECT_TRUE(filter.Reserve(RunOf(1), {0.0, LifetimeBudget::kMaxAnswers - 5}).ok());
  EXPECT_FALSE(filter.Reserve(RunOf(2), {0.0, 6}).ok());
  EXPECT_FALSE(filter.Reserve(RunOf(2), {0.0, UINT64_MAX}).ok());
  EXPECT_TRUE(filter.Reserve(RunOf(2), {0.0, 5}).ok());
}

TEST(LifetimeFilter, RowsOfAnotherPlanAreNoticed) {
  const Plan plan = SpendingPlan(3, 5.0);
  std::vector<LedgerRow> rows = RowsOf(plan, RunOf(1), {1, 1});
  rows[1].charge.plan_hash[0] ^= 1;
  EXPECT_EQ(CostOfRows(rows, plan, 4.0).error().code, ErrorCode::kVerificationFailed);
}

// Random histories of approvals, refusals and ends; after each step everything is computed again from the runs alone.
TEST(LifetimeFilter, AgreesWithARecomputationFromScratchOverRandomHistories) {
  struct KnownRun {
    Plan plan;
    std::vector<std::uint64_t> answers;
    bool ended = false;
  };
  const std::vector<Plan> plans = {SpendingPlan(5, 6.0), SpendingPlan(40, 12.0), SpendingPlan(2, 2.5)};
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937 random(seed);
    const LifetimeBudget budget = LifetimeBudget::Choose(1.0 + 0.2 * seed, 1e-5).value();
    LifetimeFilter filter(budget);
    std::map<RunId, KnownRun> known;
    for (int step = 0; step < 40; ++step) {
      const RunId run = RunOf(step);
      const Plan& plan = plans[random() % plans.size()];
      const LifetimeCost whole = CostOfPlan(plan, budget.order).value();
      double expected = 0.0;
      for (const auto& [id, other] : known) {
        for (std::size_t e = 0; e < 2; ++e) {
          const std::uint64_t answers = other.ended ? other.answers[e] : other.plan.entries()[e].allowed();
          const PrivacyEvent event = other.plan.entries()[e].Event(1, answers);
          expected += RdpAtOrder({event}, budget.order).value();
        }
      }
      ASSERT_NEAR(filter.held().rdp, expected, 1e-9 * (1 + expected)) << "seed " << seed << " step " << step;
      const bool fits = expected + whole.rdp <= budget.rdp * (1 - 1e-9);
      if (filter.Reserve(run, whole).ok()) {
        EXPECT_LE(expected + whole.rdp, budget.rdp * (1 + 1e-12));
        known.insert({run, {plan, {0, 0}, false}});
      } else {
        EXPECT_FALSE(fits) << "seed " << seed << " step " << step;
      }
      if (!known.empty() && random() % 2 == 0) {
        auto ending = std::next(known.begin(), static_cast<long>(random() % known.size()));
        if (ending->second.ended) continue;
        const Plan& own = ending->second.plan;
        ending->second.answers = {random() % (own.entries()[0].allowed() + 1),
                                  random() % (own.entries()[1].allowed() + 1)};
        ending->second.ended = true;
        const auto rows = RowsOf(own, ending->first, ending->second.answers);
        filter.Settle(ending->first, CostOfRows(rows, own, budget.order).value());
      }
    }
    EXPECT_LE(filter.held_epsilon(), budget.epsilon);
  }
}

}  // namespace
}  // namespace synod
