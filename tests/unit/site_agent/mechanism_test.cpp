// That the answer which leaves is the mechanism that was charged: who is drawn, how much noise, how far one unit moves
// it. Streams are fixed, so nothing here can fail by chance from run to run; the rates say how probable a failure was
// when the streams were chosen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "common/query/public_random.h"
#include "tests/unit/site_agent/site_fixture.h"

namespace synod {
namespace {

using testing::IntegersOf;
using testing::IsSent;
using testing::Refusal;
using testing::RoundPlanOptions;
using testing::SiteBench;
using testing::WordsOf;

RoundPlanOptions ManySteps(std::uint32_t steps, double sampling_rate) {
  RoundPlanOptions options;
  options.dimension = 1;
  options.steps = steps;
  options.sampling_rate = sampling_rate;
  return options;
}

TEST(SiteNoise, HasThePlansVarianceAndNoMeanInEveryAnswer) {
  RoundPlanOptions options;
  options.dimension = 40'000;
  for (const Aggregation aggregation : {Aggregation::kNone, Aggregation::kCurator}) {
    options.aggregation = aggregation;
    SiteBench bench(options);
    for (std::uint32_t entry = 0; entry < 2; ++entry) {
      const PlanEntry& asked = bench.plan->entries()[entry];
      const std::vector<double> noise = IntegersOf(asked, bench.Ask(entry, entry));
      const auto variance = static_cast<double>(asked.site_variance);
      const auto count = static_cast<double>(noise.size());
      double mean = 0.0;
      double square = 0.0;
      for (const double value : noise) {
        EXPECT_EQ(value, std::round(value));
        mean += value / count;
        square += value * value / count;
      }
      // Six standard deviations each: 8 comparisons, a false alarm of 2e-8 together.
      EXPECT_NEAR(mean, 0.0, 6.0 * std::sqrt(variance / count));
      EXPECT_NEAR(square, variance, 6.0 * variance * std::sqrt(2.0 / count));
    }
  }
}

TEST(SiteNoise, IsFreshInEveryAttempt) {
  RoundPlanOptions options;
  options.dimension = 2'000;
  SiteBench bench(options);
  const std::vector<double> a = IntegersOf(bench.plan->entries()[1], bench.Ask(1, 0, 0));
  const std::vector<double> b = IntegersOf(bench.plan->entries()[1], bench.Ask(1, 0, 1));
  EXPECT_NE(bench.contribution.batches.at(0), bench.contribution.batches.at(1)) << "a fresh sample, too";
  double product = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) product += a[i] * b[i];
  const auto variance = static_cast<double>(bench.plan->entries()[1].site_variance);
  // Uncorrelated; six standard deviations, a false alarm of 2e-9.
  EXPECT_LT(std::abs(product), 6.0 * variance * std::sqrt(static_cast<double>(a.size())));
}

TEST(SiteNoise, AnAbandonedComputationLeavesNothingThatIsUsedAgain) {
  RoundPlanOptions options;
  options.dimension = 50;
  SiteBench abandoned(options);
  SiteBench straight(options);
  abandoned.ledger_store.fail_from = 0;
  EXPECT_EQ(Refusal(abandoned.Ask(1, 0, 0)), RefusalReason::kLedgerUnavailable);
  abandoned.ledger_store.fail_from = SIZE_MAX;
  EXPECT_NE(WordsOf(abandoned.Ask(1, 0, 1)), WordsOf(straight.Ask(1, 0, 0)));
}

TEST(SiteNoise, ComesFromTheSecretStreamsOfTheSiteAlone) {
  RoundPlanOptions options;
  options.dimension = 50;
  SiteBench a(options, 20, 5);
  SiteBench again(options, 20, 5);
  SiteBench other(options, 20, 6);
  const Bytes words = WordsOf(a.Ask(0, 0));
  EXPECT_EQ(words, WordsOf(again.Ask(0, 0)));
  EXPECT_NE(words, WordsOf(other.Ask(0, 0)));
}

TEST(SiteSampling, DrawsEveryUnitByItself) {
  constexpr std::uint32_t kSteps = 2000;
  constexpr std::size_t kUnits = 64;
  constexpr double kRate = 0.25;
  SiteBench bench(ManySteps(kSteps, kRate), kUnits);
  for (std::uint32_t query = 0; query < kSteps; ++query) ASSERT_FALSE(Refusal(bench.Ask(1, query)));
  std::vector<double> of_unit(kUnits, 0.0);
  double together = 0.0;  // units 0 and 1 in one batch
  double size_square = 0.0;
  for (const auto& batch : bench.contribution.batches) {
    for (const std::uint32_t unit : batch) of_unit[unit] += 1.0;
    together += batch.size() > 1 && batch[0] == 0 && batch[1] == 1 ? 1.0 : 0.0;
    size_square += std::pow(static_cast<double>(batch.size()) - kUnits * kRate, 2) / kSteps;
  }
  // Six standard deviations of binomials: 66 comparisons, a false alarm of 2e-7 together.
  for (const double count : of_unit) EXPECT_NEAR(count, kSteps * kRate, 6.0 * std::sqrt(kSteps * kRate * (1 - kRate)));
  EXPECT_NEAR(together, kSteps * kRate * kRate, 6.0 * std::sqrt(kSteps * kRate * kRate * (1 - kRate * kRate)));
  // The variance of a binomial size, not of a fixed one: 12 = 64 / 4 * 3 / 4.
  EXPECT_NEAR(size_square, 12.0, 6.0 * 12.0 * std::sqrt(2.0 / kSteps));
}

TEST(SiteSampling, TheWholeTableAtRateOne) {
  SiteBench bench(ManySteps(3, 1.0), 300);
  ASSERT_FALSE(Refusal(bench.Ask(1, 0)));
  EXPECT_EQ(bench.contribution.batches.at(0).size(), 300U);
}

TEST(SiteSampling, AnEmptyDrawIsAnsweredAndChargedLikeAnyOther) {
  SiteBench rare(ManySteps(3, 0x1p-40), 10);
  const SiteBench::Reply reply = rare.Ask(1, 0);
  EXPECT_TRUE(IsSent(reply.action));
  EXPECT_TRUE(rare.contribution.batches.at(0).empty());
  EXPECT_EQ(rare.ledger_store.rows().size(), 1U);
  EXPECT_EQ(rare.ledger_store.rows()[0].charge.event, rare.plan->entries()[1].Event(1, 1));
}

TEST(SiteSampling, ASiteWithoutUnitsAnswersLikeAnyOther) {
  SiteBench empty({}, 0);
  EXPECT_TRUE(IsSent(empty.Ask(0, 0).action));
  EXPECT_TRUE(IsSent(empty.Ask(1, 1).action));
}

// ---- One unit more, everything else equal: the integers that leave move by at most the sensitivity that is charged.

constexpr std::uint64_t kDimension = 64;

std::vector<float> RandomUnitVector(std::uint32_t unit, bool aligned) {
  PublicRandom random(17, "test.unit", unit);
  std::vector<float> values(kDimension);
  random.FillNormal(values);
  if (aligned) std::fill(values.begin(), values.end(), 1.0F);
  double norm = 0.0;
  for (const float value : values) norm += static_cast<double>(value) * value;
  // A little inside the ball, as a clip in float32 leaves it.
  for (float& value : values) value *= static_cast<float>((1.0 - 1e-6) / std::sqrt(norm));
  return values;
}

// The L2 distance of two answers with the same streams, in grid units: `units` and one more.
double MovedByTheLastUnit(std::size_t units, std::uint64_t seed, bool aligned, std::uint32_t units_per_block) {
  RoundPlanOptions options;
  options.dimension = kDimension;
  options.sampling_rate = 1.0;
  std::vector<std::vector<double>> answers;
  for (const std::size_t size : {units, units + 1}) {
    SiteBench bench(options, size, seed);
    bench.contribution.units_per_block = units_per_block;
    bench.contribution.vector_of = [aligned](std::uint32_t unit) { return RandomUnitVector(unit, aligned); };
    answers.push_back(IntegersOf(bench.plan->entries()[1], bench.Ask(1, 0)));
  }
  double square = 0.0;
  for (std::size_t i = 0; i < kDimension; ++i) square += std::pow(answers[0][i] - answers[1][i], 2);
  return std::sqrt(square);
}

TEST(SiteSensitivity, OneUnitMovesTheAnswerByAtMostWhatIsCharged) {
  testing::RoundPlanOptions options;
  options.dimension = kDimension;
  const PlanEntry entry = testing::RoundEntry("training", QueryKind::kGradient, options);
  for (const bool aligned : {false, true}) {
    for (const std::uint32_t units_per_block : {16U, 256U}) {
      for (std::uint64_t seed = 0; seed < 6; ++seed) {
        // Blocks of 16 split somewhere else now and then for one unit more.
        const double moved = MovedByTheLastUnit(500 + 3 * seed, seed, aligned, units_per_block);
        EXPECT_LE(moved, entry.sensitivity);
        EXPECT_GT(moved, 0.95 * entry.grid_scale) << "the unit is in the sum";
      }
    }
  }
}

}  // namespace
}  // namespace synod
