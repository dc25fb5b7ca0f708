#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "common/query/poisson_sampler.h"
#include "common/query/public_random.h"
#include "tests/statistical/chi_square.h"
#include "tests/support/deterministic_random.h"

namespace synod {
namespace {

// Comparisons at six standard deviations: a false alarm of 2e-9 each, if the seeds were not fixed.

TEST(PoissonSampler, DrawsABinomialNumberOfUnits) {
  constexpr std::uint32_t kUnits = 100'000;
  for (const double q : {1e-4, 0.01, 0.3, 0.999}) {
    const PoissonSampler sampler(SamplingRate::FromDouble(q).value());
    SecretRandom random = SecretRandomForTestsOnly::FromSeed(41);
    constexpr int kRounds = 50;
    double sum = 0.0;
    double squares = 0.0;
    for (int i = 0; i < kRounds; ++i) {
      const auto drawn = static_cast<double>(sampler.Draw(random, kUnits).size());
      const double deviation = (drawn - kUnits * q) / std::sqrt(kUnits * q * (1.0 - q));
      sum += deviation;
      squares += deviation * deviation;
    }
    EXPECT_LT(std::fabs(sum) / std::sqrt(kRounds), 6.0) << q;
    EXPECT_LT(std::fabs(squares - kRounds) / std::sqrt(2.0 * kRounds), 6.0)
        << "a fixed batch size has no spread, " << q;
  }
}

TEST(PoissonSampler, DrawsEveryUnitEquallyOftenAndPairsIndependently) {
  constexpr std::uint32_t kUnits = 100;
  constexpr int kRounds = 50'000;
  const PoissonSampler sampler(SamplingRate::FromDouble(0.25).value());
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(42);
  std::vector<double> single(kUnits);
  std::vector<double> neighbours(kUnits - 1);
  for (int round = 0; round < kRounds; ++round) {
    const std::vector<std::uint32_t> drawn = sampler.Draw(random, kUnits);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      single[drawn[i]] += 1.0;
      if (i > 0 && drawn[i] == drawn[i - 1] + 1) neighbours[drawn[i - 1]] += 1.0;
    }
  }
  for (const double count : single) EXPECT_NEAR(count, kRounds * 0.25, 6.0 * std::sqrt(kRounds * 0.25 * 0.75));
  for (const double count : neighbours)
    EXPECT_NEAR(count, kRounds * 0.0625, 6.0 * std::sqrt(kRounds * 0.0625 * 0.9375));
}

TEST(PublicRandom, NormalsHaveNormalMoments) {
  PublicRandom random(1, "test");
  constexpr int kCount = 2'000'000;
  double mean = 0.0;
  double square = 0.0;
  double fourth = 0.0;
  for (int i = 0; i < kCount; ++i) {
    const double x = random.Normal();
    mean += x / kCount;
    square += x * x / kCount;
    fourth += x * x * x * x / kCount;
  }
  const double root_count = std::sqrt(static_cast<double>(kCount));
  EXPECT_NEAR(mean, 0.0, 6.0 / root_count);
  EXPECT_NEAR(square, 1.0, 6.0 * std::sqrt(2.0) / root_count);
  EXPECT_NEAR(fourth, 3.0, 6.0 * std::sqrt(96.0) / root_count);
}

TEST(PublicRandom, IntegersBelowAreUniform) {
  PublicRandom random(2, "test");
  constexpr int kCount = 700'000;
  std::vector<double> counts(7);
  for (int i = 0; i < kCount; ++i) counts[random.IntegerBelow(7)] += 1.0;
  EXPECT_LT(std::fabs(statistical::ChiSquareDeviations(counts, std::vector<double>(7, kCount / 7.0))), 6.0);
  // A bound far from a power of two, where taking the remainder of a word would favour the lower third two to one.
  const std::uint64_t bound = (std::uint64_t{3} << 62) - 1;
  double lower = 0.0;
  for (int i = 0; i < kCount; ++i) lower += random.IntegerBelow(bound) < bound / 3 ? 1.0 : 0.0;
  EXPECT_NEAR(lower, kCount / 3.0, 6.0 * std::sqrt(kCount * 2.0 / 9.0));
}

TEST(PublicRandom, PermutationsAreUniform) {
  PublicRandom random(3, "test");
  constexpr int kCount = 240'000;
  std::map<std::vector<std::uint32_t>, double> counts;
  for (int i = 0; i < kCount; ++i) counts[random.Permutation(4)] += 1.0;
  ASSERT_EQ(counts.size(), 24U);
  std::vector<double> observed;
  for (const auto& [order, count] : counts) observed.push_back(count);
  EXPECT_LT(std::fabs(statistical::ChiSquareDeviations(observed, std::vector<double>(24, kCount / 24.0))), 6.0);
}

}  // namespace
}  // namespace synod
