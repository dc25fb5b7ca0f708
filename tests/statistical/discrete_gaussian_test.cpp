#include "common/privacy/discrete_gaussian.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "common/core/hex.h"
#include "common/crypto/sha256.h"
#include "tests/statistical/chi_square.h"
#include "tests/support/deterministic_random.h"

namespace synod {
namespace {

std::vector<std::int64_t> Draws(std::uint64_t variance, std::size_t count, std::uint64_t seed, unsigned threads = 1) {
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(seed);
  std::vector<std::int64_t> values(count);
  DiscreteGaussian(variance).AddTo(random, values, threads);
  return values;
}

// ---- Known answers: the sampler written again from its description, in another language with 700-bit arithmetic.

struct KnownDraws {
  std::uint64_t variance;
  std::uint64_t step;
  std::int64_t first;
  std::string_view digest;  // SHA-256 of 1,000 draws as little-endian words
};

void PrintTo(const KnownDraws& draws, std::ostream* out) {
  *out << "V = " << draws.variance;
}

class KnownDiscreteGaussian : public ::testing::TestWithParam<KnownDraws> {};

TEST_P(KnownDiscreteGaussian, DrawsWhatAnotherProgramDraws) {
  const KnownDraws& expected = GetParam();
  EXPECT_EQ(DiscreteGaussian(expected.variance).coarse_step(), expected.step);
  const std::vector<std::int64_t> values = Draws(expected.variance, 1000, 11);
  Sha256Hasher hasher;
  for (const std::int64_t value : values) hasher.UpdateLittleEndian64(static_cast<std::uint64_t>(value));
  EXPECT_EQ(values[0], expected.first);
  EXPECT_EQ(ToHex(hasher.Finish()), expected.digest);
}

INSTANTIATE_TEST_SUITE_P(
    Variances, KnownDiscreteGaussian,
    ::testing::Values(KnownDraws{1, 1, 1, "f60f2af7b14049e850905c27c2420ddc3d52fd866a540ca448539a3009c7d3ca"},
                      KnownDraws{900, 1, 46, "1dc2f66aabce592969c66f33e59a16a31dc0f412c1b3a4e43dbf87d1cdf6caeb"},
                      KnownDraws{5000, 3, 110, "758d4bd6259aa64888673848112465b2d4e4ff7ad9bf9c35c880e89c29a05305"},
                      KnownDraws{1'000'000'000'000, 31250, 1556782,
                                 "0cdeedf94a5c159a354498bca767030ab57da1f0292db46817374917a78619b6"}),
    [](const auto& test) { return std::string("V").append(std::to_string(test.param.variance)); });

// ---- Distribution. Every test statistic below is compared at six standard deviations of a normal: a false alarm of
// 2e-9 for each comparison, if the seeds were not fixed.

class DiscreteGaussianPmf : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(DiscreteGaussianPmf, FitsByChiSquare) {
  const std::uint64_t variance = GetParam();
  constexpr std::size_t kCount = 2'000'000;
  std::map<std::int64_t, double> counts;
  for (const std::int64_t value : Draws(variance, kCount, variance)) counts[value] += 1.0;
  const double sigma = std::sqrt(static_cast<double>(variance));
  const auto reach = static_cast<std::int64_t>(12.0 * sigma + 12.0);
  std::vector<double> observed;
  std::vector<double> expected;
  double total = 0.0;
  for (std::int64_t n = -reach; n <= reach; ++n) {
    expected.push_back(std::exp(-static_cast<double>(n) * static_cast<double>(n) / (2.0 * sigma * sigma)));
    observed.push_back(counts.contains(n) ? counts[n] : 0.0);
    total += expected.back();
  }
  for (double& value : expected) value *= kCount / total;
  EXPECT_LT(std::fabs(statistical::ChiSquareDeviations(observed, expected)), 6.0);
}

INSTANTIATE_TEST_SUITE_P(Variances, DiscreteGaussianPmf,
                         ::testing::Values(1, 2, 3, 9, 64, 100, 900, 1024, 1025, 1600, 2500, 4097));

class WideDiscreteGaussian : public ::testing::TestWithParam<std::uint64_t> {};

// Bins of an eighth of sigma; where sigma is at least 1,000 the sum over a bin equals the integral to 1e-7.
TEST_P(WideDiscreteGaussian, FitsTheGaussianInBins) {
  const std::uint64_t variance = GetParam();
  constexpr std::size_t kCount = 2'000'000;
  constexpr int kBins = 96;
  const double sigma = std::sqrt(static_cast<double>(variance));
  const auto width = static_cast<std::int64_t>(sigma / 8.0);
  std::vector<double> observed(kBins);
  for (const std::int64_t value : Draws(variance, kCount, variance)) {
    const std::int64_t bin = (value + kBins / 2 * width) / width;  // the sum is positive within 6 sigma
    if (bin >= 0 && bin < kBins) observed[static_cast<std::size_t>(bin)] += 1.0;
  }
  std::vector<double> expected(kBins);
  const auto below = [sigma](double edge) { return 0.5 * std::erfc(-edge / (sigma * std::numbers::sqrt2)); };
  for (int i = 0; i < kBins; ++i) {
    const double edge = static_cast<double>((i - kBins / 2) * width) - 0.5;
    expected[static_cast<std::size_t>(i)] = kCount * (below(edge + static_cast<double>(width)) - below(edge));
  }
  EXPECT_LT(std::fabs(statistical::ChiSquareDeviations(observed, expected)), 6.0);
}

// The digit below the coarse step must be as smooth as the rest: residues of small and of the coarse modulus.
TEST_P(WideDiscreteGaussian, HasUniformResidues) {
  const std::uint64_t variance = GetParam();
  constexpr std::size_t kCount = 1'000'000;
  const std::vector<std::int64_t> values = Draws(variance, kCount, variance + 1);
  const std::uint64_t step = DiscreteGaussian(variance).coarse_step();
  for (const std::int64_t modulus :
       {std::int64_t{2}, std::int64_t{7}, static_cast<std::int64_t>(std::min<std::uint64_t>(step, 1000))}) {
    std::vector<double> observed(static_cast<std::size_t>(modulus));
    for (const std::int64_t value : values) {
      observed[static_cast<std::size_t>(((value % modulus) + modulus) % modulus)] += 1.0;
    }
    const std::vector<double> expected(observed.size(), static_cast<double>(kCount) / static_cast<double>(modulus));
    EXPECT_LT(std::fabs(statistical::ChiSquareDeviations(observed, expected)), 6.0) << "modulus " << modulus;
  }
}

TEST_P(WideDiscreteGaussian, HasTheMomentsOfItsVariance) {
  const std::uint64_t variance = GetParam();
  constexpr std::size_t kCount = 2'000'000;
  const double sigma = std::sqrt(static_cast<double>(variance));
  double mean = 0.0;
  double square = 0.0;
  double fourth = 0.0;
  for (const std::int64_t value : Draws(variance, kCount, variance + 2)) {
    const double unit = static_cast<double>(value) / sigma;
    mean += unit / kCount;
    square += unit * unit / kCount;
    fourth += unit * unit * unit * unit / kCount;
  }
  const double root_count = std::sqrt(static_cast<double>(kCount));
  EXPECT_NEAR(mean, 0.0, 6.0 / root_count);
  EXPECT_NEAR(square, 1.0, 6.0 * std::sqrt(2.0) / root_count);
  EXPECT_NEAR(fourth, 3.0, 6.0 * std::sqrt(96.0) / root_count);
}

INSTANTIATE_TEST_SUITE_P(Variances, WideDiscreteGaussian,
                         ::testing::Values(1'000'000, 1'234'567'891, 10'000'000'000'000, std::uint64_t{1} << 62));

// ---- Reproducibility.

TEST(DiscreteGaussian, DoesNotDependOnTheNumberOfThreads) {
  constexpr std::size_t kCount = 5 * DiscreteGaussian::kChunk + 321;
  const std::vector<std::int64_t> one = Draws(5000, kCount, 31, 1);
  EXPECT_EQ(Draws(5000, kCount, 31, 2), one);
  EXPECT_EQ(Draws(5000, kCount, 31, 4), one);
  EXPECT_EQ(Draws(5000, kCount, 31, 64), one);
}

TEST(DiscreteGaussian, GivesChunksAndCallsIndependentNoise) {
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(32);
  const DiscreteGaussian noise(1'000'000);
  std::vector<std::int64_t> first(2 * DiscreteGaussian::kChunk);
  std::vector<std::int64_t> second(2 * DiscreteGaussian::kChunk);
  noise.AddTo(random, first);
  noise.AddTo(random, second);
  const auto half = static_cast<std::ptrdiff_t>(DiscreteGaussian::kChunk);
  EXPECT_FALSE(std::equal(first.begin(), first.begin() + half, first.begin() + half));
  EXPECT_NE(first, second);
}

TEST(DiscreteGaussian, AddsToWhatIsThere) {
  std::vector<std::int64_t> values(1000, std::int64_t{1} << 61);
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(33);
  DiscreteGaussian(64).AddTo(random, values);
  const std::vector<std::int64_t> noise = Draws(64, 1000, 33);
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], (std::int64_t{1} << 61) + noise[i]);
  DiscreteGaussian(64).AddTo(random, {});
}

TEST(DiscreteGaussian, ChoosesTheLeastCoarseStep) {
  EXPECT_EQ(DiscreteGaussian(1024).coarse_step(), 1U);
  EXPECT_EQ(DiscreteGaussian(1025).coarse_step(), 2U);
  EXPECT_EQ(DiscreteGaussian(4096).coarse_step(), 2U);
  EXPECT_EQ(DiscreteGaussian(4097).coarse_step(), 3U);
  EXPECT_EQ(DiscreteGaussian(std::uint64_t{1} << 62).coarse_step(), std::uint64_t{1} << 26);
  EXPECT_EQ(DiscreteGaussian((std::uint64_t{1} << 62) - 1).coarse_step(), std::uint64_t{1} << 26);
}

// ---- The acceptance step, where doubles hand over to integers.

TEST(DiscreteGaussian, AcceptsExactlyByTheTrueExponential) {
  const std::uint64_t variance = 123'456'789'012'345;
  const DiscreteGaussian noise(variance);
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(34);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t numerator = random.NextWord64() % (3 * variance);
    const Fraction256 truth = ExpMinus(numerator, 2 * variance);
    const std::uint64_t bits = truth[0] >> 11;  // the one value whose later bits decide
    for (const std::uint64_t gap : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{100}, std::uint64_t{128},
                                    std::uint64_t{1000}, std::uint64_t{1} << 30}) {
      if (bits >= gap) {
        EXPECT_TRUE(noise.Accept(numerator, bits - gap, random)) << numerator;
      }
      if (bits + gap < (std::uint64_t{1} << 53)) {
        EXPECT_FALSE(noise.Accept(numerator, bits + gap, random)) << numerator;
      }
    }
  }
}

// 20,000 decisions at the one 53-bit value that leaves them open; six standard deviations: false alarm 2e-9.
TEST(DiscreteGaussian, DecidesOpenCandidatesByTheLaterBitsOfTheThreshold) {
  const DiscreteGaussian noise(1'000'000);
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(35);
  const Fraction256 truth = ExpMinus(777, 2'000'000);
  const double rest = static_cast<double>(truth[0] << 53) * 0x1p-64;
  constexpr int kDraws = 20'000;
  int accepted = 0;
  for (int i = 0; i < kDraws; ++i) accepted += noise.Accept(777, truth[0] >> 11, random) ? 1 : 0;
  EXPECT_NEAR(accepted, kDraws * rest, 6.0 * std::sqrt(kDraws * rest * (1.0 - rest)));
}

TEST(DiscreteGaussian, AcceptsEveryCandidateOfExponentZero) {
  const DiscreteGaussian noise(1'000'000);
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(36);
  EXPECT_TRUE(noise.Accept(0, (std::uint64_t{1} << 53) - 1, random));
  EXPECT_TRUE(noise.AcceptExactly(0, (std::uint64_t{1} << 53) - 1, random));
}

TEST(DiscreteGaussianDeathTest, RefusesVariancesThatItCannotDraw) {
  EXPECT_DEATH(DiscreteGaussian(0), "variance");
  EXPECT_DEATH(DiscreteGaussian((std::uint64_t{1} << 62) + 1), "variance");
}

}  // namespace
}  // namespace synod
