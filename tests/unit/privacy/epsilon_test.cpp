#include "common/privacy/epsilon.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/privacy/pld_accountant.h"
#include "tests/unit/privacy/brute_force.h"

namespace synod {
namespace {

EpsilonBounds Epsilon(const PrivacyEvents& events, double delta, Adjacency adjacency = Adjacency::kAddRemove,
                      unsigned sites = 1) {
  const Result<EpsilonBounds> bounds = ComputeEpsilon(events, delta, adjacency, sites);
  EXPECT_TRUE(bounds.ok()) << bounds.error().message;
  if (!bounds.ok()) return {};
  EXPECT_LE(bounds->lower, bounds->upper);
  EXPECT_LE(bounds->upper, bounds->rdp);
  return *bounds;
}

TEST(Epsilon, OfOneUseBracketsTheIntegratedCurve) {
  for (const PrivacyEvent& event :
       PrivacyEvents{{0.01, 1.0, 1}, {0.3, 0.6, 1}, {0.9, 2.0, 1}, {1e-3, 0.5, 1}, {0.05, 5.0, 1}, {0.999, 1.0, 1}}) {
    const EpsilonBounds bounds = Epsilon({event}, 1e-4);
    // delta at the upper bound may not exceed the target in any direction, and not be far below it.
    const double remove = testing::BruteForceDelta(event, bounds.upper, true);
    const double add = testing::BruteForceDelta(event, bounds.upper, false);
    EXPECT_LE(std::max(remove, add), 1e-4 * (1.0 + 1e-5)) << event.sampling_rate << " " << event.noise_multiplier;
    EXPECT_GE(std::max(remove, add), 1e-4 * 0.97) << event.sampling_rate << " " << event.noise_multiplier;
    if (bounds.lower > 0.0) {
      const double at_lower = std::max(testing::BruteForceDelta(event, bounds.lower, true),
                                       testing::BruteForceDelta(event, bounds.lower, false));
      EXPECT_GE(at_lower, 1e-4 * (1.0 - 1e-5));
    }
  }
}

TEST(Epsilon, OfTwoDifferentUsesBracketsTheIntegratedCurve) {
  const PrivacyEvent first = {0.05, 0.8, 1};
  const PrivacyEvent second = {0.2, 1.5, 1};
  const EpsilonBounds bounds = Epsilon({first, second}, 1e-5);
  const double at_upper = std::max(testing::BruteForceDeltaOfTwo(first, second, bounds.upper, true),
                                   testing::BruteForceDeltaOfTwo(first, second, bounds.upper, false));
  const double at_lower = std::max(testing::BruteForceDeltaOfTwo(first, second, bounds.lower, true),
                                   testing::BruteForceDeltaOfTwo(first, second, bounds.lower, false));
  EXPECT_LE(at_upper, 1e-5 * (1.0 + 1e-5));
  EXPECT_GE(at_upper, 1e-5 * 0.99);
  EXPECT_GE(at_lower, 1e-5 * (1.0 - 1e-5));
  EXPECT_LE(at_lower, 1e-5 * 1.1);
}

TEST(Epsilon, OfASubjectAtSeveralSitesBracketsTheMixture) {
  const PrivacyEvent event = {0.1, 1.2, 1};
  for (const unsigned sites : {2U, 3U}) {
    const EpsilonBounds bounds = Epsilon({event}, 1e-5, Adjacency::kAddRemove, sites);
    const double at_upper = std::max(testing::BruteForceDelta(event, bounds.upper, true, sites),
                                     testing::BruteForceDelta(event, bounds.upper, false, sites));
    EXPECT_LE(at_upper, 1e-5 * (1.0 + 1e-5));
    EXPECT_GE(at_upper, 1e-5 * 0.97);
    EXPECT_GE(testing::BruteForceDelta(event, bounds.lower, true, sites), 1e-5 * (1.0 - 1e-5));
  }
}

TEST(Epsilon, OfReplaceOneBracketsTheIntegratedCurve) {
  const PrivacyEvent event = {0.1, 1.2, 1};
  const EpsilonBounds bounds = Epsilon({event}, 1e-5, Adjacency::kReplaceOne);
  EXPECT_LE(testing::BruteForceReplaceDelta(event, bounds.upper), 1e-5 * (1.0 + 1e-5));
  EXPECT_GE(testing::BruteForceReplaceDelta(event, bounds.upper), 1e-5 * 0.97);
  EXPECT_GE(testing::BruteForceReplaceDelta(event, bounds.lower), 1e-5 * (1.0 - 1e-5));
}

// A sampling rate just below 1 takes the numerical path, and its truth is the closed form up to 1e-12: the one place
// where long compositions at tiny deltas can be checked exactly, rounding errors included.
TEST(Epsilon, OfAlmostFullBatchesBracketsTheClosedFormAlsoForLongRunsAndTinyDeltas) {
  struct Case {
    double noise;
    std::uint64_t count;
    double delta;
  };
  for (const Case& c : {Case{1.0, 1, 1e-5}, Case{2.0, 7, 1e-6}, Case{30.0, 1000, 1e-10}, Case{300.0, 100000, 1e-12},
                        Case{2000.0, 1000000, 1e-14}, Case{100.0, 100000, 1e-8}, Case{0.5, 2, 1e-3}}) {
    SCOPED_TRACE(c.count);
    const double exact = GaussianEpsilon(std::sqrt(static_cast<double>(c.count)) / c.noise, c.delta);
    const EpsilonBounds bounds = Epsilon({{1.0 - 1e-13, c.noise, c.count}}, c.delta);
    EXPECT_GE(bounds.upper, exact * (1.0 - 1e-9));
    EXPECT_LE(bounds.upper, exact * (1.0 + 1e-3));
    EXPECT_LE(bounds.lower, exact * (1.0 + 1e-9));
    EXPECT_GE(bounds.lower, exact * (1.0 - 2e-2));
  }
}

TEST(Epsilon, OfFullBatchesIsTheClosedForm) {
  const EpsilonBounds bounds = Epsilon({{1.0, 5.0, 3}, {1.0, 2.0, 1}, {1.0, 10.0, 20}}, 1e-5);
  EXPECT_NEAR(bounds.upper, 3.1705958288153093, 1e-9);
  EXPECT_NEAR(bounds.lower, 3.1705958288153093, 1e-9);
  const double mu = 2.0 * std::sqrt(10.0) / 7.0;  // replace-one doubles the distance
  EXPECT_NEAR(Epsilon({{1.0, 7.0, 10}}, 1e-6, Adjacency::kReplaceOne).upper, GaussianEpsilon(mu, 1e-6), 1e-9);
}

TEST(Epsilon, MixesFullAndSampledBatches) {
  const double sampled = Epsilon({{0.01, 1.0, 500}}, 1e-5).upper;
  const double full = Epsilon({{1.0, 8.0, 4}}, 1e-5).upper;
  const double both = Epsilon({{0.01, 1.0, 500}, {1.0, 8.0, 4}}, 1e-5).upper;
  EXPECT_GT(both, std::max(sampled, full));
  EXPECT_LT(both, sampled + full);
}

TEST(Epsilon, DoesNotDependOnHowCountsAreWritten) {
  const EpsilonBounds at_once = Epsilon({{0.02, 1.1, 60}, {0.1, 3.0, 3}}, 1e-6);
  PrivacyEvents one_by_one;
  for (int i = 0; i < 60; ++i) {
    one_by_one.push_back({0.02, 1.1, 1});
    if (i % 20 == 0) one_by_one.push_back({0.1, 3.0, 1});
  }
  EXPECT_DOUBLE_EQ(Epsilon(one_by_one, 1e-6).upper, at_once.upper);
  // Also when nothing can be merged: rates that differ in the last digits.
  PrivacyEvents distinct;
  for (int i = 0; i < 12; ++i) distinct.push_back({0.02 * (1.0 + 1e-13 * i), 1.1, 5});
  EXPECT_NEAR(Epsilon(distinct, 1e-6).upper / Epsilon({{0.02, 1.1, 60}}, 1e-6).upper, 1.0, 1e-6);
}

TEST(Epsilon, GrowsWithRateAndStepsAndShrinksWithNoiseAndDelta) {
  // Steps of a few per cent are far above the resolution of the bounds.
  double last = 0.0;
  for (const double q : {0.005, 0.01, 0.0105, 0.02, 0.1}) {
    const double epsilon = Epsilon({{q, 1.0, 200}}, 1e-5).upper;
    EXPECT_GT(epsilon, last);
    last = epsilon;
  }
  last = 0.0;
  for (const std::uint64_t steps : {1U, 10U, 100U, 105U, 1000U}) {
    const double epsilon = Epsilon({{0.01, 1.0, steps}}, 1e-5).upper;
    EXPECT_GT(epsilon, last);
    last = epsilon;
  }
  last = 1e9;
  for (const double z : {0.6, 1.0, 1.05, 3.0, 50.0}) {
    const double epsilon = Epsilon({{0.01, z, 200}}, 1e-5).upper;
    EXPECT_LT(epsilon, last);
    last = epsilon;
  }
  last = 1e9;
  for (const double delta : {1e-12, 1e-9, 1e-6, 1e-3, 0.3}) {
    const double epsilon = Epsilon({{0.01, 1.0, 200}}, delta).upper;
    EXPECT_LE(epsilon, last);
    last = epsilon;
  }
}

TEST(Epsilon, OfReplaceOneIsAtLeastThatOfAddRemove) {
  for (const PrivacyEvent& event : PrivacyEvents{{0.01, 1.0, 300}, {0.2, 3.0, 20}, {1.0, 6.0, 2}}) {
    const double add_remove = Epsilon({event}, 1e-5).upper;
    EXPECT_DOUBLE_EQ(Epsilon({event}, 1e-5, Adjacency::kZeroOut).upper, add_remove);
    EXPECT_GT(Epsilon({event}, 1e-5, Adjacency::kReplaceOne).lower, add_remove);
  }
}

TEST(Epsilon, OfNothingIsZero) {
  EXPECT_EQ(Epsilon({}, 1e-5).upper, 0.0);
  EXPECT_EQ(Epsilon({{0.0, 1.0, 100000}}, 1e-9).upper, 0.0);
}

TEST(Epsilon, IsZeroWhenDeltaCoversEverything) {
  EXPECT_EQ(Epsilon({{0.001, 1.0, 1}}, 0.01).upper, 0.0);  // a record is not even looked at with probability 0.999
}

TEST(Epsilon, RefusesImpossibleDeltas) {
  for (const double delta : {0.0, 1.0, -1e-5, std::nan(""), HUGE_VAL}) {
    EXPECT_FALSE(ComputeEpsilon({{0.1, 1.0, 1}}, delta).ok());
    EXPECT_FALSE(ComputeEpsilon({{1.0, 1.0, 1}}, delta).ok());
  }
}

TEST(Epsilon, HandlesExtremesWithoutFailing) {
  EXPECT_GT(Epsilon({{1e-9, 0.3, 100000}}, 1e-12).rdp, 0.0);
  EXPECT_GT(Epsilon({{0.5, 0.05, 3}}, 1e-6).upper, 100.0);
  EXPECT_LT(Epsilon({{0.5, 1e6, 3}}, 1e-6).upper, 1e-4);
  EXPECT_GT(Epsilon({{0.01, 1.0, 100}}, 1e-100).upper, 1.0);
}

TEST(Pld, TheAddDirectionIsCheckedToo) {
  // A fine grid of one-step settings: the upper bound dominates both directions.
  for (const double delta : {1e-6, 0.05, 0.2}) {
    const PrivacyEvent event = {0.7, 0.9, 1};
    const double upper = Epsilon({event}, delta).upper;
    EXPECT_LE(testing::BruteForceDelta(event, upper, false), delta * (1.0 + 1e-6));
    EXPECT_LE(testing::BruteForceDelta(event, upper, true), delta * (1.0 + 1e-6));
  }
}

TEST(Pld, ACoarserGridNeverReportsLess) {
  const PrivacyEvents events = {{0.01, 1.0, 1000}};
  PldOptions options;
  options.relative_accuracy = 1.0;  // no refinement beyond one halving
  double last = 0.0;
  for (const double width : {0.02, 0.1, 0.5, 2.0}) {
    options.first_width = width;
    const Result<PldBounds> bounds = PldEpsilon(events, 1e-5, Adjacency::kAddRemove, 1, options);
    ASSERT_TRUE(bounds.ok());
    EXPECT_GE(bounds->upper, last);
    EXPECT_LE(bounds->lower, 1.82824);
    EXPECT_GE(bounds->upper, 1.82823);
    last = bounds->upper;
  }
}

}  // namespace
}  // namespace synod
