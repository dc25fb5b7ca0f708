#include "models/module/torch_families.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "common/privacy/noise_arithmetic.h"
#include "models/engine/block_bound.h"
#include "models/gradient_family/entries.h"
#include "models/tabular/histogram_sum.h"
#include "tests/support/deterministic_random.h"
#include "tests/unit/families/settings.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::gradient_family {
namespace {

using testing::Distance;
using testing::Norm;

// A site's contribution over random rows of the mixed schema.
class ContributionTest : public ::testing::TestWithParam<testing::FamilySetting> {
 protected:
  ContributionTest()
      : schema_(testing::MixedSchema(GetParam().subjects)),
        table_(std::make_shared<const Table>(testing::RandomTable(schema_, 45, 5, 3))),
        units_(std::make_shared<const UnitTable>(GetParam().subjects ? UnitTable::Subjects(table_, 3).value()
                                                                     : UnitTable::Records(table_))),
        resolved_(
            testing::Resolve({schema_, 400, std::string("steps = 3\n") + GetParam().model, 3.0, 1, GetParam().family})),
        contribution_(New(1)) {}

  std::unique_ptr<Contribution> New(std::uint64_t secret) const {
    return MakeTorchContribution(resolved_.run, units_, SecretRandomForTestsOnly::FromSeed(secret)).value();
  }

  const PlanEntry& entry(std::uint32_t index) const { return resolved_.run.plan->entries()[index]; }

  // Of a clip that adapts; below the clip, so that short gradients are stretched.
  double Threshold() const { return resolved_.run.options["clipping"] == "adaptive" ? 0.4 : 0.0; }

  Query Gradient(const std::vector<float>& parameters) const {
    Query query;
    query.index = 5;
    query.entry = kTrainingEntry;
    query.kind = QueryKind::kGradient;
    const auto grids = tabular::GridsOf(*schema_);
    PublicRandom random(71, "context");
    std::vector<float> counts(tabular::HistogramSize(grids));
    for (float& count : counts) count = static_cast<float>(5.0 * random.Uniform());
    query.context = EncodeContext(1.0, counts, Threshold());
    query.parameters = parameters;
    return query;
  }

  std::vector<float> Parameters(double size, std::uint64_t seed) const {
    PublicRandom random(seed, "parameters");
    // Of the network that is trained, which need not be the one that is published.
    std::vector<float> parameters(entry(kTrainingEntry).dimension - SideCoordinates::kCount);
    for (float& value : parameters) value = static_cast<float>(size * random.Normal());
    return parameters;
  }

  std::vector<double> SumOf(const Query& query, const std::vector<std::uint32_t>& units, std::uint32_t block = 0) {
    const std::uint32_t most = contribution_->UnitsPerBlock(query);
    Result<ClippedSum> sum = contribution_->Sum(query, testing::Blocks(units, block == 0 ? most : block));
    EXPECT_TRUE(sum.ok()) << (sum.ok() ? "" : sum.error().message);
    return testing::Reveal(std::move(sum).value(), entry(query.entry).clip);
  }

  std::vector<std::uint32_t> AllUnits() const {
    std::vector<std::uint32_t> units(units_->size());
    std::iota(units.begin(), units.end(), 0U);
    return units;
  }

  std::shared_ptr<const Schema> schema_;
  std::shared_ptr<const Table> table_;
  std::shared_ptr<const UnitTable> units_;
  ResolvedRun resolved_;
  std::unique_ptr<Contribution> contribution_;
};

INSTANTIATE_TEST_SUITE_P(Families, ContributionTest, ::testing::ValuesIn(testing::kFamilySettings),
                         [](const auto& instance) { return std::string(instance.param.name); });

// What parameters a coordinator, honest or not, could send.
constexpr double kSizes[] = {0.0, 1e-30, 1e-3, 0.3, 1.0, 30.0, 1e3, 1e6, 1e10, 1e15, 1e19, 1e25, 1e37};

TEST_P(ContributionTest, SumsABatchAsItWouldSumItsUnitsOneByOne) {
  for (const double size : {1e-3, 0.3, 3.0}) {
    const Query query = Gradient(Parameters(size, 1));
    const std::vector<double> together = SumOf(query, AllUnits());
    std::vector<double> loop(together.size());
    for (const std::uint32_t unit : AllUnits()) {
      const std::vector<double> own = SumOf(query, {unit});
      for (std::size_t i = 0; i < loop.size(); ++i) loop[i] += own[i];
    }
    EXPECT_LT(Distance(together, loop), 1e-4 * entry(kTrainingEntry).clip) << "size " << size;
    EXPECT_GT(Norm(together), 0.01) << "the test must see gradients";
  }
}

TEST_P(ContributionTest, GivesNoUnitMoreThanTheClipWhateverTheParametersAre) {
  const double clip = entry(kTrainingEntry).clip;
  for (const double size : kSizes) {
    const Query query = Gradient(Parameters(size, 2));
    for (std::uint32_t unit = 0; unit < 12; ++unit) {
      const std::vector<double> own = SumOf(query, {unit});
      ASSERT_LE(Norm(own), clip * (1.0 + 1e-6)) << "size " << size;
      if (Norm(own) == 0.0) continue;  // a gradient that is not finite: the unit contributes zero in every coordinate
      ASSERT_GE(own.back(), 0.04) << "a unit is counted once";
      ASSERT_LE(own.back(), 0.06) << "a unit is counted once";
    }
  }
}

TEST_P(ContributionTest, MovesByNoMoreThanTheClipAndTheFloatBoundWhenAUnitComesOrGoes) {
  const double clip = entry(kTrainingEntry).clip;
  for (const double size : kSizes) {
    const Query query = Gradient(Parameters(size, 3));
    const std::vector<double> with = SumOf(query, AllUnits());
    for (const std::size_t gone : {0U, 7U, 19U}) {
      std::vector<std::uint32_t> rest = AllUnits();
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(gone));
      ASSERT_LE(Distance(with, SumOf(query, rest)), clip * (1.0 + kFloatErrorShare)) << "size " << size;
    }
  }
}

// Parameters that are mostly zero with a few huge ones drive single coordinates as far as they go.
TEST_P(ContributionTest, KeepsTheClipWithAFewHugeParameters) {
  const double clip = entry(kTrainingEntry).clip;
  PublicRandom random(72, "sparse");
  for (int round = 0; round < 30; ++round) {
    std::vector<float> parameters = Parameters(round % 2 == 0 ? 0.0 : 0.1, 4);
    for (int i = 0; i < 6; ++i) {
      const double exponent = -20.0 + 57.0 * random.Uniform();
      parameters[random.IntegerBelow(parameters.size())] =
          static_cast<float>(std::pow(10.0, exponent) * (random.IntegerBelow(2) == 0 ? 1.0 : -1.0));
    }
    const Query query = Gradient(parameters);
    const std::vector<std::uint32_t> all = AllUnits();
    const std::vector<std::uint32_t> rest(all.begin() + 1, all.end());
    ASSERT_LE(Distance(SumOf(query, all), SumOf(query, rest)), clip * (1.0 + kFloatErrorShare));
    ASSERT_LE(Norm(SumOf(query, {0})), clip * (1.0 + 1e-6));
  }
}

TEST_P(ContributionTest, DoesNotDependOnHowTheBatchIsCutIntoBlocks) {
  const Query query = Gradient(Parameters(0.3, 5));
  const std::vector<double> one = SumOf(query, AllUnits());
  for (const std::uint32_t block : {1U, 3U, 10U}) EXPECT_LT(Distance(one, SumOf(query, AllUnits(), block)), 1e-4);
}

// A matrix library may add in another order where the rows are others in number. For parameters that cancel, the last
// bit of a product decides the side of an activation, and one unit more would move the vectors of all the others.
TEST_P(ContributionTest, GivesEachUnitTheSameVectorWhoeverIsInTheBatch) {
  table_ = std::make_shared<const Table>(testing::RandomTable(schema_, 240, 80, 3));
  units_ = std::make_shared<const UnitTable>(GetParam().subjects ? UnitTable::Subjects(table_, 3).value()
                                                                 : UnitTable::Records(table_));
  contribution_ = New(3);
  // Each sum is rounded once to the grid of Reveal, by half a step.
  constexpr double kRounding = 3.0 * 0x1p-35;
  for (const double size : {0.3, 1e11}) {
    const Query query = Gradient(Parameters(size, 14));
    std::vector<double> before(entry(kTrainingEntry).dimension);
    std::vector<std::uint32_t> units;
    for (std::uint32_t unit = 0; unit < std::min<std::size_t>(30, units_->size()); ++unit) {
      units.push_back(unit);
      const std::vector<double> alone = SumOf(query, {unit});
      const std::vector<double> with = SumOf(query, units, 1);
      for (std::size_t i = 0; i < with.size(); ++i) {
        ASSERT_NEAR(with[i], before[i] + alone[i], kRounding) << unit + 1 << " units, size " << size;
      }
      before = with;
    }
  }
}

TEST_P(ContributionTest, CountsEachUnitOnceHoweverManyRowsAndLevelsItHas) {
  const std::vector<double> sum = SumOf(Gradient(Parameters(0.3, 6)), AllUnits());
  EXPECT_NEAR(sum.back() / 0.05, static_cast<double>(units_->size()), 1e-3);
}

TEST_P(ContributionTest, OfNobodyIsZero) {
  for (Query query : {Gradient(Parameters(1.0, 7)), Query{}}) {
    const std::vector<double> sum = SumOf(query, {});
    EXPECT_EQ(sum.size(), entry(query.entry).dimension);
    EXPECT_EQ(Norm(sum), 0.0);
  }
}

TEST_P(ContributionTest, AnswersTheSameQueryTheSame) {
  const Query query = Gradient(Parameters(0.3, 8));
  const std::vector<double> once = SumOf(query, AllUnits());
  SumOf(Gradient(Parameters(2.0, 9)), AllUnits());
  EXPECT_EQ(once, SumOf(query, AllUnits()));
  Query later = query;
  later.index = 6;
  EXPECT_EQ(once != SumOf(later, AllUnits()), GetParam().draws || GetParam().sparse) << "other levels";
}

// Passes are cut by rows alone, and sums are added in their order: a site with more cores says the same.
TEST_P(ContributionTest, SaysTheSameOnAnyNumberOfThreads) {
  table_ = std::make_shared<const Table>(testing::RandomTable(schema_, 2500, 15, 3));
  units_ = std::make_shared<const UnitTable>(GetParam().subjects ? UnitTable::Subjects(table_, 3).value()
                                                                 : UnitTable::Records(table_));
  const Query query = Gradient(Parameters(0.3, 13));
  std::vector<std::vector<double>> sums;
  for (const unsigned threads : {1U, 2U, 5U}) {
    contribution_ = MakeTorchContribution(resolved_.run, units_, SecretRandomForTestsOnly::FromSeed(4),
                                          {.device = "cpu", .threads = threads})
                        .value();
    sums.push_back(SumOf(query, AllUnits()));
  }
  EXPECT_EQ(sums[0], sums[1]);
  EXPECT_EQ(sums[0], sums[2]);
}

// A record that goes away renumbers those behind it. Were their hidden columns and noise to follow from their numbers
// and public words, the whole sum would move, by many clips; a secret word a unit leaves nothing to compare.
TEST_P(ContributionTest, DrawsLevelsFromASecretOfEachUnitAndNotFromItsNumber) {
  const Query query = Gradient(Parameters(0.3, 12));
  const std::vector<double> one = SumOf(query, AllUnits());
  const std::vector<double> histogram = SumOf(Query{}, AllUnits());
  contribution_ = New(2);
  EXPECT_EQ(one != SumOf(query, AllUnits()), GetParam().draws) << "the same numbers, rows, seed and query";
  EXPECT_EQ(histogram, SumOf(Query{}, AllUnits())) << "counts draw nothing";
  contribution_ = New(1);
  EXPECT_EQ(one, SumOf(query, AllUnits()));
}

TEST_P(ContributionTest, AnswersAHistogramWithinItsOwnClip) {
  Query query;
  const double clip = entry(kHistogramEntry).clip;
  EXPECT_DOUBLE_EQ(clip, 2.0);
  const std::vector<double> with = SumOf(query, AllUnits());
  std::vector<std::uint32_t> rest = AllUnits();
  rest.pop_back();
  EXPECT_LE(Distance(with, SumOf(query, rest)), clip * (1.0 + kFloatErrorShare));
  EXPECT_NEAR(std::accumulate(with.begin(), with.end(), 0.0), 4.0 * static_cast<double>(units_->size()), 1e-3);
}

TEST_P(ContributionTest, RefusesAMalformedQueryAndDoesNotCrash) {
  const BlockedBatch batch = testing::Blocks({0, 1, 2}, 3);
  const auto refuses = [&](const char* what, const Query& query) {
    const Result<ClippedSum> sum = contribution_->Sum(query, batch);
    ASSERT_FALSE(sum.ok()) << what;
    EXPECT_EQ(sum.error().code, ErrorCode::kBadInput) << what;
  };
  const Query good = Gradient(Parameters(1.0, 10));
  Query bad = good;
  bad.parameters.pop_back();
  refuses("a parameter too few", bad);
  bad.parameters.clear();
  refuses("no parameters", bad);
  bad = good;
  bad.parameters.push_back(0.0F);
  refuses("a parameter too many", bad);
  for (const float value : {std::nanf(""), INFINITY, -INFINITY}) {
    bad = good;
    bad.parameters[bad.parameters.size() / 2] = value;
    refuses("a parameter that is not finite", bad);
    bad = good;
    bad.context.back() = value;
    refuses("a count that is not finite", bad);
    bad = good;
    bad.context[0] = value;
    refuses("a sigma that is not finite", bad);
  }
  bad = good;
  bad.context.pop_back();
  refuses("a count too few", bad);
  bad.context.clear();
  refuses("no context", bad);
  bad = good;
  bad.kind = QueryKind::kHistogram;
  refuses("a histogram query that carries values", bad);
  EXPECT_TRUE(contribution_->Sum(good, batch).ok()) << "and goes on";
}

TEST_P(ContributionTest, TakesAnyFiniteHistogramAsContext) {
  PublicRandom random(73, "histograms");
  const double clip = entry(kTrainingEntry).clip;
  for (const double size : {0.0, 1e-30, 1.0, 1e12, 1e37}) {
    Query query = Gradient(Parameters(0.3, 11));
    for (float& count : query.context) count = static_cast<float>(size * (random.Uniform() - 0.5));
    query.context[0] = 1.0F;
    query.context[1] = static_cast<float>(Threshold());
    const std::vector<std::uint32_t> all = AllUnits();
    const std::vector<std::uint32_t> rest(all.begin() + 1, all.end());
    EXPECT_LE(Distance(SumOf(query, all), SumOf(query, rest)), clip * (1.0 + kFloatErrorShare));
  }
}

}  // namespace
}  // namespace synod::gradient_family
