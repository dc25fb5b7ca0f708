#include "common/privacy/exact_exponential.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/core/hex.h"
#include "common/crypto/sha256.h"
#include "common/privacy/half_gaussian_table.h"
#include "tests/support/deterministic_random.h"

namespace synod {
namespace {

// The expected numbers of this file were computed with 1200-bit arithmetic by another program.
TEST(ExactExponential, MatchesAnotherProgramToTheLastBit) {
  EXPECT_EQ(ExpMinus(1, 3),
            (Fraction256{0xb76e989179752689, 0xc5984c9c50ebe4c9, 0xa86a1feb960e6212, 0x1fe12615380ce967}));
  EXPECT_EQ(ExpMinus(1, 2048),
            (Fraction256{0xffe001ffeaab5551, 0x1127d21522f2295b, 0x8bc3e72bdf83dfc6, 0x65624bd38b6095a1}));
  EXPECT_EQ(ExpMinus(7, 1),
            (Fraction256{0x3bc2d73849531d, 0x57332efd57ef4a2b, 0x8a392cd9a929a15f, 0x79a65fe80bf20657}));
  EXPECT_EQ(ExpMinus(4611686018427387903, 9223372036854775807),
            (Fraction256{0x9b4597e37cb04ff4, 0x71bb3b38ad7e275d, 0x3deb5e98b96eaa09, 0x73b3f33022b2ac0}));
}

struct TableCase {
  std::uint64_t numerator;
  std::uint64_t denominator;
  std::size_t above_2_to_minus_250;  // thresholds F(k) with 1 - F(k) >= 2^-250
  std::string_view digest;           // SHA-256 of their first 192 bits
};

void PrintTo(const TableCase& test, std::ostream* out) {
  *out << test.numerator << "/" << test.denominator;
}

class HalfGaussianTables : public ::testing::TestWithParam<TableCase> {};

TEST_P(HalfGaussianTables, EveryThresholdMatchesAnotherProgramTo192Bits) {
  const TableCase& expected = GetParam();
  const std::vector<Fraction256> thresholds = HalfGaussianDistribution(expected.numerator, expected.denominator);
  ASSERT_GE(thresholds.size(), expected.above_2_to_minus_250);
  Sha256Hasher hasher;
  for (std::size_t k = 0; k < expected.above_2_to_minus_250; ++k) {
    for (std::size_t i = 0; i < 3; ++i) hasher.UpdateLittleEndian64(thresholds[k][i]);
  }
  EXPECT_EQ(ToHex(hasher.Finish()), expected.digest);
}

TEST_P(HalfGaussianTables, ThresholdsIncreaseAndReachBeyondTwoToMinus192) {
  const std::vector<Fraction256> thresholds = HalfGaussianDistribution(GetParam().numerator, GetParam().denominator);
  for (std::size_t k = 1; k < thresholds.size(); ++k) EXPECT_LT(thresholds[k - 1], thresholds[k]) << k;
  const Fraction256& last = thresholds.back();  // narrow tables have gaps of many bits between their last thresholds
  EXPECT_EQ(last[0] & last[1] & last[2], ~std::uint64_t{0});
}

INSTANTIATE_TEST_SUITE_P(
    Ratios, HalfGaussianTables,
    ::testing::Values(TableCase{1, 2, 18, "4c1daf8b8977fc7eaf05585319a2b18be9bede9b8d2cac6db85283a6194ad4ad"},
                      TableCase{4, 2, 9, "e24bbb4af9fe7dd399034ae20bb2a517cbc3eeb4c5c294d84eaabee7b09ec0fa"},
                      TableCase{9, 10000, 435, "ac90616e218b6fe0977c5ebf7156f5386aabba496ac1b892856fa3470a748a35"},
                      TableCase{1, 2048, 590, "3640b9694c8ed10d569d2c88fa3036693c0c72f238481824c6f0c3e0bc0ea19d"},
                      TableCase{std::uint64_t{1} << 52, std::uint64_t{1} << 63, 590,
                                "3640b9694c8ed10d569d2c88fa3036693c0c72f238481824c6f0c3e0bc0ea19d"}),
    [](const auto& test) {
      return std::to_string(test.param.numerator).append("_over_").append(std::to_string(test.param.denominator));
    });

TEST(HalfGaussianTable, InvertsExactlyAtEveryThreshold) {
  const HalfGaussianTable table(1, 2048);
  for (std::uint32_t k = 0; k < table.thresholds().size(); ++k) {
    Fraction256 fraction = table.thresholds()[k];
    EXPECT_EQ(table.Invert(fraction), k + 1) << "a fraction equal to F(k) is not below it";
    for (std::size_t i = 4; i-- > 0;) {  // one unit of the last place less
      if (fraction[i]-- != 0) break;
    }
    EXPECT_EQ(table.Invert(fraction), k);
  }
}

TEST(HalfGaussianTable, EveryWordNotOnAThresholdDrawsWhatInversionSays) {
  const HalfGaussianTable table(9, 10000);
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(21);
  for (int i = 0; i < 200'000; ++i) {
    // Words near thresholds and over the whole range.
    const std::uint64_t any = random.NextWord64();
    const Fraction256& near = table.thresholds()[any % 280];
    const std::uint64_t word = (i % 2 == 0) ? any : near[0] + 1 - 2 * (any >> 63);
    const Fraction256 low{word, 0, 0, 0};
    const Fraction256 high{word, ~std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0}};
    if (table.Invert(low) != table.Invert(high)) continue;
    ASSERT_EQ(table.Draw(word, random), table.Invert(low));
  }
}

// 20,000 draws whose first word is that of F(3): the later words decide. Six standard deviations: false alarm 2e-9.
TEST(HalfGaussianTable, ExtendsAWordThatEqualsAThreshold) {
  const HalfGaussianTable table(1, 2048);
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(22);
  const Fraction256& threshold = table.thresholds()[3];
  const double below = static_cast<double>(threshold[1]) * 0x1p-64;
  constexpr int kDraws = 20'000;
  int threes = 0;
  for (int i = 0; i < kDraws; ++i) {
    const std::uint32_t k = table.Draw(threshold[0], random);
    ASSERT_TRUE(k == 3 || k == 4);
    threes += k == 3 ? 1 : 0;
  }
  EXPECT_NEAR(threes, kDraws * below, 6.0 * std::sqrt(kDraws * below * (1.0 - below)));
}

}  // namespace
}  // namespace synod
