#include "models/tabular/denoised_counts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "models/tabular/count_prior.h"
#include "models/tabular/transform_share.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::tabular {
namespace {

using Shares = std::vector<double>;

double TotalVariation(const Shares& a, const Shares& b) {
  const double sum_a = std::accumulate(a.begin(), a.end(), 0.0);
  const double sum_b = std::accumulate(b.begin(), b.end(), 0.0);
  double distance = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) distance += 0.5 * std::abs(a[i] / sum_a - b[i] / sum_b);
  return distance;
}

struct Errors {
  double projected = 0.0;  // mean total variation of the noisy counts, only made non-negative
  double denoised = 0.0;
};

Errors MeasuredErrors(const PublicGrid& grid, const Shares& truth, double sigma, PublicRandom& random) {
  constexpr int kRounds = 10;
  const double total = std::accumulate(truth.begin(), truth.end(), 0.0);
  Errors errors;
  for (int round = 0; round < kRounds; ++round) {
    Shares noisy = truth;
    for (double& count : noisy) count += sigma * random.Normal();
    errors.projected += TotalVariation(ProjectToSimplex(noisy, total), truth) / kRounds;
    errors.denoised += TotalVariation(DenoisedCounts(grid, noisy, sigma, total), truth) / kRounds;
  }
  return errors;
}

// The units of each cell when values come from `draw`.
Shares CountsOf(const PublicGrid& grid, const std::function<double()>& draw, int units) {
  Shares counts(grid.cells(), 0.0);
  for (int i = 0; i < units; ++i) counts[grid.CellOfNumber(draw())] += 1.0;
  return counts;
}

TEST(DenoisedCounts, AreTheCountsWhereThereIsNoNoise) {
  PublicRandom random(71, "denoise");
  Column wide = testing::Number("wide", ColumnType::kContinuous, 0, 100);
  wide.special_values = {20};
  wide.missing_allowed = true;
  for (const Column& column : {wide, testing::Categories("many", 300), testing::Categories("few", 3)}) {
    const PublicGrid grid(column);
    Shares counts(grid.cells());
    for (double& count : counts) count = std::floor(100.0 * random.Uniform());
    const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
    for (const double sigma : {0.0, 1e-4}) {
      const Shares result = DenoisedCounts(grid, counts, sigma, total);
      for (std::size_t i = 0; i < counts.size(); ++i) EXPECT_NEAR(result[i], counts[i], 1e-2) << column.name;
    }
  }
}

// What a hospital's columns look like: at every noise the denoised counts are nearer to the truth. Fixed seed; the
// means over ten rounds would miss the margins with probability below 1e-6.
TEST(DenoisedCounts, AreNearerToSkewedAndSpikyColumnsThanTheNoisyOnesAre) {
  PublicRandom random(72, "denoise");
  Column laboratory = testing::Number("laboratory", ColumnType::kContinuous, 0, 200);
  laboratory.decimals = 1;
  laboratory.special_values = {9.01};
  laboratory.missing_allowed = true;
  Column logarithmic = laboratory;
  logarithmic.scale = ColumnScale::kLog;
  Column age = testing::Number("age", ColumnType::kContinuous, 18, 105);
  const auto laboratory_value = [&] {
    const double u = random.Uniform();
    if (u < 0.1) return std::nan("");
    if (u < 0.35) return 9.01;
    return std::min(200.0, std::round(10.0 * std::exp(2.3 + 0.6 * random.Normal())) / 10.0);
  };
  const auto age_value = [&] { return std::clamp(62.0 + 16.0 * random.Normal(), 18.0, 105.0); };
  for (const double sigma : {10.0, 30.0, 70.0, 200.0}) {
    const double factor = sigma < 20.0 ? 1.0 : sigma < 50.0 ? 0.9 : 0.75;
    const PublicGrid grid(laboratory);
    const Errors mixed = MeasuredErrors(grid, CountsOf(grid, laboratory_value, 7000), sigma, random);
    EXPECT_LT(mixed.denoised, factor * mixed.projected) << sigma;
    const PublicGrid log_grid(logarithmic);
    const Errors log = MeasuredErrors(log_grid, CountsOf(log_grid, laboratory_value, 7000), sigma, random);
    EXPECT_LT(log.denoised, factor * log.projected) << sigma;
    const PublicGrid age_grid(age);
    const Errors even = MeasuredErrors(age_grid, CountsOf(age_grid, age_value, 7000), sigma, random);
    EXPECT_LT(even.denoised, factor * even.projected) << sigma;
  }
}

TEST(DenoisedCounts, LeaveSpecialValuesAndMissingOutOfTheSmoothing) {
  PublicRandom random(73, "denoise");
  Column column = testing::Number("x", ColumnType::kContinuous, 0, 10);
  column.special_values = {3, 7};
  column.missing_allowed = true;
  const PublicGrid grid(column);
  Shares counts(grid.cells(), 10.0);
  counts[grid.CellOfNumber(3)] = 2000.0;
  counts[grid.CellOfNumber(7)] = 0.0;
  counts[grid.missing_cell()] = 5000.0;
  for (double& count : counts) count += 20.0 * random.Normal();
  const Shares noisy = counts;
  const double total = std::accumulate(noisy.begin(), noisy.end(), 0.0);
  const Shares result = DenoisedCounts(grid, noisy, 20.0, total);
  for (const std::size_t cell : {grid.CellOfNumber(3), grid.missing_cell()}) {
    EXPECT_NEAR(result[cell], noisy[cell], 20.0) << "only the common shift to the right total";
  }
  EXPECT_LT(result[grid.CellOfNumber(7)], 80.0);
}

// A rare category is never cut off: it keeps the share of its like, within what the noise leaves to see.
TEST(LearnedCounts, KeepRareCategoriesAndBringManyNearerToTheTruth) {
  PublicRandom random(74, "denoise");
  const PublicGrid grid(testing::Categories("code", 1000));
  Shares zipf(1000);
  for (std::size_t i = 0; i < zipf.size(); ++i) zipf[i] = 1000.0 / static_cast<double>(i + 1);
  const Shares even(1000, 7.0);
  Shares few(1000, 0.0);
  few[5] = 4000.0;
  few[500] = 3000.0;
  for (const double sigma : {15.0, 70.0, 200.0}) {
    const Errors many = MeasuredErrors(grid, zipf, sigma, random);
    EXPECT_LT(many.denoised, 0.8 * many.projected) << sigma;
    const Errors alike = MeasuredErrors(grid, even, sigma, random);
    EXPECT_LT(alike.denoised, 0.3 * alike.projected) << sigma;
    const Errors sparse = MeasuredErrors(grid, few, sigma, random);
    EXPECT_LT(sparse.denoised, 1.0 * sparse.projected + 0.01) << sigma;
  }
  Shares noisy = even;
  for (double& count : noisy) count += 70.0 * random.Normal();
  for (const double count : LearnedCounts(noisy, 70.0)) EXPECT_GT(count, 1.0);
}

TEST(LearnedCounts, AreCountsWhateverTheNoisyOnesAre) {
  PublicRandom random(75, "denoise");
  for (const std::size_t size : {1U, 2U, 24U, 4096U}) {
    for (const double scale : {0.0, 1.0, 1e9, 3e38}) {
      for (const double sigma : {1e-45, 1.0, 3e38}) {
        Shares noisy(size);
        for (double& count : noisy) count = scale * random.Normal();
        const double largest = std::max(0.0, *std::max_element(noisy.begin(), noisy.end()));
        for (const double count : LearnedCounts(noisy, sigma)) {
          ASSERT_TRUE(count >= 0.0 && count <= largest * (1.0 + 1e-12)) << size << " " << scale << " " << sigma;
        }
      }
    }
  }
}

TEST(TransformShare, GrowsWithTheColumnsAndShrinksWithTheRowsAndTheBudget) {
  EXPECT_EQ(TransformShare(15, 32561, 1.0, 1.08e-5), kLeastShare);
  EXPECT_NEAR(TransformShare(36, 7284, 1.0, 5.6e-5), 0.16, 0.011);
  EXPECT_EQ(TransformShare(200, 100, 0.1, 1e-5), kMostShare);
  for (const double epsilon : {0.3, 1.0, 3.0, 10.0}) {
    double before = 0.0;
    for (const std::size_t columns : {1U, 10U, 100U, 1000U}) {
      const double share = TransformShare(columns, 5000, epsilon, 1e-5);
      EXPECT_GE(share, before);
      EXPECT_GE(share, kLeastShare);
      EXPECT_LE(share, kMostShare);
      EXPECT_LE(TransformShare(columns, 50000, epsilon, 1e-5), share);
      EXPECT_LE(TransformShare(columns, 5000, 2.0 * epsilon, 1e-5), share);
      before = share;
    }
  }
}

}  // namespace
}  // namespace synod::tabular
