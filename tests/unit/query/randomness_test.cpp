#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <type_traits>

#include "common/query/poisson_sampler.h"
#include "common/query/public_random.h"
#include "common/query/sampling_rate.h"
#include "tests/support/deterministic_random.h"

namespace synod {
namespace {

static_assert(!std::is_convertible_v<PublicRandom, SecretRandom> &&
              !std::is_constructible_v<SecretRandom, PublicRandom>);
static_assert(!std::is_convertible_v<SecretRandom, PublicRandom> && !std::is_base_of_v<PublicRandom, SecretRandom>);

template <typename Random>
concept DrawsUnits = requires(PoissonSampler sampler, Random& random) {
  sampler.Draw(random, 1U);
};
static_assert(DrawsUnits<SecretRandom> && !DrawsUnits<PublicRandom>);

// Words computed by another program (SHA-256, then AES-256-CTR), normals by it in 700-bit arithmetic.
TEST(PublicRandom, MatchesItsDescription) {
  PublicRandom random(42, "weights", 5);
  EXPECT_EQ(random.NextWord64(), 0x5529ba331718914cU);
  EXPECT_EQ(random.NextWord64(), 0xf3349fc161a61805U);
  EXPECT_EQ(random.NextWord64(), 0x8189b8a0ed66c52bU);
}

TEST(PublicRandom, NormalsMatchAnotherProgramAndStayTheSameOnEveryCompiler) {
  PublicRandom random(42, "weights", 5);
  for (const double expected :
       {-0.140384123853237954, 0.377548171176492179, 0.00294156582908518827, -0.241260799727600104}) {
    EXPECT_NEAR(random.Normal(), expected, 4e-16);
  }
  // Golden bits of a later stretch: a change of compiler or machine must not move one of them.
  std::uint64_t folded = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double normal = random.Normal();
    std::uint64_t bits = 0;
    std::memcpy(&bits, &normal, sizeof bits);
    folded = folded * 1099511628211U + bits;
  }
  EXPECT_EQ(folded, 16242798504327043281U);
}

TEST(PublicRandom, StreamsOfAnotherSeedLabelOrIndexDiffer) {
  const std::uint64_t word = PublicRandom(1, "a", 1).NextWord64();
  EXPECT_EQ(PublicRandom(1, "a", 1).NextWord64(), word);
  EXPECT_NE(PublicRandom(2, "a", 1).NextWord64(), word);
  EXPECT_NE(PublicRandom(1, "b", 1).NextWord64(), word);
  EXPECT_NE(PublicRandom(1, "a", 2).NextWord64(), word);
}

TEST(PublicRandom, UniformsStayBelowOne) {
  PublicRandom random(3, "uniform");
  for (int i = 0; i < 100'000; ++i) {
    const double wide = random.Uniform();
    const float narrow = random.UniformFloat();
    ASSERT_TRUE(wide >= 0.0 && wide < 1.0 && narrow >= 0.0F && narrow < 1.0F);
  }
}

TEST(PublicRandom, PermutationsHoldEveryNumberOnce) {
  PublicRandom random(4, "order");
  for (const std::uint32_t n : {0U, 1U, 2U, 1000U}) {
    std::vector<std::uint32_t> order = random.Permutation(n);
    std::sort(order.begin(), order.end());
    std::vector<std::uint32_t> expected(n);
    std::iota(expected.begin(), expected.end(), 0U);
    EXPECT_EQ(order, expected);
  }
}

TEST(PublicRandom, TheOnlyIntegerBelowOneIsZero) {
  PublicRandom random(5, "integer");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.IntegerBelow(1), 0U);
}

TEST(SamplingRate, IsExactlyWhatItSays) {
  for (const double q : {0.01, 0.1, 1.0 / 3.0, 0x1p-11, 0x1p-64, 0.5, std::nextafter(1.0, 0.0), 1.0}) {
    EXPECT_EQ(SamplingRate::FromDouble(q).value().AsDouble(), q);
  }
  const double small = 1e-9;  // has bits below 2^-64: the realised rate is not above it
  const double realised = SamplingRate::FromDouble(small).value().AsDouble();
  EXPECT_LE(realised, small);
  EXPECT_GT(realised, small - 0x1p-64);
  EXPECT_TRUE(SamplingRate::FromDouble(1.0).value().always());
  EXPECT_EQ(SamplingRate::FromDouble(0.5).value().threshold(), std::uint64_t{1} << 63);
}

TEST(SamplingRate, RefusesWhatIsNoProbability) {
  for (const double q : {0.0, -0.1, 1.0000001, 0x1p-65, double{NAN}, double{INFINITY}}) {
    EXPECT_FALSE(SamplingRate::FromDouble(q).ok()) << q;
  }
}

TEST(PoissonSampler, DrawsEveryUnitAtRateOne) {
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(1);
  EXPECT_EQ(PoissonSampler(SamplingRate::One()).Draw(random, 1000).size(), 1000U);
}

TEST(PoissonSampler, MayDrawNobody) {
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(2);
  const PoissonSampler sampler(SamplingRate::FromDouble(1e-12).value());
  EXPECT_TRUE(sampler.Draw(random, 1000).empty());
  EXPECT_TRUE(sampler.Draw(random, 0).empty());
}

TEST(PoissonSampler, DrawsIncreasingUnitsAndSpendsOneWordOnEach) {
  for (const double q : {1e-6, 0.5, 1.0}) {
    SecretRandom random = SecretRandomForTestsOnly::FromSeed(3);
    SecretRandom reference = SecretRandomForTestsOnly::FromSeed(3);
    const std::vector<std::uint32_t> drawn = PoissonSampler(SamplingRate::FromDouble(q).value()).Draw(random, 999);
    EXPECT_TRUE(std::is_sorted(drawn.begin(), drawn.end()));
    EXPECT_TRUE(std::adjacent_find(drawn.begin(), drawn.end()) == drawn.end());
    for (int i = 0; i < 999; ++i) reference.NextWord64();
    EXPECT_EQ(random.NextWord64(), reference.NextWord64());
  }
}

}  // namespace
}  // namespace synod
