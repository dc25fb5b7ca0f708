#include <gtest/gtest.h>

#include <cmath>
#include <type_traits>

#include "common/privacy/noise_arithmetic.h"
#include "common/query/clipped_summer.h"
#include "common/query/grid.h"
#include "common/query/noise_share.h"
#include "common/query/sum_accumulator.h"
#include "common/query/words.h"
#include "tests/support/deterministic_random.h"

namespace synod {
namespace {

// ---- What must not compile.

template <typename Sum>
constexpr bool kMadeByItsMakerAlone =
    !std::is_default_constructible_v<Sum> && !std::is_copy_constructible_v<Sum> && !std::is_copy_assignable_v<Sum> &&
    !std::is_constructible_v<Sum, std::vector<double>> && !std::is_constructible_v<Sum, std::vector<std::int64_t>> &&
    !std::is_constructible_v<Sum, std::vector<double>, double> &&
    !std::is_constructible_v<Sum, std::vector<std::int64_t>, double> &&
    !std::is_constructible_v<Sum, std::vector<std::int64_t>, std::uint32_t> && !std::is_aggregate_v<Sum>;
static_assert(kMadeByItsMakerAlone<ClippedSum> && kMadeByItsMakerAlone<GridSum> && kMadeByItsMakerAlone<NoisedSum>);
static_assert(kMadeByItsMakerAlone<StandaloneSum> && kMadeByItsMakerAlone<NoisySum>);

static_assert(!std::is_constructible_v<GridSum, ClippedSum> && !std::is_constructible_v<NoisedSum, GridSum>);
static_assert(!std::is_constructible_v<NoisedSum, ClippedSum> && !std::is_constructible_v<StandaloneSum, GridSum>);
static_assert(!std::is_constructible_v<StandaloneSum, ClippedSum> && !std::is_constructible_v<NoisySum, NoisedSum>);
static_assert(!std::is_constructible_v<StandaloneSum, const NoisedSum&>, "noise is used up, not shared");

template <typename Sum>
concept HasBytes = requires(const Sum& sum) {
  sum.Encode(WordBits::k64);
}
|| requires(const Sum& sum) {
  sum.words();
}
|| requires(const Sum& sum) {
  sum.values();
}
|| std::is_convertible_v<Sum, ByteView>;
static_assert(!HasBytes<ClippedSum> && !HasBytes<GridSum> && !HasBytes<NoisedSum>);
static_assert(HasBytes<StandaloneSum> && HasBytes<NoisySum>);

template <typename Sum>
concept Addable = requires(SumAccumulator accumulator, Sum sum) {
  accumulator.Add(std::move(sum));
};
static_assert(!Addable<ClippedSum> && !Addable<GridSum> && Addable<NoisedSum> && Addable<StandaloneSum>);

// ---- What happens on the way.

// A clip that no test vector reaches: these tests are about what happens after the sum was made.
constexpr double kWideClip = 1e6;

Grid TestGrid(std::uint64_t dimension, double gamma = 1024.0) {
  return Grid::Make(gamma, kWideClip, dimension).value();
}

ClippedSum SumOf(const std::vector<float>& block) {
  ClippedSummer summer(block.size(), kWideClip);
  summer.AddBlock(block, 1);
  return std::move(summer).Finish();
}

TEST(SumLadder, CarriesASumToTheCoordinatorWithNoiseOfTheStatedVariance) {
  constexpr std::uint64_t kDimension = 100'000;
  constexpr std::uint64_t kVariance = 1'000'000;
  const Grid grid = TestGrid(kDimension);
  const NoiseShare share = NoiseShare::Make(grid, kVariance, 2).value();
  SumAccumulator total(grid, WordBits::k32);
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(1);
  for (int site = 0; site < 3; ++site) {
    total.Add(share.Add(grid.Encode(SumOf(std::vector<float>(kDimension, 0.25F))), random));
  }
  const NoisySum noisy = std::move(total).Finish();
  EXPECT_EQ(noisy.answers(), 3U);
  double mean = 0.0;
  double square = 0.0;
  for (const double value : noisy.values()) {
    mean += value / kDimension;
    square += (value - 0.75) * (value - 0.75) / kDimension;
  }
  const double variance = 3.0 * kVariance / (1024.0 * 1024.0);
  // Six standard deviations: a false alarm of 2e-9 each.
  EXPECT_NEAR(mean, 0.75, 6.0 * std::sqrt(variance / kDimension));
  EXPECT_NEAR(square, variance, 6.0 * variance * std::sqrt(2.0 / kDimension));
}

TEST(SumLadder, EncodedAnswersAddUpAsTheirSumsDo) {
  for (const WordBits bits : {WordBits::k32, WordBits::k64}) {
    const Grid grid = TestGrid(1000);
    const NoiseShare share = NoiseShare::Make(grid, 10'000, 1).value();
    SumAccumulator encoded(grid, bits);
    SumAccumulator direct(grid, bits);
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      const std::vector<float> block(1000, -0.5F);
      SecretRandom once = SecretRandomForTestsOnly::FromSeed(seed);
      SecretRandom again = SecretRandomForTestsOnly::FromSeed(seed);
      const StandaloneSum answer(share.Add(grid.Encode(SumOf(block)), once));
      EXPECT_EQ(answer.Encode(bits).size(), 1000 * WordBytes(bits));
      ASSERT_TRUE(encoded.AddEncoded(answer.Encode(bits)).ok());
      direct.Add(share.Add(grid.Encode(SumOf(block)), again));
    }
    const NoisySum a = std::move(encoded).Finish();
    const NoisySum b = std::move(direct).Finish();
    EXPECT_EQ(a.words(), b.words());
    EXPECT_TRUE(std::equal(a.values().begin(), a.values().end(), b.values().begin()));

    SumAccumulator stored(grid, bits);
    ASSERT_TRUE(stored.AddEncoded(a.words()).ok());
    EXPECT_EQ(std::move(stored).Finish().words(), a.words()) << "a stored total reads back";
  }
}

TEST(SumAccumulator, DecodesATotalThatWrappedOnTheWay) {
  const Grid grid = TestGrid(3, 1.0);
  for (const WordBits bits : {WordBits::k32, WordBits::k64}) {
    const std::int64_t most = bits == WordBits::k32 ? std::int64_t{0x7fffffff} : std::int64_t{0x7fffffffffffffff};
    SumAccumulator total(grid, bits);
    for (const std::int64_t sign : {1, 1, -1, -1}) {
      ASSERT_TRUE(
          total.AddEncoded(EncodeWords(std::vector<std::int64_t>{sign * most, -sign * most, sign * 5}, bits)).ok());
    }
    ASSERT_TRUE(total.AddEncoded(EncodeWords(std::vector<std::int64_t>{-7, 7, -most - 1}, bits)).ok());
    const NoisySum noisy = std::move(total).Finish();
    EXPECT_EQ(noisy.values()[0], -7.0);
    EXPECT_EQ(noisy.values()[1], 7.0);
    EXPECT_EQ(noisy.values()[2], static_cast<double>(-most - 1)) << "the least number of the ring stays negative";
  }
}

TEST(SumAccumulator, RefusesAnswersOfAnotherLengthUnchanged) {
  const Grid grid = TestGrid(4);
  SumAccumulator total(grid, WordBits::k32);
  for (const std::size_t size : {0U, 15U, 17U, 32U}) EXPECT_FALSE(total.AddEncoded(Bytes(size, 0xff)).ok());
  EXPECT_EQ(total.answers(), 0U);
  const NoisySum untouched = std::move(total).Finish();
  for (const double value : untouched.values()) EXPECT_EQ(value, 0.0);
}

TEST(SumLadderDeathTest, AShareOfTheNoiseDoesNotStandAlone) {
  const Grid grid = TestGrid(10);
  const NoiseShare share = NoiseShare::Make(grid, 10'000, 2).value();
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(2);
  NoisedSum noised = share.Add(grid.Encode(SumOf(std::vector<float>(10))), random);
  EXPECT_DEATH(StandaloneSum(std::move(noised)), "not the whole noise");
}

TEST(SumLadderDeathTest, NoiseOfAnotherEntryIsRefused) {
  const Grid grid = TestGrid(10);
  const NoiseShare finer = NoiseShare::Make(TestGrid(10, 2048.0), 10'000, 1).value();
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(3);
  GridSum sum = grid.Encode(SumOf(std::vector<float>(10)));
  EXPECT_DEATH(finer.Add(std::move(sum), random), "another plan entry");
}

TEST(ClippedSummerDeathTest, RefusesWhatIsNotFinite) {
  for (const float poison : {NAN, INFINITY, -INFINITY}) {
    ClippedSummer summer(3, 1.0);
    const std::vector<float> block = {0.0F, poison, 0.0F};
    EXPECT_DEATH(summer.AddBlock(block, 1), "not finite");
  }
}

TEST(ClippedSummerDeathTest, RefusesABlockThatIsLongerThanItsClippedUnitsCanBe) {
  // What memory that was re-used too early looked like: one huge value among ordinary ones.
  ClippedSummer summer(3, 2.0);
  summer.AddBlock(std::vector<float>{6.0F, 0.0F, 0.0F}, 3);
  EXPECT_DEATH(summer.AddBlock(std::vector<float>{1.0F, 1e11F, 0.0F}, 3), "longer than its clipped units");
  EXPECT_DEATH(summer.AddBlock(std::vector<float>{4.5F, 4.5F, 0.0F}, 3), "longer than its clipped units");
}

TEST(ClippedSummerDeathTest, RefusesBlocksBeyondTheProof) {
  ClippedSummer summer(1, 1.0);
  const std::vector<float> block(1);
  EXPECT_DEATH(summer.AddBlock(block, kMostRowsPerBlock + 1), "proven");
  EXPECT_DEATH(summer.AddBlock(block, 0), "proven");
  EXPECT_DEATH(summer.AddBlock(std::vector<float>(2), 1), "dimension");
}

// A site of hundreds of millions of units: as many blocks as that has end nothing, and none of them is lost.
TEST(ClippedSummer, TakesAMillionFullBlocksAndLosesNoneBesideALargeSum) {
  const Grid grid = Grid::Make(0x1p40, 1.0, 1).value();
  const NoiseShare share = NoiseShare::Make(grid, 100, 1).value();
  const auto noised = [&](int tiny_blocks) {
    ClippedSummer summer(1, 1.0);
    summer.AddBlock(std::vector<float>{1.0F}, 1);
    for (int i = 0; i < tiny_blocks; ++i) summer.AddBlock(std::vector<float>{0x1p-60F}, kMostRowsPerBlock);
    SumAccumulator total(grid, WordBits::k64);
    SecretRandom random = SecretRandomForTestsOnly::FromSeed(5);
    total.Add(share.Add(grid.Encode(std::move(summer).Finish()), random));
    const NoisySum noisy = std::move(total).Finish();
    return noisy.values()[0];
  };
  EXPECT_EQ(noised(1 << 20) - noised(0), 0x1p-40);
}

TEST(NoiseShare, AddsDifferentNoiseEachTimeAndTheSameForAnyThreads) {
  const Grid grid = TestGrid(200'000);
  const NoiseShare share = NoiseShare::Make(grid, 5'000, 1).value();
  std::vector<Bytes> answers;
  for (const unsigned threads : {1U, 3U}) {
    SecretRandom random = SecretRandomForTestsOnly::FromSeed(4);
    for (int call = 0; call < 2; ++call) {
      GridSum sum = grid.Encode(SumOf(std::vector<float>(200'000)));
      answers.push_back(StandaloneSum(share.Add(std::move(sum), random, threads)).Encode(WordBits::k64));
    }
  }
  EXPECT_NE(answers[0], answers[1]);
  EXPECT_EQ(answers[0], answers[2]);
  EXPECT_EQ(answers[1], answers[3]);
}

TEST(NoiseShare, AccountsForWhatItAddsAndRefusesWhatIsOutOfRange) {
  const Grid grid = TestGrid(100);
  const NoiseShare share = NoiseShare::Make(grid, 1'000'000, 3).value();
  const double sigma = std::sqrt(3e6 - kSmoothingRadius * kSmoothingRadius);
  EXPECT_LE(share.accounted_multiplier(), sigma / grid.sensitivity());
  EXPECT_GT(share.accounted_multiplier(), sigma / grid.sensitivity() * (1.0 - 1e-12));
  EXPECT_FALSE(NoiseShare::Make(grid, 63, 1).ok());
  EXPECT_FALSE(NoiseShare::Make(grid, (std::uint64_t{1} << 62) + 1, 1).ok());
  EXPECT_FALSE(NoiseShare::Make(grid, 1'000'000, 0).ok());
}

TEST(WordBits, AreThirtyTwoOrSixtyFour) {
  EXPECT_EQ(WordBitsFromNumber(32).value(), WordBits::k32);
  EXPECT_EQ(WordBitsFromNumber(64).value(), WordBits::k64);
  for (const std::uint32_t number : {0U, 16U, 33U, 128U}) EXPECT_FALSE(WordBitsFromNumber(number).ok());
}

}  // namespace
}  // namespace synod
