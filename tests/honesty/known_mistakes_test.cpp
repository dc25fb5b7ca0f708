// Known ways to get it wrong, one test a line of the list, in its order: the wrong version is built here, and what the
// product has against it catches it. Where the product's types leave no way to write the wrong version, that is
// asserted when this file is compiled, and the test shows what would be lost.
//
// The lines about networks are here by arithmetic; network_test.cpp has them with the engine and a family.
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>
#include <type_traits>

#include "common/artefact/verify_claims.h"
#include "common/crypto/secret_streams.h"
#include "common/privacy/epsilon.h"
#include "common/privacy/plan_readings.h"
#include "common/privacy/stated_epsilon.h"
#include "common/query/poisson_sampler.h"
#include "common/query/public_random.h"
#include "common/query/side_coordinates.h"
#include "models/family_table.h"
#include "models/tabular/histogram_sum.h"
#include "tests/honesty/mistakes.h"
#include "tests/unit/artefact/small_federation.h"
#include "tests/unit/models/model_fixture.h"
#include "tests/unit/site_agent/site_fixture.h"

namespace synod::honesty {
namespace {

using testing::Refusal;
using testing::RoundPlanOptions;
using testing::SiteBench;
using testing::SmallFederation;

constexpr double kClip = 1.0;
constexpr char kTooLong[] = "longer than its clipped units";

const SmallFederation& Federation() {
  static const SmallFederation federation;
  return federation;
}

// 1. Sum of squared norms over the uses of a shared parameter.
TEST(KnownMistakeDeathTest, SumOfSquaredNormsOverTheUsesOfASharedParameter) {
  const Uses uses = EqualUses(8);
  const Row gradient = GradientOf(uses);
  const double wrong = std::sqrt(SumOfSquaredNorms(uses));
  EXPECT_NEAR(Norm(gradient) / wrong, std::sqrt(8.0), 1e-6) << "aligned uses add up before they are squared";
  EXPECT_DEATH(SumOfBlock(Scaled(gradient, kClip / wrong), kClip), kTooLong);
  const double right = std::sqrt(UpperBoundOfGram(uses));
  EXPECT_EQ(SumOfBlock(Scaled(gradient, kClip / right), kClip).dimension(), gradient.size());
}

// 2. Variants of one record treated as records.
TEST(KnownMistakeDeathTest, VariantsOfOneRecordTreatedAsRecords) {
  const std::vector<Row> variants(8, Row{3.0F, 4.0F});
  Row wrong(2);
  for (const Row& variant : variants) AddTo(wrong, ClippedTo(variant, kClip));
  EXPECT_DEATH(SumOfBlock(wrong, kClip), kTooLong) << "as the one unit that they are";
  // A family that also counts them as eight units passes that check, and moves by eight times what is charged.
  const IntegerReader reader(PlanGrid(kClip, 2));
  const double moved = Moved(reader.Read(SumOfBlock(wrong, kClip, 8)), reader.ReadRows({}));
  EXPECT_GT(moved, 7.0 * reader.grid().sensitivity()) << "which the sensitivity tests of every family see";
}

// 3. Shuffling accounted as Poisson.
static_assert(!std::is_default_constructible_v<PoissonSampler> && !std::is_constructible_v<PoissonSampler, double> &&
                  !std::is_constructible_v<PoissonSampler, std::size_t>,
              "a sampler is made of a rate that is exactly realised, not of a batch size");
TEST(KnownMistake, ShufflingAccountedAsPoisson) {
  constexpr std::size_t kUnits = 400;
  constexpr std::size_t kBatches = 300;
  RoundPlanOptions options;
  options.dimension = 1;
  options.steps = kBatches;
  options.sampling_rate = 0.25;
  SiteBench bench(options, kUnits);
  std::vector<std::size_t> sizes;
  for (std::uint32_t query = 0; query < kBatches; ++query) ASSERT_FALSE(Refusal(bench.Ask(1, query)));
  for (const auto& batch : bench.contribution.batches) sizes.push_back(batch.size());
  // Six standard deviations: a false alarm of 2e-9, if the streams were not fixed.
  EXPECT_LT(SpreadDeviation(sizes, kUnits, 0.25), 6.0);
  EXPECT_GT(SpreadDeviation(ShuffledBatchSizes(kUnits, 0.25, kBatches), kUnits, 0.25), 6.0);
}

// 4. Division by the true batch size.
template <typename Sum>
concept Divisible = requires(Sum sum) {
  sum / 2.0;
}
|| requires(Sum sum) {
  sum /= 2.0;
};
static_assert(!Divisible<ClippedSum> && !Divisible<GridSum> && !Divisible<NoisedSum>);
TEST(KnownMistakeDeathTest, DivisionByTheTrueBatchSize) {
  // A mean is planned as a sum of vectors of norm C / B, B the public expected batch. Divided by the one unit that was
  // drawn, it is B times too long. (The trainer's own division: DiffusionTrainerTest, by the expected batch.)
  constexpr double kExpected = 50.0;
  const Row unit = ClippedTo({3.0F, 4.0F}, kClip);
  EXPECT_DEATH(SumOfBlock(Scaled(unit, 1.0 / 1.0), kClip / kExpected), kTooLong);
  EXPECT_EQ(SumOfBlock(Scaled(unit, 1.0 / kExpected), kClip / kExpected).dimension(), 2U);
}

// 5. Scaler, categories, bounds or early stopping read from the data.
static_assert(std::is_same_v<decltype(&Trainer::Absorb), Status (Trainer::*)(const Query&, const NoisySum&)>,
              "whoever decides about the next step sees noisy sums alone");
TEST(KnownMistake, ScalerCategoriesBoundsOrEarlyStoppingReadFromTheData) {
  const std::vector<double> ages = {20, 31, 47, 104};
  const Schema with = SchemaWithBoundsOf(ages);
  const Schema without = SchemaWithBoundsOf({20, 31, 47});
  EXPECT_NE(with.Hash(), without.Hash()) << "the bounds tell the neighbours apart";
  // The contract names one schema: a site whose table has another bound is not of this run.
  const auto agreed = std::make_shared<const Schema>(with);
  const ResolvedRun resolved = testing::Resolve({agreed, 400, "", 3.0, 1, "independent_columns"});
  const auto contribution = [&](const Schema& schema) {
    FamilyRun run = resolved.run;
    run.schema = std::make_shared<const Schema>(schema);
    const auto table = std::make_shared<const Table>(testing::RandomTable(run.schema, 4, 1));
    return MakeContribution(run, std::make_shared<const UnitTable>(UnitTable::Records(table)),
                            SecretRandom::FromOperatingSystem(), {})
        .ok();
  };
  EXPECT_TRUE(contribution(with));
  EXPECT_FALSE(contribution(without));
  // And a value beyond public bounds is no reason to move them: it does not become a cell.
  std::vector<ColumnCells> cells(1);
  cells[0].numbers = {104.0};
  EXPECT_FALSE(Table::Create(std::make_shared<const Schema>(without), std::move(cells), 1).ok());
}

// 6. Site noise sigma/N instead of sigma/sqrt(h).
TEST(KnownMistake, SiteNoiseOfSigmaOverN) {
  const Plan& plan = Federation().plan();
  const std::uint64_t h = plan.honest_shares();
  const std::uint64_t n = plan.sites();
  const Plan wrong = WithShares(plan, [&](const PlanEntry& e) { return h * e.site_variance / (n * n); });
  EXPECT_LE(PlanEpsilon(plan).value().upper, plan.facts().epsilon_target);
  EXPECT_GT(PlanEpsilon(wrong).value().upper, 1.5 * plan.facts().epsilon_target);
  CertificateRequest request;
  request.kind = CertificateClass::kFederated;
  request.participation = Federation().run();
  const Result<Certificate> certified = Certify(wrong, request);
  ASSERT_FALSE(certified.ok());
  EXPECT_NE(certified.error().message.find("above its target"), std::string::npos);
}

// 7. The same seed at two sites.
static_assert(!std::is_constructible_v<OperatingSystemStreams, std::uint64_t> &&
                  !std::is_constructible_v<OperatingSystemStreams, std::string> &&
                  !std::is_copy_constructible_v<SecretRandom>,
              "an installed site has no seed to share");
TEST(KnownMistake, TheSameSeedAtTwoSites) {
  const Grid grid = PlanGrid(kClip, 100);
  const NoiseShare share = NoiseShare::Make(grid, 10'000, 1).value();
  const auto noise = [&](SecretStreams& streams) {
    SecretRandom random = streams.ForAttempt("synod.noise", {});
    return StandaloneSum(share.Add(grid.Encode(SumOfBlock(Row(100), kClip)), random)).Encode(WordBits::k32);
  };
  testing::SeededStreams wrong_a(1, "site");
  testing::SeededStreams wrong_b(1, "site");
  EXPECT_EQ(noise(wrong_a), noise(wrong_b)) << "the difference of the answers is the difference of the records";
  OperatingSystemStreams a;
  OperatingSystemStreams b;
  EXPECT_NE(noise(a), noise(b));
  EXPECT_NE(noise(a), noise(a)) << "nor does a site repeat itself under one name";
}

// 8. A run seed that drives noise.
static_assert(!std::is_constructible_v<SecretRandom, PublicRandom> &&
              !std::is_convertible_v<PublicRandom&, SecretRandom&> &&
              !std::is_constructible_v<SecretRandom, std::uint64_t> &&
              !std::is_constructible_v<SecretRandom, SecretBytes> && !std::is_default_constructible_v<SecretRandom>);
static_assert(!std::is_invocable_v<decltype(&NoiseShare::Add), const NoiseShare&, GridSum, PublicRandom&, unsigned> &&
              std::is_invocable_v<decltype(&NoiseShare::Add), const NoiseShare&, GridSum, SecretRandom&, unsigned>);
static_assert(
    !std::is_invocable_v<decltype(&PoissonSampler::Draw), const PoissonSampler&, PublicRandom&, std::uint32_t>);
TEST(KnownMistake, ARunSeedThatDrivesNoise) {
  constexpr std::uint64_t kRunSeed = 7;  // in the run's specification: everybody reads it
  PublicRandom at_the_site(kRunSeed, "noise");
  PublicRandom at_the_attacker(kRunSeed, "noise");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(at_the_site.Normal(), at_the_attacker.Normal());
  EXPECT_NE(SecretRandom::FromOperatingSystem().NextWord64(), SecretRandom::FromOperatingSystem().NextWord64());
}

// 9. Noise added after the ledger failed: an answer that leaves without its charge.
static_assert(!std::is_default_constructible_v<SpendPermit> && !std::is_constructible_v<SpendPermit, LedgerRow> &&
              !std::is_copy_constructible_v<SpendPermit>);
TEST(KnownMistake, AnAnswerAfterTheLedgerFailed) {
  SiteBench bench;
  bench.ledger_store.fail_from = 0;
  EXPECT_EQ(Refusal(bench.Ask(0, 0)), RefusalReason::kLedgerUnavailable);
  EXPECT_EQ(bench.contribution.calls, 2) << "the noised sum was there: it is not sent";
  // A store that says yes and keeps nothing is found by whoever remembers the head of the chain.
  struct Forgetful final : LedgerStore {
    Status AppendDurably(const LedgerRow&) override { return {}; }
    Result<std::vector<LedgerRow>> Load() const override { return std::vector<LedgerRow>{}; }
  } forgetful;
  Ledger wrong = Ledger::Open(forgetful).value();
  ASSERT_TRUE(
      wrong.Spend({bench.dataset, {bench.run, 0, 0}, bench.plan->Hash(), 0, bench.plan->entries()[0].Event(1, 1)})
          .ok());
  EXPECT_FALSE(Ledger::Open(forgetful, wrong.head()).ok());
}

// 10. Clipping after summation. Flagged from outside by the mechanism audit, too.
TEST(KnownMistake, ClippingAfterSummation) {
  const auto moves = [](auto sum) {
    return WorstMoveInClips([&](const std::vector<Row>& batch) { return sum(batch, kClip); }, RevealingBatch(), kClip);
  };
  EXPECT_GT(moves(ClippedAfterSummation), 1.5);
  EXPECT_LE(moves(ClippedEachOnItsOwn), 1.0 + 1e-5);
}

// 11. Batch normalisation or attention across rows. 12. A loss that couples records.
TEST(KnownMistake, BatchNormalisationOrAttentionAcrossRows) {
  const auto moves = [](auto sum) {
    return WorstMoveInClips([&](const std::vector<Row>& batch) { return sum(batch, kClip); }, RevealingBatch(), kClip);
  };
  EXPECT_GT(moves(CentredByTheBatch), 3.0);
  EXPECT_GT(moves(AttentionAcrossRows), 3.0);
}
TEST(KnownMistake, ALossThatCouplesRecords) {
  const auto sum = [](const std::vector<Row>& batch) { return GradientOfACoupledLoss(batch, kClip); };
  EXPECT_GT(WorstMoveInClips(sum, RevealingBatch(), kClip), 3.0);
}

// 13. Data-dependent initialisation.
static_assert(std::is_invocable_v<decltype(&MakeTrainer), const FamilyRun&> &&
              !std::is_invocable_v<decltype(&MakeTrainer), const FamilyRun&, std::shared_ptr<const UnitTable>>);
TEST(KnownMistake, DataDependentInitialisation) {
  const ResolvedRun resolved = testing::Resolve({testing::MixedSchema(), 400, "hidden = 6\nsteps = 3\n"});
  const std::vector<std::uint64_t> left = {0, resolved.run.plan->entries()[1].allowed()};
  const auto first_training_query = [&](std::uint64_t seed) {
    FamilyRun run = resolved.run;
    run.seed = seed;
    const std::unique_ptr<Trainer> trainer = MakeTrainer(run).value();
    const std::vector<std::uint64_t> all = {1, left[1]};
    const Query histogram = trainer->Next(all).value();
    const Grid grid = testing::GridOfEntry(resolved.run.plan->entries()[0]);
    EXPECT_TRUE(trainer->Absorb(histogram, SumAccumulator(grid, WordBits::k32).Finish()).ok());
    return trainer->Next(left).value().parameters;
  };
  EXPECT_EQ(first_training_query(1), first_training_query(1)) << "a function of seed, options and noisy sums";
  EXPECT_NE(first_training_query(1), first_training_query(2));
}

// 14. Steps run different from steps accounted.
TEST(KnownMistake, StepsRunDifferentFromStepsAccounted) {
  SiteBench bench;  // 3 steps and 2 retries
  for (std::uint32_t query = 0; query < 5; ++query) EXPECT_FALSE(Refusal(bench.Ask(1, query)));
  EXPECT_EQ(Refusal(bench.Ask(1, 5)), RefusalReason::kOutsidePlan);
  EXPECT_EQ(bench.plan->Events(1)[1].count, 5U) << "what is accounted";
  Participation more = Federation().run();
  for (std::uint32_t query = 21; query < 30; ++query) more.Record(query, 0, 1, true, {0, 1, 2, 3});
  EXPECT_FALSE(more.CheckAgainst(Federation().plan()).ok());
  // A record that leaves steps out, beside the numbers of one that has them: not one of the two can be right.
  Certificate wrong = Federation().certificate();
  wrong.participation = Participation();
  for (std::uint32_t query = 0; query < 5; ++query) wrong.participation.Record(query, 0, 1, true, {0, 1, 2});
  EXPECT_FALSE(VerifyFacts(Federation().content(), wrong, wrong.content_digest).ok());
}

// 15. A metric printed without charge.
template <typename Sum>
concept Printable = requires(std::ostream& out, const Sum& sum) {
  out << sum;
};
template <typename Sum>
concept Readable = requires(const Sum& sum) {
  sum.values();
};
static_assert(!Printable<ClippedSum> && !Printable<GridSum> && !Printable<NoisedSum>);
static_assert(!Readable<ClippedSum> && !Readable<GridSum> && !Readable<NoisedSum>);
static_assert(std::is_same_v<decltype(&Contribution::Sum),
                             Result<ClippedSum> (Contribution::*)(const Query&, const BlockedBatch&)>,
              "a family's only way out for a number about records");
TEST(KnownMistake, AMetricPrintedWithoutCharge) {
  SiteBench bench;
  Query metric;  // "how good is the model on your records?", which no entry of the plan asks
  metric.entry = 2;
  EXPECT_EQ(Refusal(bench.AskFor(std::make_shared<const Query>(metric), {bench.run, 0, 0})),
            RefusalReason::kOutsidePlan);
  EXPECT_EQ(bench.contribution.calls, 0) << "no record is looked at";
}

// 16. A histogram of k columns charged as sensitivity 1.
TEST(KnownMistakeDeathTest, AHistogramOfKColumnsChargedAsOne) {
  const auto schema = testing::MixedSchema();
  PlanEntry entry = testing::Resolve({schema, 400, "", 3.0, 1, "independent_columns"}).run.plan->entries()[0];
  EXPECT_EQ(entry.clip, 2.0) << "the square root of four columns";
  entry.clip = 1.0;
  EXPECT_FALSE(entry.Check().ok()) << "the clip is that of the columns";
  // Four one-hots without the clip, and what the product's own sum does at a clip of 1.
  EXPECT_DEATH(SumOfBlock(Row(4, 1.0F), 1.0), kTooLong);
  const auto grids = tabular::GridsOf(*schema);
  const auto table = std::make_shared<const Table>(testing::RandomTable(schema, 1, 1));
  const IntegerReader reader(PlanGrid(1.0, tabular::HistogramSize(grids)));
  const auto sum = [&](std::vector<std::uint32_t> drawn) {
    return reader.Read(tabular::HistogramSum(grids, tabular::CellsOf(*table, grids), UnitTable::Records(table),
                                             testing::Blocks(std::move(drawn), kMostRowsPerBlock), 1.0));
  };
  EXPECT_LE(Moved(sum({0}), sum({})), reader.grid().sensitivity());
}

// 17. A NaN row that zeroes the sum.
TEST(KnownMistakeDeathTest, ANaNRowThatZeroesTheSum) {
  const Row poisoned = {NAN, 1.0F};
  Row wrong = ClippedTo({3.0F, 4.0F}, kClip);
  AddTo(wrong, Scaled(poisoned, 0.0));  // a weight of zero does not help: 0 x NaN is NaN
  EXPECT_TRUE(std::isnan(wrong[0]));
  EXPECT_DEATH(SumOfBlock(wrong, kClip, 2), "not finite") << "no sum is blanked in silence";
  // A loss that is not a number is a loss of zero.
  EXPECT_EQ(SideCoordinates::Make(1.0, {0.1F, 0.1F, 0.1F, 1.0F}).value().Encode(NAN, false)[0], 0.0F);
}

// 18. A negative Gram norm.
TEST(KnownMistakeDeathTest, ANegativeGramNorm) {
  int negative = 0;
  int shown = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Uses uses = CancellingUses(seed);
    const Row gradient = GradientOf(uses);
    const double norm = Norm(gradient);
    EXPECT_GE(UpperBoundOfGram(uses), norm * norm) << "what the engine takes for the norm";
    if (GramInFloat(uses) >= 0.0F) continue;
    ++negative;
    ASSERT_GT(norm, kClip) << "the true norm is large";
    if (shown++ > 0) continue;
    const double wrong = std::sqrt(std::max(0.0F, GramInFloat(uses)));  // 0: "nothing to clip"
    EXPECT_DEATH(SumOfBlock(Scaled(gradient, wrong > kClip ? kClip / wrong : 1.0), kClip), kTooLong);
  }
  EXPECT_GT(negative, 10) << "the test reaches the case that it is about";
}

// 19. Two answers under one attempt.
TEST(KnownMistake, TwoAnswersUnderOneAttempt) {
  SiteBench bench;
  const Bytes first = testing::WordsOf(bench.Ask(0, 0));
  EXPECT_EQ(testing::WordsOf(bench.Ask(0, 0)), first) << "the same bytes, not another draw";
  EXPECT_EQ(bench.ledger_store.rows().size(), 1U);
  const LedgerCharge again = bench.ledger_store.rows()[0].charge;
  EXPECT_FALSE(bench.ledger.Spend(again).ok()) << "a second answer has no permit";
}

// 20. A retry outside the allowance.
TEST(KnownMistake, ARetryOutsideTheAllowance) {
  SiteBench bench;  // one histogram and one retry
  EXPECT_FALSE(Refusal(bench.Ask(0, 0, 0)));
  EXPECT_FALSE(Refusal(bench.Ask(0, 0, 1)));
  EXPECT_EQ(Refusal(bench.Ask(0, 0, 2)), RefusalReason::kOutsidePlan);
  EXPECT_EQ(bench.ledger_store.rows().size(), 2U);
}

// 21. An epsilon certified for the steps that ran before an early stop.
TEST(KnownMistake, AnEpsilonCertifiedForTheStepsThatRanBeforeAnEarlyStop) {
  const Plan& plan = Federation().plan();
  Certificate wrong = Federation().certificate();
  PrivacyEvents ran = plan.Events(plan.honest_shares());
  for (std::size_t i = 0; i < ran.size(); ++i) ran[i].count = wrong.entries[i].used;
  const double early = StatedUpper(ComputeEpsilon(ran, plan.AccountedDelta()).value().upper);
  ASSERT_LT(early, wrong.headline().upper) << "the temptation";
  ASSERT_TRUE(VerifyEpsilons(plan, wrong).ok());
  wrong.readings[0].by_sites[0].upper = early;
  EXPECT_FALSE(VerifyEpsilons(plan, wrong).ok());
}

}  // namespace
}  // namespace synod::honesty
