#include "tools/evaluation/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/shared_data.h"
#include "tests/unit/tools/evaluation_tables.h"
#include "tools/evaluation/report.h"

namespace synod {
namespace {

using testing::CategoryColumn;
using testing::kNone;
using testing::NumberColumn;
using testing::Patients;
using testing::PatientSchema;
using testing::SchemaOf;
using testing::TableOf;

// The JSON writer refuses a number that is not finite, so that it proves that none is there.
void ExpectFinite(const Evaluation& evaluation) {
  const Result<std::string> text = CanonicalJsonText(ToJson(evaluation));
  EXPECT_TRUE(text.ok());
  EXPECT_TRUE(evaluation.association_real.allFinite() && evaluation.association_synthetic.allFinite());
  const ReportInput input{"t", {}, {}, RealData::kPrivate, evaluation};
  EXPECT_THAT(RenderReport(input), ::testing::Not(::testing::HasSubstr("nan")));
}

TEST(Evaluate, RefusesATableWithoutRowsAndNamesIt) {
  const Table full = Patients(50, 1);
  const Table empty = TableOf(PatientSchema(), std::vector<ColumnCells>(4), 0);
  const auto check = [](const Result<Evaluation>& result, const char* name) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(result.error().message, ::testing::HasSubstr(name));
  };
  check(Evaluate(empty, full, full, {}), "real training");
  check(Evaluate(full, empty, full, {}), "real test");
  check(Evaluate(full, full, empty, {}), "synthetic");
}

TEST(Evaluate, RefusesTablesOfDifferentSchemas) {
  std::vector<ColumnCells> cells(1);
  cells[0].numbers = {1};
  const Table other = TableOf(SchemaOf({NumberColumn("pressure", 0, 300)}), cells, 1);
  const Result<Evaluation> result = Evaluate(Patients(50, 1), Patients(50, 2), other, {});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kBadInput);
}

TEST(Evaluate, RefusesLimitsThatLeaveNothing) {
  EvaluationOptions options;
  options.closest.real_rows = 0;
  EXPECT_FALSE(Evaluate(Patients(50, 1), Patients(50, 2), Patients(50, 3), options).ok());
}

TEST(Evaluate, HasANumberOrASentenceForOneRow) {
  const Result<Evaluation> result = Evaluate(Patients(1, 1), Patients(1, 2), Patients(1, 3), {});
  ASSERT_TRUE(result.ok());
  EXPECT_FALSE(result->discriminator.scores.has_value());
  EXPECT_FALSE(result->notes.empty());
  ExpectFinite(*result);
}

TEST(Evaluate, ScoresASyntheticTableOfOneClassAsChanceAndSaysSo) {
  Table made = Patients(100, 3);
  std::vector<ColumnCells> cells = {made.column(0), made.column(1), made.column(2), made.column(3)};
  for (std::uint16_t& code : cells[3].codes) code = 0;
  const Result<Evaluation> result =
      Evaluate(Patients(200, 1), Patients(200, 2), TableOf(PatientSchema(), cells, 100), {});
  ASSERT_TRUE(result.ok());
  ASSERT_TRUE(result->trained_on_synthetic.scores.has_value());
  EXPECT_EQ(result->trained_on_synthetic.scores->mean(), 0.5);
  EXPECT_THAT(result->notes, ::testing::Contains(::testing::HasSubstr("Trained on synthetic data")));
  ExpectFinite(*result);
}

TEST(Evaluate, SkipsPredictionWithoutALabelAndSaysSo) {
  const auto schema = SchemaOf({NumberColumn("only", 0, 1)});
  std::vector<ColumnCells> cells(1);
  for (int i = 0; i < 40; ++i) cells[0].numbers.push_back(i / 40.0);
  const Table table = TableOf(schema, cells, 40);
  const Result<Evaluation> result = Evaluate(table, table, table, {});
  ASSERT_TRUE(result.ok());
  EXPECT_FALSE(result->trained_on_real.scores.has_value());
  EXPECT_FALSE(result->synthetic.pair_mean.has_value());
  EXPECT_THAT(result->notes, ::testing::Contains(::testing::HasSubstr("names no label")));
  ExpectFinite(*result);
}

TEST(Evaluate, SurvivesConstantAndEmptyColumns) {
  const auto schema = SchemaOf({NumberColumn("flat", 5, 5, ColumnType::kInteger), NumberColumn("void", 0, 1),
                                CategoryColumn("one", {"x"}), NumberColumn("day", 0, 4e9, ColumnType::kDatetime),
                                CategoryColumn("label", {"a", "b", "c"}, ColumnRole::kLabel)});
  std::vector<ColumnCells> cells(5);
  for (int i = 0; i < 60; ++i) {
    cells[0].numbers.push_back(5);
    cells[1].numbers.push_back(kNone);
    cells[2].codes.push_back(0);
    cells[3].numbers.push_back(1e9);
    cells[4].codes.push_back(static_cast<std::uint16_t>(i % 3));
  }
  const Table table = TableOf(schema, cells, 60);
  const Result<Evaluation> result = Evaluate(table, table, table, {});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->synthetic.marginal_mean, 0.0);
  EXPECT_EQ(result->columns[1].real.missing, 1.0);
  ExpectFinite(*result);
}

TEST(Evaluate, FindsTheColumnThatIsWrongAndSeesMissingCells) {
  const Result<Evaluation> result = Evaluate(Patients(800, 1), Patients(800, 2), Patients(800, 3, 90.0), {});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->synthetic.marginal_worst, "pressure");
  EXPECT_GT(result->synthetic.marginal_maximum, 0.5);
  EXPECT_LT(result->holdout.marginal_maximum, 0.2);
  EXPECT_NEAR(result->columns[0].real.missing, 0.05, 0.04);
  ExpectFinite(*result);
}

TEST(Evaluate, GivesTheSameNumbersTwice) {
  const auto run = [] { return ToJson(*Evaluate(Patients(300, 1), Patients(300, 2), Patients(300, 3), {})).dump(); };
  EXPECT_EQ(run(), run());
}

TEST(Evaluate, CountsTheCellsThatTheReaderHadToChange) {
  EvaluationOptions options;
  options.train_classifiers = false;
  options.invalid_synthetic_cells = 20;
  const Result<Evaluation> result = Evaluate(Patients(50, 1), Patients(50, 2), Patients(50, 3), options);
  ASSERT_TRUE(result.ok());
  EXPECT_DOUBLE_EQ(result->invalid_cell_share, 0.1);
  options.dropped_synthetic_rows = 50;
  EXPECT_DOUBLE_EQ(Evaluate(Patients(50, 1), Patients(50, 2), Patients(50, 3), options)->invalid_cell_share, 0.05);
}

// Numbers of an independent implementation (NumPy, pandas) on the real test set of Adult in the place of a synthetic
// one.
TEST(Evaluate, AgreesWithAnIndependentImplementationOnAdult) {
  SYNOD_SHARED_OR_SKIP(schema_path, "data/adult/schema.toml");
  SYNOD_SHARED_OR_SKIP(train_path, "data/adult/train.csv");
  SYNOD_SHARED_OR_SKIP(test_path, "data/adult/test.csv");
  const Result<Schema> schema = Schema::FromFile(schema_path);
  ASSERT_TRUE(schema.ok());
  const auto shared = std::make_shared<const Schema>(*schema);
  const Table train = testing::ReadPlainCsv(train_path, shared);
  const Table test = testing::ReadPlainCsv(test_path, shared);
  EvaluationOptions options;
  options.train_classifiers = false;
  const Result<Evaluation> result = Evaluate(train, test, test, options);
  ASSERT_TRUE(result.ok());
  EXPECT_NEAR(result->synthetic.marginal_mean, 0.008616793039319025, 1e-9);
  EXPECT_NEAR(result->synthetic.marginal_maximum, 0.019422942796309666, 1e-9);
  EXPECT_EQ(result->synthetic.marginal_worst, "fnlwgt");
  EXPECT_NEAR(*result->synthetic.pair_mean, 0.023624856993368595, 1e-9);
  EXPECT_NEAR(result->synthetic.pair_maximum, 0.07611728593976838, 1e-9);
  EXPECT_NEAR(*result->synthetic.association_difference, 0.006202104332019224, 1e-9);
  EXPECT_NEAR(result->closest.exact_match_share, 0.0014126896382286101, 1e-9);
  // Medians of three random samples of the same tables were 0.638, 0.648, 0.587.
  EXPECT_NEAR(result->closest.median_distance_holdout, 0.62, 0.08);
}

}  // namespace
}  // namespace synod
