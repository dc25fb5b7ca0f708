#include <gtest/gtest.h>

#include "tests/unit/tools/evaluation_tables.h"
#include "tools/evaluation/association.h"
#include "tools/evaluation/auroc.h"
#include "tools/evaluation/closest_record.h"
#include "tools/evaluation/column_bins.h"
#include "tools/evaluation/marginal_distance.h"
#include "tools/evaluation/quantile.h"

namespace synod {
namespace {

using testing::CategoryColumn;
using testing::kNone;
using testing::NumberColumn;
using testing::SchemaOf;
using testing::TableOf;

BinnedColumn Bins(std::vector<std::uint32_t> bins, std::size_t count) {
  return {std::move(bins), count};
}

TEST(TotalVariation, IsZeroForEqualOneForDisjointAndHalfInBetween) {
  EXPECT_DOUBLE_EQ(TotalVariation(Bins({0, 1, 1, 2}, 4), Bins({2, 1, 0, 1, 0, 1, 1, 2}, 4)), 0.0);
  EXPECT_DOUBLE_EQ(TotalVariation(Bins({0, 0}, 4), Bins({3}, 4)), 1.0);
  EXPECT_DOUBLE_EQ(TotalVariation(Bins({0, 0}, 2), Bins({0, 1}, 2)), 0.5);
}

TEST(TotalVariation, OfPairsSeesWhatSingleColumnsCannot) {
  const BinnedColumn x = Bins({0, 0, 1, 1}, 2);
  const BinnedColumn same = Bins({0, 0, 1, 1}, 2);
  const BinnedColumn opposite = Bins({1, 1, 0, 0}, 2);
  EXPECT_DOUBLE_EQ(TotalVariation(same, opposite), 0.0);
  EXPECT_DOUBLE_EQ(PairTotalVariation({&x, &same}, {&x, &opposite}), 1.0);
}

TEST(TotalVariation, OfPairsIsTheSameBySortingAndByCounting) {
  EvaluationRandom random(7);
  BinnedColumn a[4];
  for (BinnedColumn& column : a) {
    column.count = 50;
    for (int i = 0; i < 500; ++i) column.bins.push_back(static_cast<std::uint32_t>(random.Below(50)));
  }
  const double dense = PairTotalVariation({&a[0], &a[1]}, {&a[2], &a[3]});
  for (BinnedColumn& column : a) column.count = 4000;  // 16 million cells: too many to count one by one
  EXPECT_NEAR(PairTotalVariation({&a[0], &a[1]}, {&a[2], &a[3]}), dense, 1e-12);
  EXPECT_GT(dense, 0.5);
}

TEST(ComparePairs, SaysNothingAboutOneColumn) {
  const BinnedTable one = {Bins({0, 1}, 2)};
  EXPECT_FALSE(ComparePairs(one, one, {0}).has_value());
}

TEST(ColumnBins, GivesMissingCellsABinOfTheirOwn) {
  ColumnCells cells;
  cells.numbers = {1, 2, kNone, 3};
  const ColumnBins bins = ColumnBins::FromReal(NumberColumn("x", 0, 10), cells);
  const BinnedColumn binned = bins.Assign(cells);
  EXPECT_EQ(binned.bins[2], bins.count() - 1);
  for (const std::size_t i : {0, 1, 3}) EXPECT_LT(binned.bins[i], bins.count() - 1);
}

TEST(ColumnBins, TellsASpikeFromItsNeighbours) {
  ColumnCells real;
  for (int i = 0; i < 900; ++i) real.numbers.push_back(0.0);
  for (int i = 0; i < 100; ++i) real.numbers.push_back(i);
  const ColumnBins bins = ColumnBins::FromReal(NumberColumn("gain", -10, 1000, ColumnType::kInteger), real);
  ColumnCells probe;
  probe.numbers = {-1, 0, 1, 999};
  const BinnedColumn binned = bins.Assign(probe);
  EXPECT_NE(binned.bins[0], binned.bins[1]);
  EXPECT_NE(binned.bins[1], binned.bins[2]);
  for (const std::uint32_t bin : binned.bins) EXPECT_LT(bin, bins.count() - 1);
}

TEST(ColumnBins, TakesValuesOutsideTheRealRangeIntoTheOuterBins) {
  ColumnCells real;
  for (int i = 0; i < 1000; ++i) real.numbers.push_back(i * 0.1);
  const ColumnBins bins = ColumnBins::FromReal(NumberColumn("x", -1e9, 1e9), real);
  EXPECT_EQ(bins.count(), 21U);
  ColumnCells probe;
  probe.numbers = {-1e9, 1e9};
  EXPECT_EQ(bins.Assign(probe).bins, (std::vector<std::uint32_t>{0, 19}));
}

TEST(ColumnBins, SurvivesAColumnWithoutAnyRealValue) {
  ColumnCells real;
  real.numbers = {kNone, kNone};
  const ColumnBins bins = ColumnBins::FromReal(NumberColumn("x", 0, 1), real);
  ColumnCells probe;
  probe.numbers = {0.5, kNone};
  EXPECT_EQ(bins.Assign(probe).bins, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(bins.count(), 2U);
}

TEST(Quantile, AgreesWithLinearInterpolation) {
  const std::vector<double> sorted = {1, 2, 4, 8};
  EXPECT_DOUBLE_EQ(Quantile(sorted, 0.0), 1.0);
  EXPECT_DOUBLE_EQ(Quantile(sorted, 0.5), 3.0);
  EXPECT_DOUBLE_EQ(Quantile(sorted, 0.9), 6.8);
  EXPECT_DOUBLE_EQ(Quantile(sorted, 1.0), 8.0);
}

TEST(Association, KnowsPerfectOppositeAndConstantColumns) {
  const auto schema = SchemaOf({NumberColumn("x", -10, 10), NumberColumn("y", -10, 10), NumberColumn("flat", 0, 10),
                                CategoryColumn("c", {"a", "b", "z"}), CategoryColumn("d", {"p", "q", "r", "s"})});
  std::vector<ColumnCells> cells(5);
  cells[0].numbers = {1, 2, 1, 2, 1, 2};
  cells[1].numbers = {-1, -2, -1, -2, -1, -2};
  cells[2].numbers = {7, 7, 7, kNone, 7, 7};
  cells[3].codes = {0, 1, 0, 1, 0, 1};
  cells[4].codes = {3, 1, 3, 1, 3, 1};
  const Eigen::MatrixXd m = AssociationMatrix(TableOf(schema, cells, 6), {0, 1, 2, 3, 4});
  EXPECT_NEAR(m(0, 1), -1.0, 1e-12);
  EXPECT_NEAR(m(0, 3), 1.0, 1e-12);
  EXPECT_NEAR(m(3, 4), 1.0, 1e-12);
  for (const Eigen::Index other : {0, 1, 3, 4}) EXPECT_EQ(m(2, other), 0.0);
  EXPECT_TRUE(m.isApprox(m.transpose()));
  EXPECT_EQ(*MeanAssociationDifference(m, m), 0.0);
}

TEST(Association, OfIndependentCategoriesIsTheKnownValueOfASmallTable) {
  // Counts 3 1 / 1 3: chi^2 / n = (9/16 + 1/16 + 1/16 + 9/16) - 1 = 1/4, V = 1/2.
  const auto schema = SchemaOf({CategoryColumn("c", {"a", "b"}), CategoryColumn("d", {"p", "q"})});
  std::vector<ColumnCells> cells(2);
  cells[0].codes = {0, 0, 0, 0, 1, 1, 1, 1};
  cells[1].codes = {0, 0, 0, 1, 1, 1, 1, 0};
  EXPECT_NEAR(AssociationMatrix(TableOf(schema, cells, 8), {0, 1})(0, 1), 0.5, 1e-12);
}

TEST(Auroc, CountsTiesAsHalfAndKnowsTheEnds) {
  EXPECT_DOUBLE_EQ(*Auroc({1, 2, 3, 4}, {false, false, true, true}), 1.0);
  EXPECT_DOUBLE_EQ(*Auroc({4, 3, 2, 1}, {false, false, true, true}), 0.0);
  EXPECT_DOUBLE_EQ(*Auroc({5, 5, 5, 5}, {false, true, false, true}), 0.5);
  EXPECT_DOUBLE_EQ(*Auroc({1, 2, 2, 3}, {false, true, false, true}), 0.875);
  EXPECT_FALSE(Auroc({1, 2}, {true, true}).has_value());
  EXPECT_FALSE(Auroc({}, {}).has_value());
}

TEST(Auroc, OfManyClassesLeavesOutThoseThatDoNotOccur) {
  Eigen::MatrixXd probabilities(4, 3);
  probabilities << 0.9, 0.1, 0.0, 0.8, 0.2, 0.0, 0.1, 0.9, 0.0, 0.2, 0.8, 0.0;
  EXPECT_DOUBLE_EQ(*ClassifierAuroc(probabilities, {0, 0, 1, 1}), 1.0);
  EXPECT_FALSE(ClassifierAuroc(probabilities, {1, 1, 1, 1}).has_value());
}

TEST(ClosestRecord, AlarmsWhenTheTrainingTableItselfIsPublished) {
  const Table train = testing::Patients(400, 1);
  const Table test = testing::Patients(400, 2);
  EvaluationRandom random(0);
  const ClosestRecordScores copied = CompareClosestRecords(train, test, train, {0, 1, 2, 3}, {}, random);
  EXPECT_GT(copied.share_nearer_to_train, 0.9);
  EXPECT_EQ(copied.exact_match_share, 1.0);
  EXPECT_EQ(copied.median_distance, 0.0);
  const ClosestRecordScores fresh =
      CompareClosestRecords(train, test, testing::Patients(400, 3), {0, 1, 2, 3}, {}, random);
  // 400 rows nearer to either by chance: the share has a standard deviation of 0.025; five of them.
  EXPECT_NEAR(fresh.share_nearer_to_train, 0.5, 0.125);
  EXPECT_LT(fresh.exact_match_share, 0.2);
}

TEST(ClosestRecord, CountsAMissingCellAsAValueOfItsOwn) {
  const auto schema = SchemaOf({NumberColumn("x", 0, 10), CategoryColumn("c", {"a", "b", "z"})});
  const auto row = [&](double x, std::uint16_t code) {
    std::vector<ColumnCells> cells(2);
    cells[0].numbers = {x, x};
    cells[1].codes = {code, code};
    return TableOf(schema, cells, 2);
  };
  EvaluationRandom random(0);
  const auto compare = [&](const Table& synthetic) {
    return CompareClosestRecords(row(5, 0), row(5, 0), synthetic, {0, 1}, {}, random).median_distance;
  };
  EXPECT_EQ(compare(row(5, 0)), 0.0);
  EXPECT_EQ(compare(row(kNone, 0)), 1.0);
  EXPECT_EQ(compare(row(5, 3)), 1.0);
  EXPECT_EQ(compare(row(kNone, 3)), 2.0);
}

}  // namespace
}  // namespace synod
