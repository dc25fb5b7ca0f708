#include "common/privacy/plan_inverse.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/privacy/plan_readings.h"
#include "tests/unit/privacy/plan_fixture.h"

namespace synod {
namespace {

// The noise of the request with one thing changed by hand; infinite where it cannot be resolved.
double NoiseWith(PlanRequest request, PlanQuestion question, double value) {
  if (question == PlanQuestion::kEpsilon) request.facts.epsilon_target = value;
  if (question == PlanQuestion::kSteps) request.entries[1].count = static_cast<std::uint32_t>(value);
  if (question == PlanQuestion::kUnits) {
    request.entries[1].sampling_rate *= static_cast<double>(request.facts.units) / value;
    request.facts.units = static_cast<std::uint64_t>(value);
  }
  const Result<Plan> plan = ResolvePlan(request);
  return plan.ok() ? NoiseNeeded(request, *plan) : HUGE_VAL;
}

// The answer needs at most the noise asked for, and so much as one unit of the question further does not.
void ExpectExact(const PlanRequest& request, PlanQuestion question, double noise, double further) {
  const Result<PlanAnswer> answer = SolvePlan(request, question, noise);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_LE(answer->noise_multiplier, noise);
  EXPECT_EQ(NoiseWith(request, question, answer->value), answer->noise_multiplier);
  EXPECT_EQ(NoiseNeeded(request, answer->plan), answer->noise_multiplier);
  ASSERT_TRUE(answer->beyond.has_value());
  EXPECT_NEAR(*answer->beyond, answer->value + further, 1e-9);
  EXPECT_GT(NoiseWith(request, question, *answer->beyond), noise);
  const Result<EpsilonBounds> epsilon = PlanEpsilon(answer->plan);
  ASSERT_TRUE(epsilon.ok());
  EXPECT_LE(epsilon->upper, answer->plan.facts().epsilon_target);
}

TEST(PlanInverse, FindsTheSmallestEpsilonOnBothSidesOfTheFilesOwn) {
  const PlanRequest request = testing::SmallPlanRequest();
  for (const double noise : {0.55, 2.0}) ExpectExact(request, PlanQuestion::kEpsilon, noise, -0.001);
}

TEST(PlanInverse, FindsTheSmallestNumberOfUnitsAtTheSameBatch) {
  const PlanRequest request = testing::SmallPlanRequest();
  ExpectExact(request, PlanQuestion::kUnits, 0.6, -1.0);
}

TEST(PlanInverse, FindsTheMostSteps) {
  const PlanRequest request = testing::SmallPlanRequest();
  ExpectExact(request, PlanQuestion::kSteps, 0.9, 1.0);
}

TEST(PlanInverse, AnswersForFamiliesWhoseEntriesAllHaveShares) {
  PlanRequest request = testing::SmallPlanRequest();
  request.entries.pop_back();
  request.entries[0].budget_share = 1.0;
  const Result<PlanAnswer> answer = SolvePlan(request, PlanQuestion::kEpsilon, 5.0);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_LE(answer->noise_multiplier, 5.0);
  EXPECT_GT(answer->noise_multiplier, 4.9);
  const Result<PlanAnswer> steps = SolvePlan(request, PlanQuestion::kSteps, 5.0);
  ASSERT_FALSE(steps.ok());
  EXPECT_NE(steps.error().message.find("0 gradient queries"), std::string::npos);
}

TEST(PlanInverse, StopsAtTheEndOfWhatAPlanMayHave) {
  const PlanRequest request = testing::SmallPlanRequest();
  // So much noise is allowed that the smallest data set that holds a batch does.
  const Result<PlanAnswer> units = SolvePlan(request, PlanQuestion::kUnits, 1e5);
  ASSERT_TRUE(units.ok()) << units.error().message;
  EXPECT_FALSE(units->beyond.has_value());
  EXPECT_EQ(units->value, 201.0);
  // More units than delta allows would be needed: an error that says how far it looked.
  const Result<PlanAnswer> impossible = SolvePlan(request, PlanQuestion::kUnits, 0.3);
  ASSERT_FALSE(impossible.ok());
  EXPECT_NE(impossible.error().message.find("up to 99999"), std::string::npos) << impossible.error().message;
}

TEST(PlanInverse, RefusesQuestionsWithoutAnAnswer) {
  const PlanRequest request = testing::SmallPlanRequest();
  for (const double noise : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    EXPECT_FALSE(SolvePlan(request, PlanQuestion::kEpsilon, noise).ok());
  }
  PlanRequest broken = request;
  broken.facts.quorum = 9;
  EXPECT_FALSE(SolvePlan(broken, PlanQuestion::kEpsilon, 1.0).ok());
  EXPECT_FALSE(SolvePlan(request, PlanQuestion::kSteps, 0.01).ok());
}

}  // namespace
}  // namespace synod
