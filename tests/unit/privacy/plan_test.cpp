// The plan: its rules, its bytes, its noise.
#include "common/privacy/plan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "common/core/hex.h"
#include "common/privacy/noise_arithmetic.h"
#include "common/privacy/plan_explain.h"
#include "common/privacy/plan_readings.h"
#include "common/privacy/plan_resolve.h"
#include "common/privacy/stated_epsilon.h"
#include "tests/unit/privacy/plan_fixture.h"

namespace synod {
namespace {

Plan SmallPlan() {
  static const Plan plan = [] {
    Result<Plan> resolved = ResolvePlan(testing::SmallPlanRequest());
    EXPECT_TRUE(resolved.ok()) << (resolved.ok() ? "" : resolved.error().message);
    return *resolved;
  }();
  return plan;
}

bool RefusesFacts(const std::function<void(PlanFacts&)>& change) {
  PlanFacts facts = SmallPlan().facts();
  change(facts);
  return !Plan::Create(facts, SmallPlan().entries()).ok();
}

bool RefusesEntry(const std::function<void(PlanEntry&)>& change) {
  std::vector<PlanEntry> entries = SmallPlan().entries();
  change(entries[1]);
  return !Plan::Create(SmallPlan().facts(), entries).ok();
}

TEST(Plan, MeetsItsTargetWithinATenthOfAPerCentAndNeverAboveIt) {
  const Result<EpsilonBounds> epsilon = PlanEpsilon(SmallPlan());
  ASSERT_TRUE(epsilon.ok());
  EXPECT_LE(epsilon->upper, 3.0);
  EXPECT_GE(epsilon->upper, 3.0 * 0.999);
  EXPECT_EQ(SmallPlan().honest_shares(), 2u);
}

TEST(Plan, CountsRetriesInItsEpsilon) {
  const Plan plan = SmallPlan();
  EXPECT_EQ(plan.entries()[0].retries, 1u);
  EXPECT_EQ(plan.entries()[1].retries, 3u);
  EXPECT_EQ(plan.Events(2)[1].count, 53u);
  EXPECT_EQ(plan.Events(2, false)[1].count, 50u);
  EXPECT_EQ(DefaultRetries(QueryKind::kGradient, 1000), 20u);
  EXPECT_EQ(DefaultRetries(QueryKind::kGradient, 1001), 21u);
  EXPECT_EQ(DefaultRetries(QueryKind::kHistogram, 1000), 1u);
}

TEST(Plan, GivesFullSampleEntriesTheirShareOverAllTheirAnswers) {
  const Plan plan = SmallPlan();
  const PrivacyEvent event = plan.Events(plan.honest_shares())[0];
  const double mu = std::sqrt(static_cast<double>(event.count)) / event.noise_multiplier;
  const double budget = std::sqrt(0.1) * GaussianMu(3.0, 1e-5);
  EXPECT_LE(mu, budget);
  EXPECT_GE(mu, budget * 0.999);
}

TEST(Plan, AccountsASubjectAtSeveralSites) {
  PlanRequest request = testing::SmallPlanRequest();
  request.facts.max_sites_per_subject = 2;
  const Result<Plan> plan = ResolvePlan(request);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_GT(plan->entries()[1].site_variance, SmallPlan().entries()[1].site_variance);
  const Result<EpsilonBounds> epsilon = PlanEpsilon(*plan);
  ASSERT_TRUE(epsilon.ok());
  EXPECT_LE(epsilon->upper, 3.0);
  EXPECT_GE(epsilon->upper, 3.0 * 0.999);
}

TEST(Plan, ReadsEpsilonLowerThePublicAndHigherForOneShareAlone) {
  const Result<std::vector<ReadingEpsilons>> readings = ComputeReadings(SmallPlan());
  ASSERT_TRUE(readings.ok());
  EXPECT_EQ((*readings)[0].shares, 2u);
  EXPECT_EQ((*readings)[1].shares, 3u);
  EXPECT_EQ((*readings)[2].shares, 1u);
  EXPECT_LT((*readings)[1].by_sites[0].upper, (*readings)[0].by_sites[0].upper);
  EXPECT_GT((*readings)[2].by_sites[0].upper, (*readings)[0].by_sites[0].upper);
  for (const ReadingEpsilons& reading : *readings) {
    EXPECT_LT(reading.by_sites[0].upper, reading.by_sites[1].upper);
    EXPECT_LT(reading.by_sites[1].upper, reading.by_sites[2].upper);
    EXPECT_LE(reading.by_sites[0].lower, reading.by_sites[0].upper);
  }
}

TEST(Plan, ReadsOneShareAloneAlsoWhereManySitesShareTheNoise) {
  PlanRequest request = testing::SmallPlanRequest();
  request.facts.roster.clear();
  for (int i = 0; i < 60; ++i) request.facts.roster.push_back({"site-" + std::to_string(100 + i), {}});
  request.facts.quorum = 58;
  request.facts.threshold = 40;
  request.facts.epsilon_target = 8.0;
  request.entries[1].count = 2000;
  const Result<Plan> plan = ResolvePlan(request);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const Result<std::vector<ReadingEpsilons>> readings = ComputeReadings(*plan);
  ASSERT_TRUE(readings.ok()) << readings.error().message;
  EXPECT_LE((*readings)[0].by_sites[0].upper, 8.0);
  EXPECT_GT((*readings)[2].by_sites[0].upper, 100.0);
  EXPECT_LE((*readings)[2].by_sites[2].lower, (*readings)[2].by_sites[2].upper);
}

TEST(Plan, SurvivesItsOwnBytes) {
  const Plan plan = SmallPlan();
  const Result<Plan> again = Plan::FromCanonicalText(plan.CanonicalText());
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, plan);
  EXPECT_EQ(again->Hash(), plan.Hash());
  EXPECT_EQ(plan.CanonicalText().substr(0, 13), "synod.plan/1\n");
}

TEST(Plan, HashesEveryFieldOfItsJson) {
  const Plan plan = SmallPlan();
  const Json json = plan.ToJson();
  const auto changed = [](const Json& value) -> Json {
    if (value.is_string()) return value.get<std::string>() + "x";
    if (value.is_number_float()) return value.get<double>() * 2;
    if (value.is_number()) return value.get<std::uint64_t>() + 1;
    return Json::array();
  };
  for (const auto& [key, value] : json.items()) {
    Json other = json;
    other[key] = changed(value);
    const Result<Plan> parsed = Plan::FromJson(other);
    if (parsed.ok()) {
      EXPECT_NE(parsed->Hash(), plan.Hash()) << key;
    }
  }
  for (const auto& [key, value] : json["entries"][1].items()) {
    Json other = json;
    other["entries"][1][key] = changed(value);
    const Result<Plan> parsed = Plan::FromJson(other);
    if (parsed.ok()) {
      EXPECT_NE(parsed->Hash(), plan.Hash()) << key;
    }
  }
}

TEST(Plan, RefusesUnknownMissingAndMistypedKeys) {
  const Json json = SmallPlan().ToJson();
  for (const auto& [key, value] : json.items()) {
    Json without = json;
    without.erase(key);
    EXPECT_FALSE(Plan::FromJson(without).ok()) << key;
    Json mistyped = json;
    mistyped[key] = Json::object();
    EXPECT_FALSE(Plan::FromJson(mistyped).ok()) << key;
  }
  for (const auto& [key, value] : json["entries"][0].items()) {
    Json without = json;
    without["entries"][0].erase(key);
    EXPECT_FALSE(Plan::FromJson(without).ok()) << key;
  }
  Json more = json;
  more["epsilon"] = 0.1;
  EXPECT_FALSE(Plan::FromJson(more).ok());
  Json more_in_entry = json;
  more_in_entry["entries"][0]["free"] = true;
  EXPECT_FALSE(Plan::FromJson(more_in_entry).ok());
  EXPECT_FALSE(Plan::FromCanonicalText(SmallPlan().CanonicalText() + " ").ok());
}

TEST(Plan, RefusesTrustThatDoesNotHold) {
  EXPECT_TRUE(RefusesFacts([](PlanFacts& f) { f.threshold = 2; }));  // not above (4 + 1) / 2
  EXPECT_TRUE(RefusesFacts([](PlanFacts& f) { f.threshold = 4; }));  // above the quorum
  EXPECT_TRUE(RefusesFacts([](PlanFacts& f) { f.quorum = 5; }));
  EXPECT_TRUE(RefusesFacts([](PlanFacts& f) { f.max_colluding = 2; }));
  EXPECT_TRUE(RefusesFacts([](PlanFacts& f) { f.aggregation = Aggregation::kCurator; }));  // with c = 1
  EXPECT_TRUE(RefusesFacts([](PlanFacts& f) { std::swap(f.roster[0], f.roster[1]); }));
  EXPECT_TRUE(RefusesFacts([](PlanFacts& f) { f.roster[1] = f.roster[0]; }));
  EXPECT_TRUE(RefusesFacts([](PlanFacts& f) { f.roster[0].id = "\x1b[2J"; }));
  EXPECT_TRUE(RefusesFacts([](PlanFacts& f) { f.delta = 0; }));
  EXPECT_TRUE(RefusesFacts([](PlanFacts& f) { f.delta = 1e-3; }));  // above 1 / units
  EXPECT_TRUE(RefusesFacts([](PlanFacts& f) { f.delta = NAN; }));
  EXPECT_TRUE(RefusesFacts([](PlanFacts& f) { f.epsilon_target = INFINITY; }));
  EXPECT_TRUE(RefusesFacts([](PlanFacts& f) { f.max_sites_per_subject = 0; }));
  EXPECT_TRUE(RefusesFacts([](PlanFacts& f) { f.slot_seconds = -1; }));
  EXPECT_FALSE(RefusesFacts([](PlanFacts&) {}));
}

TEST(Plan, RefusesEntriesThatUnderstateTheirSensitivity) {
  EXPECT_TRUE(RefusesEntry([](PlanEntry& e) { e.sensitivity *= 0.999999; }));
  EXPECT_TRUE(RefusesEntry([](PlanEntry& e) { e.clip *= 0.5; }));
  EXPECT_TRUE(RefusesEntry([](PlanEntry& e) { e.parts[1].weight = 0.5; }));
  EXPECT_TRUE(RefusesEntry([](PlanEntry& e) { e.parts.clear(); }));
  EXPECT_TRUE(RefusesEntry([](PlanEntry& e) { e.grid_scale *= 2; }));
  EXPECT_TRUE(RefusesEntry([](PlanEntry& e) { e.grid_scale *= 0.75; }));
  EXPECT_TRUE(RefusesEntry([](PlanEntry& e) { e.dimension = 100'000'000; }));
  EXPECT_TRUE(RefusesEntry([](PlanEntry& e) { e.site_variance = 63; }));
  EXPECT_TRUE(RefusesEntry([](PlanEntry& e) { e.sampling_rate = 0; }));
  EXPECT_TRUE(RefusesEntry([](PlanEntry& e) { e.sampling_rate = 1.5; }));
  EXPECT_TRUE(RefusesEntry([](PlanEntry& e) { e.sampling_rate = 1e-20; }));  // not k / 2^64
  EXPECT_TRUE(RefusesEntry([](PlanEntry& e) { e.word_bits = 16; }));
  EXPECT_TRUE(RefusesEntry([](PlanEntry& e) { e.name = "histograms"; }));
  EXPECT_TRUE(RefusesEntry([](PlanEntry& e) { e.count = 0; }));
  EXPECT_FALSE(RefusesEntry([](PlanEntry&) {}));
}

TEST(Plan, RefusesSumsThatCanWrap) {
  PlanFacts facts = SmallPlan().facts();
  facts.units = std::uint64_t{1} << 40;
  facts.delta = 1e-13;
  EXPECT_FALSE(Plan::Create(facts, SmallPlan().entries()).ok());
  std::vector<PlanEntry> entries = SmallPlan().entries();
  for (PlanEntry& entry : entries) entry.word_bits = 64;
  EXPECT_TRUE(Plan::Create(facts, entries).ok());
}

TEST(Plan, DerivesHonestSharesFromTheAggregation) {
  PlanFacts facts = SmallPlan().facts();
  EXPECT_EQ(HonestShares(facts), 2u);
  facts.aggregation = Aggregation::kNone;
  EXPECT_EQ(HonestShares(facts), 1u);
  facts.aggregation = Aggregation::kCurator;
  EXPECT_EQ(HonestShares(facts), 4u);
  facts.aggregation = Aggregation::kSecure;
  facts.max_colluding = 3;
  EXPECT_EQ(HonestShares(facts), 0u);
}

TEST(ResolvePlan, NeedsLessNoiseASiteWhenMoreSharesCount) {
  PlanRequest request = testing::SmallPlanRequest();
  request.facts.aggregation = Aggregation::kNone;
  const Result<Plan> none = ResolvePlan(request);
  ASSERT_TRUE(none.ok());
  const double ratio = static_cast<double>(none->entries()[0].site_variance) /
                       static_cast<double>(SmallPlan().entries()[0].site_variance);
  EXPECT_NEAR(ratio, 2.0, 0.01);
}

// Another machine's logarithm moves what is solved for in its last bits; here by far more. Without rounding the
// variances move with it.
TEST(ResolvePlan, GivesTheSameVariancesWhenTheLastBitsOfTheSolutionDiffer) {
  for (const double epsilon : {0.5, 1.0, 3.0}) {
    PlanRequest request = testing::SmallPlanRequest();
    request.facts.epsilon_target = epsilon;
    PlanRequest other = request;
    other.facts.epsilon_target = epsilon * (1.0 + 1e-7);
    ASSERT_NE(other.facts.epsilon_target, epsilon);
    const Result<Plan> a = ResolvePlan(request);
    const Result<Plan> b = ResolvePlan(other);
    ASSERT_TRUE(a.ok() && b.ok());
    for (std::size_t e = 0; e < a->entries().size(); ++e) EXPECT_EQ(a->entries()[e], b->entries()[e]) << epsilon;
  }
}

TEST(ResolvePlan, FillsTheBudgetWhenEveryEntryHasAShare) {
  PlanRequest request = testing::SmallPlanRequest();
  request.entries.pop_back();
  for (const double share : {1.0, 0.3}) {
    request.entries[0].budget_share = share;
    const Result<Plan> plan = ResolvePlan(request);
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    const Result<EpsilonBounds> epsilon = PlanEpsilon(*plan);
    ASSERT_TRUE(epsilon.ok());
    EXPECT_LE(epsilon->upper, 3.0);
    EXPECT_GE(epsilon->upper, 3.0 * 0.999);
  }
}

TEST(ResolvePlan, SaysWhyAPlanIsInfeasible) {
  PlanRequest shares = testing::SmallPlanRequest();
  shares.entries[0].budget_share = 1.0;
  const Result<Plan> nothing_left = ResolvePlan(shares);
  ASSERT_FALSE(nothing_left.ok());
  EXPECT_NE(nothing_left.error().message.find("leave nothing"), std::string::npos);
  EXPECT_FALSE(nothing_left.error().hint.empty());

  PlanRequest small = testing::SmallPlanRequest();
  small.facts.units = 50;
  const Result<Plan> no_batch = ResolvePlan(small);
  ASSERT_FALSE(no_batch.ok());
  EXPECT_NE(no_batch.error().message.find("expected batch"), std::string::npos);

  PlanRequest sampled_share = testing::SmallPlanRequest();
  sampled_share.entries[1].budget_share = 0.5;
  EXPECT_FALSE(ResolvePlan(sampled_share).ok());

  PlanRequest threshold = testing::SmallPlanRequest();
  threshold.facts.threshold = 2;
  const Result<Plan> low = ResolvePlan(threshold);
  ASSERT_FALSE(low.ok());
  EXPECT_NE(low.error().hint.find("t >= 3"), std::string::npos);
}

TEST(ResolvePlan, ExplainsEveryEntryWithSharesThatAddUp) {
  const Result<Json> explained = ExplainPlan(SmallPlan());
  ASSERT_TRUE(explained.ok()) << explained.error().message;
  double shares = 0;
  for (const Json& entry : explained->at("entries")) shares += entry.at("share").get<double>();
  EXPECT_NEAR(shares, 1.0, 1e-6);
  EXPECT_LE(explained->at("epsilon_upper").get<double>(), 3.0);
  EXPECT_EQ(explained->at("upload_bytes_per_site").get<std::uint64_t>(), 4u * 40 + 4u * 1000 * 50);
  EXPECT_NEAR(explained->at("entries")[1].at("expected_batch").get<double>(), 200, 1e-6);
  const std::string text = PlanText(*explained);
  EXPECT_NE(text.find("training"), std::string::npos);
  EXPECT_NE(text.find("own_share"), std::string::npos);
}

TEST(NoiseArithmetic, NeverGivesLessNoiseThanAskedFor) {
  for (const double z : {0.2, 0.71, 1.0, 13.7, 900.0}) {
    for (const std::uint32_t shares : {1u, 2u, 7u, 100u}) {
      const double gamma = ChooseGamma(1.5, 1000, shares);
      const double sensitivity = SensitivityOnGrid(gamma, 1.5, 1000);
      const Result<std::uint64_t> variance = SiteVariance(z, sensitivity, shares);
      ASSERT_TRUE(variance.ok());
      const double accounted = AccountedMultiplier(*variance, shares, sensitivity);
      EXPECT_GE(accounted, z * (1 - 1e-13));
      EXPECT_LE(accounted, z * 1.001);
      EXPECT_GE(*variance, 64u);
    }
  }
}

TEST(NoiseArithmetic, KeepsRoundingUnderOnePerCentOfTheScaledClip) {
  for (const double clip : {1e-3, 1.0, 3.7, 1e6}) {
    for (const std::uint64_t dimension : {1ull, 10000ull, 10000000ull}) {
      const double gamma = ChooseGamma(clip, dimension);
      EXPECT_LT(std::sqrt(static_cast<double>(dimension)), 0.01 * gamma * clip);
      EXPECT_GT(SensitivityOnGrid(gamma, clip, dimension),
                gamma * clip * 1.008 + std::sqrt(static_cast<double>(dimension)));
    }
  }
}

TEST(NoiseArithmetic, ChoosesWiderWordsWhenASumCouldWrap) {
  WordDemand demand{1024, 1.0, 1000, 1u << 20, 4};
  EXPECT_EQ(*ChooseWordBits(demand), 32u);
  demand.batch = 1e7;
  EXPECT_EQ(*ChooseWordBits(demand), 64u);
  demand.batch = 1e18;
  EXPECT_FALSE(ChooseWordBits(demand).ok());
}

TEST(StatedEpsilon, IsNeverStrongerThanTheTruth) {
  for (int i = 0; i <= 5000; ++i) {
    const double step = i / 1000.0;
    EXPECT_EQ(StatedUpper(step), step);
    EXPECT_EQ(StatedLower(step), step);
    const double above = std::nextafter(step, 10);
    EXPECT_GT(StatedUpper(above), step);
    EXPECT_GE(StatedUpper(above), above);
    EXPECT_EQ(StatedLower(above), step);
  }
  EXPECT_TRUE(StatementHolds(2.998, 2.9975));
  EXPECT_FALSE(StatementHolds(2.997, 2.9975));
  EXPECT_FALSE(StatementHolds(3.1, 2.9975));
  EXPECT_TRUE(StatementHolds(StatedUpper(0.0301), 0.0301));
}

}  // namespace
}  // namespace synod
