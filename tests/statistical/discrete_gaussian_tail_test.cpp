#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "common/privacy/discrete_gaussian.h"
#include "tests/support/deterministic_random.h"

namespace synod {
namespace {

// P(|n| >= k sigma), by summing the weights.
double TailProbability(double sigma, double k) {
  const auto from = static_cast<std::int64_t>(std::ceil(k * sigma));
  double tail = 0.0;
  double total = 1.0;
  for (auto n = static_cast<std::int64_t>(14.0 * sigma); n > 0; --n) {
    const double weight = 2.0 * std::exp(-0.5 * std::pow(static_cast<double>(n) / sigma, 2));
    total += weight;
    if (n >= from) tail += weight;
  }
  return tail / total;
}

class DiscreteGaussianTail : public ::testing::TestWithParam<std::uint64_t> {};

// 10^9 draws. Counts are Poisson variables of mean m; their bounds m +- (6 sqrt(m) + 12) have a false alarm below 1e-8.
TEST_P(DiscreteGaussianTail, HasTheRightWeightOutToSixSigma) {
  constexpr std::size_t kBlock = 4 * 1024 * 1024;
  constexpr std::size_t kBlocks = 240;
  const double sigma = std::sqrt(static_cast<double>(GetParam()));
  const DiscreteGaussian noise(GetParam());
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(GetParam());
  std::array<double, 4> counts{};  // beyond 3, 4, 5, 6 sigma
  std::vector<std::int64_t> values(kBlock);
  for (std::size_t block = 0; block < kBlocks; ++block) {
    std::fill(values.begin(), values.end(), 0);
    noise.AddTo(random, values, 2);
    for (const std::int64_t value : values) {
      const double size = std::fabs(static_cast<double>(value));
      if (size < 3.0 * sigma) continue;
      for (std::size_t k = 0; k < counts.size(); ++k)
        counts[k] += size >= (3.0 + static_cast<double>(k)) * sigma ? 1 : 0;
    }
  }
  for (std::size_t k = 0; k < counts.size(); ++k) {
    const double mean = static_cast<double>(kBlock * kBlocks) * TailProbability(sigma, 3.0 + static_cast<double>(k));
    EXPECT_NEAR(counts[k], mean, 6.0 * std::sqrt(mean) + 12.0) << 3 + k << " sigma";
  }
}

INSTANTIATE_TEST_SUITE_P(Variances, DiscreteGaussianTail, ::testing::Values(900, 5000));

}  // namespace
}  // namespace synod
