#include "common/privacy/rdp_accountant.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/privacy/epsilon.h"

namespace synod {
namespace {

// The binomial sum of Mironov, Talwar and Zhang for integer orders, with the terms k = 0, 1 folded into expm1.
double IntegerOrderRdp(double q, double z, int order) {
  long double sum = 0.0L;
  for (int k = 2; k <= order; ++k) {
    const long double log_term = std::lgamma(order + 1.0L) - std::lgamma(k + 1.0L) - std::lgamma(order - k + 1.0L) +
                                 (order - k) * std::log1p(-static_cast<long double>(q)) +
                                 k * std::log(static_cast<long double>(q));
    const long double exponent = (static_cast<long double>(k) * k - k) / (2.0L * z * z);
    sum += std::exp(log_term) * std::expm1(exponent);
  }
  return static_cast<double>(std::log1p(sum) / (order - 1));
}

double Rdp(const PrivacyEvents& events, double order, Adjacency adjacency = Adjacency::kAddRemove, unsigned sites = 1) {
  const Result<double> rdp = RdpAtOrder(events, order, adjacency, sites);
  EXPECT_TRUE(rdp.ok());
  return rdp.ok() ? *rdp : -1.0;
}

TEST(Rdp, EqualsTheBinomialSumAtIntegerOrders) {
  for (const double q : {1e-4, 0.01, 0.3, 0.9}) {
    for (const double z : {0.4, 1.0, 3.0, 20.0}) {
      for (const int order : {2, 3, 5, 16, 64}) {
        const double exact = IntegerOrderRdp(q, z, order);
        if (!std::isfinite(exact)) continue;
        const double ours = Rdp({{q, z, 1}}, order);
        EXPECT_NEAR(ours / exact, 1.0, 3e-9) << q << " " << z << " " << order;
        EXPECT_GE(ours, exact) << q << " " << z << " " << order;
      }
    }
  }
}

TEST(Rdp, IsContinuousAndIncreasingBetweenIntegerOrders) {
  double last = 0.0;
  for (double order = 1.01; order < 12.0; order += 0.07) {
    const double rdp = Rdp({{0.02, 0.8, 1}}, order);
    EXPECT_GT(rdp, last);
    last = rdp;
  }
  EXPECT_NEAR(Rdp({{0.02, 0.8, 1}}, 3.0 + 1e-9) / Rdp({{0.02, 0.8, 1}}, 3.0), 1.0, 1e-7);
}

TEST(Rdp, OfAFullBatchIsTheGaussianOne) {
  EXPECT_DOUBLE_EQ(Rdp({{1.0, 4.0, 10}}, 3.0), 10.0 * 3.0 / 32.0);
  EXPECT_DOUBLE_EQ(Rdp({{1.0, 4.0, 10}}, 3.0, Adjacency::kReplaceOne), 10.0 * 4.0 * 3.0 / 32.0);
  EXPECT_DOUBLE_EQ(Rdp({{1.0, 4.0, 10}}, 3.0, Adjacency::kAddRemove, 3), 10.0 * 9.0 * 3.0 / 32.0);
}

TEST(Rdp, NeverExceedsTheFullBatchAndGrowsWithTheRate) {
  for (const double order : {1.2, 4.0, 40.0, 900.0}) {
    double last = 0.0;
    for (const double q : {1e-6, 1e-3, 0.1, 0.6, 0.999}) {
      const double rdp = Rdp({{q, 1.3, 1}}, order);
      EXPECT_GT(rdp, last);
      EXPECT_LE(rdp, Rdp({{1.0, 1.3, 1}}, order));
      last = rdp;
    }
  }
}

TEST(Rdp, OfOneRecordAtMoreSitesIsLarger) {
  const double one = Rdp({{0.01, 1.0, 1}}, 6.0);
  const double two = Rdp({{0.01, 1.0, 1}}, 6.0, Adjacency::kAddRemove, 2);
  const double three = Rdp({{0.01, 1.0, 1}}, 6.0, Adjacency::kAddRemove, 3);
  EXPECT_GT(two, 2.0 * one);
  EXPECT_GT(three, two);
  EXPECT_LE(three, Rdp({{0.01, 1.0 / 3.0, 1}}, 6.0));
}

TEST(Rdp, OfNothingIsZero) {
  EXPECT_EQ(Rdp({}, 2.0), 0.0);
  EXPECT_EQ(Rdp({{0.0, 1.0, 1000}, {0.5, 1.0, 0}}, 2.0), 0.0);
}

TEST(Rdp, ConversionIsTheImprovedOneAndNeverNegative) {
  EXPECT_NEAR(EpsilonFromRdp(1.0, 5.0, 1e-5), 1.0 + std::log(0.8) - (std::log(1e-5) + std::log(5.0)) / 4.0, 1e-15);
  EXPECT_EQ(EpsilonFromRdp(1e-13, 2.0, 1e-3), 0.0);
}

TEST(Rdp, SearchFindsAnOrderAtLeastAsGoodAsAnyOther) {
  const PrivacyEvents events = {{0.01, 1.0, 1000}};
  const Result<RdpBound> best = RdpEpsilon(events, 1e-5);
  ASSERT_TRUE(best.ok());
  for (double order = 1.1; order < 200.0; order *= 1.05) {
    EXPECT_LE(best->epsilon, EpsilonFromRdp(Rdp(events, order), order, 1e-5) * (1.0 + 1e-9)) << order;
  }
  EXPECT_NEAR(best->order, 7.8, 0.2);
}

TEST(Rdp, SearchReachesHugeOrdersWhenEpsilonIsTiny) {
  const Result<RdpBound> best = RdpEpsilon({{1.0, 2000.0, 1}}, 1e-6);
  ASSERT_TRUE(best.ok());
  EXPECT_GT(best->order, 1000.0);
  EXPECT_LT(best->epsilon, 2.0 * GaussianEpsilon(1.0 / 2000.0, 1e-6));
}

TEST(Rdp, RefusesWhatItCannotAccount) {
  EXPECT_FALSE(RdpAtOrder({{0.5, 1.0, 1}}, 1.0).ok());
  EXPECT_FALSE(RdpAtOrder({{0.5, 1.0, 1}}, std::nan("")).ok());
  EXPECT_FALSE(RdpEpsilon({{0.5, 1.0, 1}}, 0.0).ok());
  EXPECT_FALSE(RdpEpsilon({{0.5, 1.0, 1}}, 1e-5, Adjacency::kReplaceOne, 2).ok());
  EXPECT_FALSE(RdpEpsilon({{0.5, 1.0, 1}}, 1e-5, Adjacency::kAddRemove, 0).ok());
}

}  // namespace
}  // namespace synod
