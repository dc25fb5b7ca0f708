#include "models/tabular/segment_average.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "common/query/public_random.h"

namespace synod::tabular {
namespace {

using Values = std::vector<double>;

double SquaredDistance(const Values& a, const Values& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

Values WithNoise(Values counts, double sigma, PublicRandom& random) {
  for (double& count : counts) count += sigma * random.Normal();
  return counts;
}

// The definition: every one of the 2^(n-1) ways to cut, and every choice of a measure for each segment.
Values AverageByForce(const Values& counts, double sigma, const std::vector<Values>& measures) {
  const std::size_t n = counts.size();
  Values sum(n, 0.0);
  double weights = 0.0;
  Values fitted(n);
  const std::function<void(std::size_t, double)> cut = [&](std::size_t first, double log_weight) {
    if (first == n) {
      for (std::size_t i = 0; i < n; ++i) sum[i] += std::exp(log_weight) * fitted[i];
      weights += std::exp(log_weight);
      return;
    }
    for (std::size_t last = first; last < n; ++last) {
      for (const Values& measure : measures) {
        double products = 0.0;
        double squares = 0.0;
        for (std::size_t i = first; i <= last; ++i)
          products += counts[i] * measure[i], squares += measure[i] * measure[i];
        double residual = 0.0;
        for (std::size_t i = first; i <= last; ++i) {
          fitted[i] = products / squares * measure[i];
          residual += (counts[i] - fitted[i]) * (counts[i] - fitted[i]);
        }
        const double prior = -0.5 * std::log(static_cast<double>(n)) - std::log(static_cast<double>(measures.size()));
        cut(last + 1, log_weight + prior - 0.5 * residual / sigma / sigma);
        // Deeper cuts wrote into the cells behind, never into these; another measure writes them again.
      }
    }
  };
  cut(0, 0.0);
  for (double& value : sum) value /= weights;
  return sum;
}

TEST(SegmentAverage, IsTheAverageOverAllWaysToCut) {
  PublicRandom random(61, "segments");
  for (int round = 0; round < 40; ++round) {
    const std::size_t n = 2 + random.IntegerBelow(6);
    const double sigma = 0.5 + 3.0 * random.Uniform();
    std::vector<Values> measures(1 + random.IntegerBelow(2), Values(n));
    for (Values& measure : measures) {
      for (double& width : measure) width = 0.2 + 2.0 * random.Uniform();
    }
    Values counts(n);
    for (double& count : counts) count = 5.0 * random.Normal();
    const Values expected = AverageByForce(counts, sigma, measures);
    EXPECT_LT(SquaredDistance(SegmentAverage(counts, sigma, measures), expected), 1e-18) << round;
  }
}

TEST(SegmentAverage, GivesTheCountsBackWhereTheNoiseIsSmall) {
  PublicRandom random(62, "segments");
  const std::size_t n = 150;
  Values measure(n);
  Values counts(n);
  for (std::size_t i = 0; i < n; ++i) {
    measure[i] = 0.1 + random.Uniform();
    counts[i] = std::floor(5000.0 * random.Uniform());
  }
  const Values result = SegmentAverage(counts, 1e-3, {measure, Values(n, 1.0)});
  for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(result[i], counts[i], 1e-2);
}

TEST(SegmentAverage, DoesNotKnowTheUnitOfTheCounts) {
  PublicRandom random(63, "segments");
  const std::size_t n = 60;
  Values counts(n, 40.0);
  for (std::size_t i = 20; i < 30; ++i) counts[i] = 300.0;
  counts = WithNoise(counts, 20.0, random);
  const std::vector<Values> even = {Values(n, 1.0)};
  const Values base = SegmentAverage(counts, 20.0, even);
  for (const double scale : {1e-6, 1e-3, 1e6}) {
    Values scaled = counts;
    for (double& count : scaled) count *= scale;
    const Values result = SegmentAverage(scaled, 20.0 * scale, {Values(n, 3.0)});
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(result[i], scale * base[i], 1e-6 * scale);
  }
}

TEST(SegmentAverage, FollowsTheMeasureWhereThereIsNothingElse) {
  PublicRandom random(64, "segments");
  const std::size_t n = 100;
  Values measure(n);
  Values truth(n);
  for (std::size_t i = 0; i < n; ++i) {
    measure[i] = i % 3 == 0 ? 0.2 : 1.4;
    truth[i] = 50.0 * measure[i];
  }
  double raw = 0.0;
  double smooth = 0.0;
  for (int round = 0; round < 10; ++round) {
    const Values noisy = WithNoise(truth, 60.0, random);
    raw += SquaredDistance(noisy, truth);
    smooth += SquaredDistance(SegmentAverage(noisy, 60.0, {measure}), truth);
  }
  EXPECT_LT(smooth, 0.25 * raw);
}

// Shapes that columns have, at noise from a tenth of to ten times the mean count: the average is never clearly worse
// than the noisy counts, and where there is structure to use, much better. Fixed seed; the means over 20 rounds would
// miss the stated factors with probability below 1e-6 (they are off by at least six of their own deviations).
TEST(SegmentAverage, IsNeverClearlyWorseThanTheNoisyCountsOnAnyShape) {
  const std::size_t n = 96;
  const auto shape = [&](auto&& density) {
    Values counts(n);
    for (std::size_t i = 0; i < n; ++i) counts[i] = density((static_cast<double>(i) + 0.5) / static_cast<double>(n));
    const double sum = std::accumulate(counts.begin(), counts.end(), 0.0);
    for (double& count : counts) count *= 9600.0 / sum;
    return counts;
  };
  struct Case {
    const char* name;
    Values counts;
    double worst_ratio;  // of squared errors, at any noise
    double noisy_ratio;  // where the noise is as large as the mean count, or larger
  };
  Values spikes = shape([](double x) { return std::exp(-20.0 * (x - 0.5) * (x - 0.5)); });
  spikes[48] += 4000.0;
  spikes[10] += 2500.0;
  Values comb(n, 10.0);
  for (std::size_t i = 0; i < n; i += 5) comb[i] = 460.0;
  const std::vector<Case> cases = {
      {"uniform", shape([](double) { return 1.0; }), 0.35, 0.35},
      {"bell", shape([](double x) { return std::exp(-40.0 * (x - 0.4) * (x - 0.4)); }), 0.9, 0.4},
      {"skewed", shape([](double x) { return std::exp(-8.0 * x); }), 0.9, 0.4},
      {"spikes", spikes, 0.9, 0.45},
      {"comb", comb, 1.25, 1.25},  // every fifth cell: nothing is like its neighbours
  };
  PublicRandom random(65, "segments");
  for (const Case& c : cases) {
    for (const double sigma : {10.0, 30.0, 100.0, 300.0, 1000.0}) {
      double raw = 0.0;
      double smooth = 0.0;
      for (int round = 0; round < 20; ++round) {
        const Values noisy = WithNoise(c.counts, sigma, random);
        raw += SquaredDistance(noisy, c.counts);
        smooth += SquaredDistance(SegmentAverage(noisy, sigma, {Values(n, 1.0)}), c.counts);
      }
      EXPECT_LT(smooth, (sigma >= 100.0 ? c.noisy_ratio : c.worst_ratio) * raw) << c.name << " at " << sigma;
    }
  }
}

TEST(SegmentAverage, StaysFiniteWhateverTheCountsAre) {
  PublicRandom random(66, "segments");
  for (const double size : {0.0, 1e-30, 1.0, 1e12, 3e38}) {
    for (const double sigma : {1e-45, 1e-3, 1.0, 1e9, 3e38}) {
      Values counts(70);
      for (double& count : counts) count = size * random.Normal();
      counts[3] = -size;
      for (const double value : SegmentAverage(counts, sigma, {Values(70, 1.0), Values(70, 1e-3)})) {
        ASSERT_TRUE(std::isfinite(value)) << size << " " << sigma;
      }
    }
  }
}

}  // namespace
}  // namespace synod::tabular
