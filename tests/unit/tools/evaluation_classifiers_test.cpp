#include <gtest/gtest.h>

#include "tests/unit/tools/evaluation_tables.h"
#include "tools/evaluation/auroc.h"
#include "tools/evaluation/classifier_scores.h"
#include "tools/evaluation/logistic_regression.h"
#include "tools/evaluation/mlp_classifier.h"

namespace synod {
namespace {

struct Points {
  FloatRows features;
  std::vector<int> classes;
};

// The class is whether the two coordinates have one sign: no straight line tells them apart.
Points Checkerboard(std::size_t rows, std::uint64_t seed) {
  EvaluationRandom random(seed);
  Points points{FloatRows(static_cast<Eigen::Index>(rows), 2), {}};
  for (Eigen::Index i = 0; i < points.features.rows(); ++i) {
    const double x = 2.0 * random.Uniform() - 1.0;
    const double y = 2.0 * random.Uniform() - 1.0;
    points.features(i, 0) = static_cast<float>(x);
    points.features(i, 1) = static_cast<float>(y);
    points.classes.push_back(x * y > 0.0 ? 1 : 0);
  }
  return points;
}

TEST(LogisticRegression, FindsTheMinimumOfAOneWeightProblem) {
  // Rows x = +1 of class 1 and x = -1 of class 0, ten each: the intercept is 0 and w solves 20 s(-w) = w with C = 1.
  FloatRows features(20, 1);
  std::vector<int> classes;
  for (Eigen::Index i = 0; i < 20; ++i) {
    features(i, 0) = i < 10 ? 1.0F : -1.0F;
    classes.push_back(i < 10 ? 1 : 0);
  }
  const auto model = LogisticRegression::Fit(features, classes, 2);
  const double p = model.Probabilities(features)(0, 1);
  const double w = std::log(p / (1.0 - p));
  EXPECT_NEAR(20.0 / (1.0 + std::exp(w)), w, 1e-3);
}

TEST(LogisticRegression, SeparatesThreeClassesOnALine) {
  FloatRows features(300, 1);
  std::vector<int> classes;
  for (Eigen::Index i = 0; i < 300; ++i) {
    features(i, 0) = static_cast<float>(i % 3) - 1.0F;
    classes.push_back(static_cast<int>(i % 3));
  }
  const Eigen::MatrixXd p = LogisticRegression::Fit(features, classes, 3).Probabilities(features);
  EXPECT_TRUE(p.rowwise().sum().isApproxToConstant(1.0, 1e-9));
  for (Eigen::Index i = 0; i < 3; ++i) {
    Eigen::Index best = 0;
    p.row(i).maxCoeff(&best);
    EXPECT_EQ(best, i);
  }
}

TEST(LogisticRegression, StaysFiniteOnEnormousFeatures) {
  FloatRows features(4, 1);
  features << 1e6F, -1e6F, 1e6F, -1e6F;
  const Eigen::MatrixXd p = LogisticRegression::Fit(features, {1, 0, 1, 0}, 2).Probabilities(features);
  EXPECT_TRUE(p.allFinite());
  EXPECT_GT(p(0, 1), p(1, 1));
}

TEST(MlpClassifier, LearnsWhatNoStraightLineCan) {
  const Points train = Checkerboard(4000, 1);
  const Points test = Checkerboard(1000, 2);
  const auto mlp = MlpClassifier::Fit(train.features, train.classes, 2, {});
  const auto line = LogisticRegression::Fit(train.features, train.classes, 2);
  EXPECT_GT(*ClassifierAuroc(mlp.Probabilities(test.features), test.classes), 0.97);
  EXPECT_LT(*ClassifierAuroc(line.Probabilities(test.features), test.classes), 0.6);
}

TEST(MlpClassifier, GivesTheSameBitsForTheSameSeed) {
  const Points points = Checkerboard(300, 3);
  const Eigen::MatrixXd a = MlpClassifier::Fit(points.features, points.classes, 2, {}).Probabilities(points.features);
  const Eigen::MatrixXd b = MlpClassifier::Fit(points.features, points.classes, 2, {}).Probabilities(points.features);
  MlpOptions other;
  other.seed = 1;
  const Eigen::MatrixXd c =
      MlpClassifier::Fit(points.features, points.classes, 2, other).Probabilities(points.features);
  EXPECT_TRUE((a.array() == b.array()).all());
  EXPECT_FALSE((a.array() == c.array()).all());
}

TEST(DesignMatrix, HasNoUnboundedOrMissingNumber) {
  const Table narrow = testing::Patients(50, 1);
  const DesignMatrix design = DesignMatrix::Fit(narrow, {0, 1, 2, 3});
  // pressure + missing, visits + missing, three wards + missing, died + missing
  EXPECT_EQ(design.width(), 10U);
  std::vector<std::size_t> rows(50);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
  const FloatRows built = design.Build(testing::Patients(50, 2, 90.0), rows);
  EXPECT_TRUE(built.allFinite());
  EXPECT_LE(built.cwiseAbs().maxCoeff(), 50.0F);
}

TEST(Discriminate, CannotTellTwoSamplesOfOneSourceApart) {
  const Table a = testing::Patients(4000, 1);
  const ClassifierOutcome same = Discriminate(a, testing::Patients(4000, 2), {0, 1, 2, 3}, {});
  ASSERT_TRUE(same.scores.has_value());
  // 2,000 judged rows of each kind: the AUROC has a standard deviation of 0.0091; five of them (false alarm 6e-7).
  EXPECT_NEAR(same.scores->logistic, 0.5, 0.046);
  EXPECT_NEAR(same.scores->mlp, 0.5, 0.046);
}

TEST(Discriminate, TellsAShiftedTableApart) {
  const ClassifierOutcome other = Discriminate(testing::Patients(1000, 1), testing::Patients(1000, 2, 90.0), {0}, {});
  ASSERT_TRUE(other.scores.has_value());
  EXPECT_GT(other.scores->logistic, 0.9);
  EXPECT_GT(other.scores->mlp, 0.9);
}

TEST(PredictLabel, LearnsTheLabelFromAGoodTableAndNothingFromAScrambledOne) {
  const Table test = testing::Patients(2000, 1);
  const Table good = testing::Patients(2000, 2);
  const ClassifierOutcome learned = PredictLabel(good, test, {0, 1, 2, 3}, {});
  ASSERT_TRUE(learned.scores.has_value());
  EXPECT_GT(learned.scores->logistic, 0.75);
  EXPECT_GT(learned.scores->mlp, 0.75);

  std::vector<ColumnCells> cells = {good.column(0), good.column(1), good.column(2), good.column(3)};
  EvaluationRandom random(5);
  for (std::uint16_t& code : cells[3].codes) code = static_cast<std::uint16_t>(random.Below(2));
  const ClassifierOutcome scrambled =
      PredictLabel(testing::TableOf(testing::PatientSchema(), cells, 2000), test, {0, 1, 2, 3}, {});
  ASSERT_TRUE(scrambled.scores.has_value());
  EXPECT_LT(scrambled.scores->mean(), learned.scores->mean() - 0.05);
}

}  // namespace
}  // namespace synod
