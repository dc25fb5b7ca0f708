// Shares over 2^61 - 1.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "secure_agg/shamir.h"
#include "secure_agg/shamir_field.h"
#include "tests/support/deterministic_random.h"

namespace synod::secure_agg {
namespace {

SecretBytes RandomSecret(SecretRandom& random) {
  SecretBytes secret(kSecretBytes);
  random.Fill(secret.bytes());
  return secret;
}

std::optional<SecretBytes> CombineAt(const std::vector<Share>& shares, const std::vector<std::uint32_t>& places) {
  std::vector<std::uint32_t> points;
  std::vector<const Share*> values;
  for (const std::uint32_t place : places) {
    points.push_back(place + 1);
    values.push_back(&shares[place]);
  }
  return ShareCombiner(points).Combine(values);
}

std::vector<std::uint32_t> FirstPoints(std::uint32_t count) {
  std::vector<std::uint32_t> points(count);
  std::iota(points.begin(), points.end(), 1u);
  return points;
}

TEST(ShamirField, AgreesWithWideArithmetic) {
  __extension__ using Wide = unsigned __int128;
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(1);
  const std::vector<std::uint64_t> edges = {0, 1, 2, field::kPrime - 1, field::kPrime - 2, field::kPrime / 2};
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t a = i < 36 ? edges[static_cast<std::size_t>(i) / 6] : random.NextWord64() % field::kPrime;
    const std::uint64_t b = i < 36 ? edges[static_cast<std::size_t>(i) % 6] : random.NextWord64() % field::kPrime;
    ASSERT_EQ(field::Add(a, b), (a + b) % field::kPrime);
    ASSERT_EQ(field::Subtract(a, b), (a + field::kPrime - b) % field::kPrime);
    ASSERT_EQ(field::Multiply(a, b), static_cast<std::uint64_t>(static_cast<Wide>(a) * b % field::kPrime));
    ASSERT_EQ(field::Multiply(a, field::Inverse(a)), a == 0 ? 0u : 1u);
  }
}

TEST(ShamirField, EvaluatesAPolynomialThatIsKnown) {
  const std::vector<std::uint64_t> coefficients = {5, 0, 3, field::kPrime - 1};  // 5 + 3 x^2 - x^3
  EXPECT_EQ(field::Evaluate(coefficients, 0), 5u);
  EXPECT_EQ(field::Evaluate(coefficients, 2), 9u);
  EXPECT_EQ(field::Evaluate(coefficients, 4), field::kPrime - 11);
}

TEST(Shamir, AnyThresholdOfSharesGivesTheSecretBack) {
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(2);
  for (const std::uint32_t holders : {1u, 3u, 5u, 6u}) {
    for (std::uint32_t threshold = 1; threshold <= holders; ++threshold) {
      const SecretBytes secret = RandomSecret(random);
      const std::vector<Share> shares = Split(secret, threshold, FirstPoints(holders), random);
      for (std::uint32_t subset = 0; subset < 1u << holders; ++subset) {
        std::vector<std::uint32_t> places;
        for (std::uint32_t i = 0; i < holders; ++i) {
          if ((subset >> i & 1) != 0) places.push_back(i);
        }
        if (places.size() < threshold) continue;
        const std::optional<SecretBytes> rebuilt = CombineAt(shares, places);
        ASSERT_TRUE(rebuilt && rebuilt->EqualTo(secret));
      }
    }
  }
}

TEST(Shamir, FewerSharesGiveAnotherSecretOrNone) {
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(3);
  const SecretBytes secret = RandomSecret(random);
  const std::vector<Share> shares = Split(secret, 4, FirstPoints(7), random);
  const std::optional<SecretBytes> wrong = CombineAt(shares, {0, 2, 5});
  EXPECT_FALSE(wrong && wrong->EqualTo(secret));
}

TEST(Shamir, WorksForAHundredAndTwentyEightHolders) {
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(4);
  const SecretBytes secret = RandomSecret(random);
  const std::vector<Share> shares = Split(secret, 86, FirstPoints(128), random);
  std::vector<std::uint32_t> last(86);
  std::iota(last.begin(), last.end(), 42u);
  const std::optional<SecretBytes> rebuilt = CombineAt(shares, last);
  EXPECT_TRUE(rebuilt && rebuilt->EqualTo(secret));
}

TEST(Shamir, KeepsSecretsOfAllOnesAndAllZeros) {
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(5);
  for (const std::uint8_t byte : {std::uint8_t{0x00}, std::uint8_t{0xff}}) {
    const SecretBytes secret = SecretBytes::CopyOf(Bytes(kSecretBytes, byte));
    const std::optional<SecretBytes> rebuilt = CombineAt(Split(secret, 2, FirstPoints(3), random), {0, 2});
    EXPECT_TRUE(rebuilt && rebuilt->EqualTo(secret));
  }
}

// A share of one point is uniform whatever the secret is: with one secret all zeros and one all ones, the mean of a
// limb over 4000 splits lies within 6 standard errors of half the prime (false alarm below 1e-7 in all).
TEST(Shamir, OneShareLooksTheSameForEverySecret) {
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(6);
  for (const std::uint8_t byte : {std::uint8_t{0x00}, std::uint8_t{0xff}}) {
    const SecretBytes secret = SecretBytes::CopyOf(Bytes(kSecretBytes, byte));
    double sum = 0.0;
    constexpr int kSplits = 4000;
    for (int i = 0; i < kSplits; ++i) {
      const std::vector<Share> shares = Split(secret, 2, FirstPoints(2), random);
      std::uint64_t limb = 0;
      std::memcpy(&limb, shares[1].bytes().data(), sizeof limb);
      sum += static_cast<double>(limb) / static_cast<double>(field::kPrime);
    }
    const double standard_error = std::sqrt(1.0 / 12.0 / kSplits);
    EXPECT_NEAR(sum / kSplits, 0.5, 6 * standard_error);
  }
}

TEST(Shamir, SharesOutsideTheFieldAreRefused) {
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(7);
  const std::vector<Share> shares = Split(RandomSecret(random), 2, FirstPoints(3), random);
  Bytes bytes(shares[0].bytes().begin(), shares[0].bytes().end());
  EXPECT_TRUE(Share::FromBytes(bytes));
  EXPECT_FALSE(Share::FromBytes(ByteView(bytes).first(39)));
  std::fill(bytes.begin() + 8, bytes.begin() + 15, std::uint8_t{0xff});
  bytes[15] = 0x1f;  // the prime itself
  EXPECT_FALSE(Share::FromBytes(bytes));
  bytes[8] = 0xfe;
  EXPECT_TRUE(Share::FromBytes(bytes));
}

TEST(ShamirDeathTest, RejectsThresholdAboveShareCountAndPointsThatRepeat) {
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(8);
  const SecretBytes secret = RandomSecret(random);
  EXPECT_DEATH(static_cast<void>(Split(secret, 4, FirstPoints(3), random)), "impossible points");
  EXPECT_DEATH(static_cast<void>(Split(secret, 2, {1, 1, 2}, random)), "impossible points");
  EXPECT_DEATH(static_cast<void>(Split(secret, 2, {0, 1, 2}, random)), "impossible points");
}

}  // namespace
}  // namespace synod::secure_agg
