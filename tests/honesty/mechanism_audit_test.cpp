// An audit of the path that every answer takes: ClippedSummer, Grid, NoiseShare, SumAccumulator, decode. The attacker
// is the plan's own: the coordinator with one colluding site. Three of four sites answer (the quorum), the colluder's
// share is taken off, and h = 2 shares protect a unit. It sees 100,000 releases of two neighbouring data sets.
//
// False alarms: the streams are fixed, so nothing fails by chance from run to run. Over the choice of the streams a
// mechanism that is exactly at its claim is flagged with probability at most 1e-3 (AuditGaussian); the true one is
// about 1 % better than its claim (rounding and float error, which no input reaches), far more than that bound needs.
#include <gtest/gtest.h>

#include <cmath>

#include "common/privacy/epsilon.h"
#include "common/privacy/noise_arithmetic.h"
#include "common/query/clipped_summer.h"
#include "common/query/noise_share.h"
#include "common/query/sum_accumulator.h"
#include "tests/honesty/audit.h"
#include "tests/honesty/integers.h"
#include "tests/support/seeded_streams.h"

namespace synod::honesty {
namespace {

constexpr double kDelta = 1e-5;
constexpr double kAlpha = 1e-3;
constexpr double kMultiplier = 1.0;
constexpr std::uint64_t kDimension = 4;
constexpr std::uint32_t kSites = 4;         // N
constexpr std::uint32_t kHonestShares = 2;  // h = quorum - c = 3 - 1

// The unit of the attack points in the direction (1, 1, 1, 1) / 2.
Row Pointing(double length) {
  return Row(kDimension, static_cast<float>(0.5 * length));
}

enum class Clip { kEachUnit, kTheSum };

struct Mechanism {
  std::uint64_t site_variance = 0;
  Clip clip = Clip::kEachUnit;
};

struct Claim {
  Grid grid = PlanGrid(1.0, kDimension);
  // V of the plan for the multiplier, and what one answer is accounted as.
  std::uint64_t site_variance = SiteVariance(kMultiplier, grid.sensitivity(), kHonestShares).value();
  double accounted = NoiseShare::Make(grid, site_variance, kHonestShares).value().accounted_multiplier();

  double epsilon() const { return ComputeEpsilon({{1.0, accounted, 1}}, kDelta).value().upper; }
};

// Site 0 has the unit or has it not, beside others of its own.
class Federation {
 public:
  Federation(const Claim& claim, const Mechanism& mechanism)
      : grid_(claim.grid),
        share_(NoiseShare::Make(grid_, mechanism.site_variance, kHonestShares).value()),
        clip_(mechanism.clip) {
    for (std::uint32_t site = 0; site < kHonestShares; ++site) {
      testing::SeededStreams streams(20'221, std::string("site-") + static_cast<char>('a' + site));
      noise_.push_back(streams.ForAttempt("synod.noise", {}));
    }
  }

  // One release, as the length of the noisy sum along the attacked direction.
  double Release(bool with) {
    SumAccumulator total(grid_, WordBits::k32);
    for (std::uint32_t site = 0; site < kHonestShares; ++site) {
      total.Add(share_.Add(grid_.Encode(SumOfSite(site, with)), noise_[site]));
    }
    const NoisySum noisy = std::move(total).Finish();
    double along = 0.0;
    for (const double value : noisy.values()) along += 0.5 * value;
    return along;
  }

 private:
  // Gradients before the clip: ten units of length 1 and the one that is asked about, of length 1,000 the other way.
  ClippedSum SumOfSite(std::uint32_t site, bool with) const {
    std::vector<Row> rows(site == 0 ? 10 : 1, Pointing(1.0));
    if (site == 0 && with) rows.push_back(Pointing(-1000.0));
    Row sum(kDimension);
    for (const Row& row : rows) AddTo(sum, clip_ == Clip::kEachUnit ? ClippedTo(row, grid_.clip()) : row);
    if (clip_ == Clip::kTheSum) sum = ClippedTo(sum, grid_.clip());
    ClippedSummer summer(kDimension, grid_.clip());
    summer.AddBlock(sum, static_cast<std::uint32_t>(rows.size()));
    return std::move(summer).Finish();
  }

  Grid grid_;
  NoiseShare share_;
  Clip clip_;
  std::vector<SecretRandom> noise_;  // every share forks a fresh stream of its site's
};

AuditBound Audit(const Claim& claim, const Mechanism& mechanism, std::size_t releases) {
  Federation federation(claim, mechanism);
  return AuditGaussian([&](bool with) { return federation.Release(with); }, releases, kAlpha, kDelta);
}

TEST(MechanismAudit, ProvesAtLeastHalfOfTheClaimAndNeverMoreThanTheClaim) {
  const Claim claim;
  const AuditBound bound = Audit(claim, {claim.site_variance, Clip::kEachUnit}, 50'000);
  EXPECT_LE(bound.epsilon_lower, claim.epsilon());
  EXPECT_GE(bound.epsilon_lower, 0.5 * claim.epsilon()) << "the audit has no power";
  // What this audit is worth: with 50,000 releases a side it comes within a tenth of the claim.
  EXPECT_GE(bound.epsilon_lower, 0.9 * claim.epsilon());
  RecordProperty("claimed", std::to_string(claim.epsilon()));
  RecordProperty("proven", std::to_string(bound.epsilon_lower));
}

// The planted bugs are far outside: 10,000 releases a side leave mu uncertain by about 5 %.
constexpr std::size_t kForBugs = 10'000;

TEST(MechanismAudit, FlagsNoiseThatIsShortByTheRootOfTwo) {
  const Claim claim;
  EXPECT_GT(Audit(claim, {claim.site_variance / 2, Clip::kEachUnit}, kForBugs).epsilon_lower, claim.epsilon());
}

TEST(MechanismAudit, FlagsSharesOfSigmaOverTheNumberOfSites) {
  const Claim claim;
  const std::uint64_t total = claim.site_variance * kHonestShares;
  EXPECT_GT(Audit(claim, {total / (kSites * kSites), Clip::kEachUnit}, kForBugs).epsilon_lower, claim.epsilon());
  // The milder mistake: shares that would do if all four sites were honest and answered.
  EXPECT_GT(Audit(claim, {total / kSites, Clip::kEachUnit}, kForBugs).epsilon_lower, claim.epsilon());
}

TEST(MechanismAudit, FlagsAClipAfterTheSum) {
  const Claim claim;
  EXPECT_GT(Audit(claim, {claim.site_variance, Clip::kTheSum}, kForBugs).epsilon_lower, claim.epsilon());
}

// The audit itself: on plain Gaussian numbers it is right as often as it says, and not needlessly careful.
TEST(AuditGaussian, IsBelowTheTruthAndCloseToIt) {
  SecretRandom random = testing::SeededStreams(20'222, "plain").ForAttempt("numbers", {});
  const auto uniform = [&] { return (static_cast<double>(random.NextWord64() >> 11) + 0.5) * 0x1p-53; };
  const auto normal = [&] {
    return std::sqrt(-2.0 * std::log(uniform())) * std::cos(2.0 * 3.14159265358979323846 * uniform());
  };
  constexpr double kMu = 0.7;
  constexpr int kAudits = 2'000;
  int above = 0;
  for (int i = 0; i < kAudits; ++i) {
    const auto release = [&](bool with) { return 3.0 + normal() + (with ? kMu : 0.0); };
    above += AuditGaussian(release, 200, 0.1, kDelta).mu_lower > kMu ? 1 : 0;
  }
  // At most 10 % of 2,000 may be above; 6 standard deviations on top: a false alarm of 1e-9.
  EXPECT_LE(above, 200 + 6 * 14);
  const auto release = [&](bool with) { return normal() + (with ? kMu : 0.0); };
  const AuditBound bound = AuditGaussian(release, 100'000, kAlpha, kDelta);
  EXPECT_GT(bound.mu_lower, 0.96 * kMu);
  EXPECT_EQ(AuditGaussian([&](bool) { return normal(); }, 1'000, kAlpha, kDelta).epsilon_lower, 0.0);
}

}  // namespace
}  // namespace synod::honesty
