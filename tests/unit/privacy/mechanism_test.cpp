// Mechanisms beyond the Poisson-sampled Gaussian, against enumeration of all outcomes and closed forms.
#include "common/privacy/mechanism.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "common/privacy/epsilon.h"
#include "common/privacy/integer_noise.h"
#include "common/privacy/loss_atoms.h"
#include "common/privacy/mechanism_rdp.h"
#include "common/privacy/rdp_accountant.h"
#include "common/privacy/truncated_batch.h"
#include "tests/unit/privacy/brute_force.h"

namespace synod {
namespace {

using testing::Outcome;
using testing::Outcomes;

EpsilonBounds BoundsOf(const MechanismUses& uses, double delta, Adjacency adjacency = Adjacency::kAddRemove) {
  const Result<EpsilonBounds> bounds = ComputeEpsilon(uses, delta, adjacency);
  EXPECT_TRUE(bounds.ok()) << bounds.error().message;
  if (!bounds.ok()) return {};
  EXPECT_LE(bounds->lower, bounds->upper);
  EXPECT_LE(bounds->upper, bounds->rdp);
  return *bounds;
}

// delta at the upper bound is at most the target, and just below that bound, as at the lower one, at least the target.
void ExpectBracket(const MechanismUses& uses, double delta, const Outcomes& outcomes, int steps,
                   Adjacency adjacency = Adjacency::kAddRemove) {
  const EpsilonBounds bounds = BoundsOf(uses, delta, adjacency);
  const double at_upper = testing::EnumeratedDelta(outcomes, steps, bounds.upper);
  EXPECT_LE(at_upper, delta * (1.0 + 1e-9));
  EXPECT_GE(testing::EnumeratedDelta(outcomes, steps, bounds.upper * (1.0 - 2e-3) - 1e-6), delta);
  EXPECT_GE(testing::EnumeratedDelta(outcomes, steps, bounds.lower), delta * (1.0 - 1e-9));
}

std::vector<double> DiscreteGaussian(double variance, int reach) {  // masses of -reach .. reach
  std::vector<double> masses;
  double total = 0.0;
  for (int x = -reach; x <= reach; ++x) {
    masses.push_back(std::exp(-0.5 * x * x / variance));
    total += masses.back();
  }
  for (double& mass : masses) mass /= total;
  return masses;
}

std::vector<double> Sum(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> sum(a.size() + b.size() - 1, 0.0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j) sum[i + j] += a[i] * b[j];
  }
  return sum;
}

// Noise with these masses, against the same noise moved by `shift`.
Outcomes Moved(const std::vector<double>& masses, std::size_t shift) {
  Outcomes outcomes;
  for (std::size_t i = 0; i < masses.size() + shift; ++i) {
    outcomes.push_back({i >= shift ? masses[i - shift] : 0.0, i < masses.size() ? masses[i] : 0.0});
  }
  return outcomes;
}

TEST(Mechanisms, StatedGuaranteesComposeAsRandomisedResponse) {
  for (const double epsilon : {0.05, 0.7, 3.0}) {
    const double yes = 1.0 / (1.0 + std::exp(-epsilon));
    for (const int steps : {1, 2, 3, 9}) {
      SCOPED_TRACE(steps);
      ExpectBracket({{StatedGuarantee{epsilon, 0.0}, static_cast<std::uint64_t>(steps)}}, 1e-3,
                    {{yes, 1.0 - yes}, {1.0 - yes, yes}}, steps);
    }
  }
}

TEST(Mechanisms, StatedDeltasAreSpentAndNeverAccountedBelow) {
  const MechanismUses uses = {{StatedGuarantee{0.4, 1e-6}, 3}};
  // Optimal composition (Kairouz, Oh and Viswanath): no delta below 1 - (1 - 1e-6)^3 has a finite epsilon.
  EXPECT_FALSE(ComputeEpsilon(uses, 2.9e-6, Adjacency::kAddRemove).ok());
  const double yes = (1.0 - 1e-6) / (1.0 + std::exp(-0.4));
  const double no = 1.0 - 1e-6 - yes;
  ExpectBracket(uses, 1e-4, {{yes, no}, {no, yes}, {1e-6, 0.0}, {0.0, 1e-6}}, 3);
  EXPECT_GE(BoundsOf(uses, 3.01e-6).upper, 1.19);
}

TEST(Mechanisms, GeometricNoiseMatchesEnumeration) {
  std::vector<double> masses;
  for (int x = -150; x <= 150; ++x) masses.push_back(std::tanh(0.15) * std::exp(-0.3 * std::abs(x)));
  for (const std::uint64_t sensitivity : {1U, 4U}) {
    for (const int steps : {1, 2}) {
      const MechanismUses uses = {{GeometricMechanism{0.3, sensitivity}, static_cast<std::uint64_t>(steps)}};
      ExpectBracket(uses, 1e-2, Moved(masses, sensitivity), steps);
      ExpectBracket(uses, 1e-2, Moved(masses, 2 * sensitivity), steps, Adjacency::kReplaceOne);
    }
  }
}

TEST(Mechanisms, LaplaceHasItsClosedFormAndItsRenyiDivergence) {
  for (const double scale : {0.4, 1.0, 5.0}) {
    for (const double delta : {1e-6, 1e-2}) {
      const double exact = std::max(0.0, 1.0 / scale + 2.0 * std::log1p(-delta));
      const EpsilonBounds bounds = BoundsOf({{LaplaceMechanism{scale}, 1}}, delta);
      EXPECT_GE(bounds.upper, exact * (1.0 - 1e-12));
      EXPECT_LE(bounds.upper, exact * (1.0 + 1e-3));
      EXPECT_LE(bounds.lower, exact * (1.0 + 1e-12));
      EXPECT_GE(bounds.lower, 0.98 * exact);
    }
    // Quadrature of the divergence of two Laplace densities one sensitivity apart.
    for (const double order : {1.5, 4.0, 30.0}) {
      double moment = 0.0;
      const double step = 1e-4 * scale;
      for (double x = -40.0 * scale; x < 40.0 * scale + 1.0; x += step) {
        const double middle = x + 0.5 * step;
        const double loss = (std::abs(middle - 1.0) - std::abs(middle)) / scale;
        moment += step * std::exp(-std::abs(middle - 1.0) / scale + order * loss) / (2.0 * scale);
      }
      const Result<double> ours = RdpAtOrder({{LaplaceMechanism{scale}, 1}}, order, Adjacency::kAddRemove);
      ASSERT_TRUE(ours.ok());
      EXPECT_NEAR(*ours / (std::log(moment) / (order - 1.0)), 1.0, 1e-5) << scale << " " << order;
    }
  }
}

TEST(Mechanisms, TwoLaplaceAnswersMatchEnumerationOfFineCells) {
  // Cells of outcomes merged into one are what a lower bound may do: the enumerated delta is just below the truth.
  const double scale = 2.0;
  const double step = 2e-3;
  Outcomes outcomes = {{0.5, 0.5 * std::exp(-1.0 / scale)}, {0.5 * std::exp(-1.0 / scale), 0.5}};
  for (double x = 0.0; x < 1.0 - 0.5 * step; x += step) {
    const auto mass = [&](double from, double to) { return 0.5 * (std::exp(-from / scale) - std::exp(-to / scale)); };
    outcomes.push_back({mass(x, x + step), mass(1.0 - x - step, 1.0 - x)});
  }
  const EpsilonBounds bounds = BoundsOf({{LaplaceMechanism{scale}, 2}}, 1e-2);
  EXPECT_LE(testing::EnumeratedDelta(outcomes, 2, bounds.upper), 1e-2);
  EXPECT_GE(testing::EnumeratedDelta(outcomes, 2, bounds.upper), 0.99e-2);
  EXPECT_GE(testing::EnumeratedDelta(outcomes, 2, bounds.lower), 1e-2 * (1.0 - 1e-4));
}

TEST(Mechanisms, SumsOfDiscreteGaussiansMatchEnumeration) {
  for (const double variance : {0.25, 1.0, 4.0}) {
    const std::vector<double> share = DiscreteGaussian(variance, 24);
    std::vector<double> total = share;
    for (std::uint64_t shares = 1; shares <= 3; ++shares) {
      SCOPED_TRACE(variance);
      for (const int steps : {1, 2}) {
        ExpectBracket({{DiscreteGaussianSum{shares, variance, 1.0, 1}, static_cast<std::uint64_t>(steps)}}, 1e-4,
                      Moved(total, 1), steps);
      }
      total = Sum(total, share);
    }
  }
  ExpectBracket({{DiscreteGaussianSum{1, 9.0, 2.0, 1}, 1}}, 1e-5, Moved(DiscreteGaussian(9.0, 60), 4), 1,
                Adjacency::kReplaceOne);
}

TEST(Mechanisms, SkellamNoiseMatchesTheDifferenceOfTwoPoissons) {
  for (const double variance : {2.0, 30.0}) {
    std::vector<double> poisson;
    for (int k = 0; k <= 80; ++k)
      poisson.push_back(std::exp(k * std::log(0.5 * variance) - 0.5 * variance - std::lgamma(k + 1.0)));
    const std::vector<double> mirrored(poisson.rbegin(), poisson.rend());
    const std::vector<double> skellam = Sum(poisson, mirrored);
    for (const int steps : {1, 2}) {
      ExpectBracket({{SkellamSum{variance, 1.0, 1}, static_cast<std::uint64_t>(steps)}}, 1e-4, Moved(skellam, 1),
                    steps);
    }
    const Result<IntegerNoise> noise = SkellamNoise(variance, 3, 1e-12);
    ASSERT_TRUE(noise.ok());
    for (std::size_t x = 0; x < 12; ++x) EXPECT_NEAR(std::exp(noise->log_mass[x]) / skellam[80 + x], 1.0, 1e-11);
  }
}

TEST(Mechanisms, MassesOfIntegerNoiseAddUpToOneAndTheTailsBoundThem) {
  const Result<IntegerNoise> gaussian = DiscreteGaussianNoise(50.0, 5, 1e-15);
  const Result<IntegerNoise> sum = ConvolvedDiscreteGaussianNoise(0.7, 20, 5, 1e-15);
  const Result<IntegerNoise> skellam = SkellamNoise(17.0, 5, 1e-15);
  for (const auto* noise : {&gaussian, &sum, &skellam}) {
    ASSERT_TRUE(noise->ok());
    double total = std::exp((*noise)->log_mass[0]);
    for (std::size_t x = 1; x < (*noise)->log_mass.size(); ++x) total += 2.0 * std::exp((*noise)->log_mass[x]);
    EXPECT_NEAR(total, 1.0, 1e-12);
    EXPECT_LT((*noise)->error, 1e-9);
    double beyond = 0.0;
    for (std::size_t x = 11; x < (*noise)->log_mass.size(); ++x) beyond += std::exp((*noise)->log_mass[x]);
    EXPECT_GE((*noise)->Tail(10), beyond);
    EXPECT_LE((*noise)->Tail(10), beyond * (1.0 + 1e-6));
  }
  EXPECT_FALSE(DiscreteGaussianNoise(1e16, 1, 1e-15).ok());  // too many masses: an error, not a wait
  EXPECT_FALSE(DiscreteGaussianNoise(1.0, 500, 1e-15).ok());
}

TEST(Mechanisms, WideSharesAreTheDiscreteGaussianOfTheirTotalVariance) {
  // The account of wide shares rests on this: convolve shares that the account would not.
  const Result<IntegerNoise> convolved = ConvolvedDiscreteGaussianNoise(5.0, 6, 2, 1e-18);
  const Result<IntegerNoise> direct = DiscreteGaussianNoise(30.0, 2, 1e-18);
  ASSERT_TRUE(convolved.ok() && direct.ok());
  EXPECT_LT(DiscreteGaussianSumTau(6, 5.0), 1e-19);
  for (std::size_t x = 0; x < direct->log_mass.size(); ++x) {
    EXPECT_NEAR(convolved->log_mass[x], direct->log_mass[x], convolved->error + direct->error + 1e-12) << x;
  }
}

TEST(Mechanisms, TreesAreTheGaussianSumsOfTheirNodes) {
  const EpsilonBounds tree = BoundsOf({{TreeGaussianMechanism{6.0, 1000}, 5}}, 1e-5, Adjacency::kZeroOut);
  EXPECT_NEAR(tree.upper, GaussianEpsilon(std::sqrt(50.0) / 6.0, 1e-5), 1e-9);  // 1001 leaves: ten nodes each
  const EpsilonBounds one = BoundsOf({{TreeGaussianMechanism{6.0, 1}, 1}}, 1e-5, Adjacency::kZeroOut);
  EXPECT_NEAR(one.upper, GaussianEpsilon(1.0 / 6.0, 1e-5), 1e-9);
}

TEST(Mechanisms, ATruncatedBatchFollowsItsTwoCases) {
  // All sets of other units, counted by their number.
  const TruncatedGaussianMechanism mechanism = {0.3, 2.0, 12, 5};
  double probability = 0.0;
  double drawn = 0.0;
  double choose = 1.0;
  for (int k = 0; k <= 11; ++k) {
    const double mass = choose * std::pow(0.3, k) * std::pow(0.7, 11 - k);
    if (k >= 5) {
      probability += mass;
      drawn += mass * 0.3 * 5.0 / (k + 1.0);
    }
    choose = choose * (11 - k) / (k + 1.0);
  }
  const TruncatedBatch batch = TruncatedBatchOf(mechanism);
  EXPECT_NEAR(batch.probability / probability, 1.0, 1e-12);
  EXPECT_GE(batch.sampling_rate, drawn / probability);
  EXPECT_NEAR(batch.sampling_rate * probability / drawn, 1.0, 1e-8);
  EXPECT_EQ(batch.noise_multiplier, 1.0);
}

TEST(Mechanisms, ALowerCapOnTheBatchCostsMoreAndAHighOneNothing) {
  const auto upper = [](std::uint64_t max_batch) {
    return BoundsOf({{TruncatedGaussianMechanism{0.01, 1.0, 5000, max_batch}, 300}}, 1e-5).upper;
  };
  const double plain = BoundsOf({{GaussianMechanism{0.01, 1.0}, 300}}, 1e-5).upper;
  EXPECT_NEAR(upper(5000), plain, 1e-9);
  EXPECT_NEAR(upper(120) / plain, 1.0, 1e-2);
  EXPECT_GT(upper(75), 1.05 * plain);
  EXPECT_GT(upper(65), upper(75));
}

TEST(Mechanisms, AFixedBatchFollowsTheTheoremWhereItsAlternatingSumsAreExact) {
  const double noise = 0.9;  // of a replacement
  const double rate = 0.02;
  const auto moment = [noise](double x) { return std::exp(0.5 * x * (x + 1.0) / (noise * noise)); };
  const auto choose = [](int n, int k) {
    double value = 1.0;
    for (int i = 1; i <= k; ++i) value = value * (n - k + i) / i;
    return value;
  };
  const auto central = [&](int l) {
    double sum = 0.0;
    for (int i = 0; i <= l; ++i) sum += (i % 2 == 0 ? 1.0 : -1.0) * choose(l, i) * moment(i - 1.0);
    return sum;
  };
  const RdpCurve curve = FixedBatchRdp(rate, noise);
  for (const int order : {2, 3, 5, 8}) {
    double sum = 1.0 + choose(order, 2) * rate * rate * std::min(4.0 * (moment(1.0) - 1.0), 2.0 * moment(1.0));
    for (int j = 3; j <= order; ++j) {
      const double paired = 4.0 * std::sqrt(central(j - j % 2) * central(j + j % 2));
      sum += choose(order, j) * std::pow(rate, j) * std::min(paired, 2.0 * moment(j - 1.0));
    }
    EXPECT_NEAR(curve(order) / (std::log(sum) / (order - 1.0)), 1.0, 1e-8) << order;
  }
  EXPECT_GT(curve(2.5), curve(2.0));
  EXPECT_LT(1.5 * curve(2.5), 0.5 * (1.0 * curve(2.0) + 2.0 * curve(3.0)) * (1.0 + 1e-12));
  EXPECT_LE(curve(5000.0), 0.5 * 5000.0 / (noise * noise));
}

TEST(Mechanisms, ALedgerOfSeveralKindsCostsMoreThanItsPartsAndLessThanTheirSum) {
  const MechanismUses training = {{GaussianMechanism{0.02, 1.5}, 200}};
  const MechanismUses noise = {
      {LaplaceMechanism{8.0}, 4}, {GeometricMechanism{0.1, 1}, 2}, {StatedGuarantee{0.1, 1e-8}, 1}};
  MechanismUses all = training;
  all.insert(all.end(), noise.begin(), noise.end());
  all.push_back({SkellamSum{400.0, 2.0, 1}, 3});
  const double first = BoundsOf(training, 1e-5).upper;
  const double second = BoundsOf(noise, 1e-5).upper;
  const EpsilonBounds both = BoundsOf(all, 1e-5);
  EXPECT_GT(both.lower, std::max(first, second));
  EXPECT_LT(both.upper, first + second + BoundsOf({{SkellamSum{400.0, 2.0, 1}, 3}}, 1e-5).upper);
}

TEST(Mechanisms, CountsAreWhatRepeatedEntriesAre) {
  for (const Mechanism& mechanism :
       {Mechanism(LaplaceMechanism{3.0}), Mechanism(StatedGuarantee{0.2, 1e-9}), Mechanism(GeometricMechanism{0.2, 2}),
        Mechanism(SkellamSum{50.0, 1.0, 1}), Mechanism(DiscreteGaussianSum{3, 20.0, 3.5, 16})}) {
    MechanismUses repeated(7, MechanismUse{mechanism, 1});
    EXPECT_EQ(BoundsOf(repeated, 1e-5).upper, BoundsOf({{mechanism, 7}}, 1e-5).upper) << MechanismName(mechanism);
    EXPECT_GT(BoundsOf({{mechanism, 8}}, 1e-5).upper, BoundsOf({{mechanism, 7}}, 1e-5).upper);
  }
}

TEST(Mechanisms, WhatHasNoProvenAccountIsAnErrorEverywhere) {
  const auto refused = [](const Mechanism& mechanism, Adjacency adjacency, unsigned sites) {
    const MechanismUses uses = {{mechanism, 1}};
    return !ComputeEpsilon(uses, 1e-5, adjacency, sites).ok() && !RdpAtOrder(uses, 2.0, adjacency, sites).ok() &&
           !RdpEpsilon(uses, 1e-5, adjacency, sites).ok();
  };
  EXPECT_TRUE(refused(TreeGaussianMechanism{6.0, 10}, Adjacency::kAddRemove, 1));
  EXPECT_TRUE(refused(TruncatedGaussianMechanism{0.1, 1.0, 10, 5}, Adjacency::kReplaceOne, 1));
  EXPECT_TRUE(refused(FixedBatchGaussianMechanism{10, 5, 1.0}, Adjacency::kAddRemove, 1));
  EXPECT_TRUE(refused(LaplaceMechanism{1.0}, Adjacency::kAddRemove, 2));
  EXPECT_TRUE(refused(GaussianMechanism{0.1, 1.0}, Adjacency::kReplaceOne, 2));
  EXPECT_TRUE(refused(LaplaceMechanism{std::nan("")}, Adjacency::kAddRemove, 1));
  EXPECT_TRUE(refused(StatedGuarantee{0.1, 1.0}, Adjacency::kAddRemove, 1));
  EXPECT_TRUE(refused(DiscreteGaussianSum{2, 4.0, 0.5, 1}, Adjacency::kAddRemove, 1));
}

TEST(Mechanisms, RandomlyRoundedNormsAreWithinBothOfTheirBounds) {
  EXPECT_NEAR(RandomlyRoundedNorm(1e4, 1U << 20, std::exp(-0.5)), 10013.62351998516, 1e-6);
  EXPECT_LE(RandomlyRoundedNorm(2.0, 1U << 20, 1e-300), 2.0 + 1024.0);
}

}  // namespace
}  // namespace synod
