#include "models/recommendation/recommendation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/family_table.h"
#include "tests/unit/models/model_fixture.h"

namespace synod {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kHeader =
    "data,rows,columns,numeric_columns,family,variant,epsilon,seed,tvd1,tvd2,auroc,discriminator,train_seconds,"
    "sample_rows_per_second,peak_mebibytes\n";

std::vector<MeasuredResult> Parsed(const std::string& lines) {
  Result<std::vector<MeasuredResult>> results = ParseMeasuredResults(kHeader + lines);
  EXPECT_TRUE(results.ok()) << (results.ok() ? "" : results.error().message);
  return results.ok() ? std::move(results).value() : std::vector<MeasuredResult>();
}

TEST(MeasuredResults, ThatAreBuiltInAreOfFamiliesThatThisBuildKnows) {
  ASSERT_FALSE(MeasuredResults().empty());
  const std::vector<std::string_view> known = FamilyNames();
  for (const MeasuredResult& result : MeasuredResults()) {
    EXPECT_NE(std::find(known.begin(), known.end(), result.family), known.end()) << result.family;
    EXPECT_LE(result.tvd1, 1.0);
    EXPECT_LE(result.tvd2, 1.0);
    EXPECT_LE(result.auroc, 1.0);
    EXPECT_LE(result.discriminator, 1.0);
    EXPECT_LE(result.numeric_columns, result.columns);
  }
}

TEST(MeasuredResults, AreRefusedWithTheLineAndTheColumn) {
  const std::string good = "t,1000,5,2,f,,1,0,0.1,0.2,0.8,0.9,10,1000,50\n";
  EXPECT_EQ(Parsed(good).size(), 1U);
  const auto refusal = [](const std::string& text) {
    const Result<std::vector<MeasuredResult>> results = ParseMeasuredResults(text);
    return results.ok() ? std::string("taken") : results.error().message;
  };
  EXPECT_THAT(refusal(good), HasSubstr("names of their columns"));
  EXPECT_THAT(refusal(kHeader + good + "t,1000,5\n"), HasSubstr("line 3"));
  EXPECT_THAT(refusal(kHeader + std::string("t,1000,5,2,f,,1,0,0.1,x,0.8,0.9,10,1000,50\n")), HasSubstr("tvd2"));
  EXPECT_THAT(refusal(kHeader + std::string("t,1000,5,2,f,,1,0,0.1,,0.8,0.9,10,1000,50\n")), HasSubstr("tvd2"));
  EXPECT_THAT(refusal(kHeader + std::string("t,1000,5,2,f,,nan,0,0.1,0.1,0.8,0.9,10,1000,50\n")), HasSubstr("epsilon"));
  EXPECT_THAT(refusal(kHeader + std::string("t,-1,5,2,f,,1,0,0.1,0.1,0.8,0.9,10,1000,50\n")), HasSubstr("rows"));
  EXPECT_THAT(refusal(kHeader + std::string("t,0,5,2,f,,1,0,0.1,0.1,0.8,0.9,10,1000,50\n")), HasSubstr("no rows"));
}

// A small table and a large one on which another family is best.
std::vector<MeasuredResult> TwoTables() {
  return Parsed(
      "small,700,18,9,plain,,1,0,0.1,0.30,0.80,0.9,1,1000,50\n"
      "small,700,18,9,deep,a,1,0,0.1,0.40,0.60,0.9,9,1000,50\n"
      "large,30000,15,6,plain,,1,0,0.1,0.09,0.55,0.99,1,1000,50\n"
      "large,30000,15,6,deep,a,1,0,0.1,0.02,0.88,0.7,9,1000,50\n"
      "large,30000,15,6,deep,a,1,1,0.1,0.06,0.90,0.7,9,1000,50\n"
      "large,30000,15,6,deep,b,1,0,0.1,0.05,0.80,0.8,9,1000,50\n"
      "large,30000,15,6,plain,,10,0,0.1,0.01,0.99,0.5,1,1000,50\n");
}

TEST(Recommendation, IsTheBestFamilyOfTheTableThatIsMostLike) {
  const Recommendation small = Recommend({800, 20, 10, 1.0}, TwoTables()).value();
  EXPECT_EQ(small.data, "small");
  EXPECT_EQ(small.ranked.front().family, "plain");
  const Recommendation large = Recommend({50000, 12, 5, 1.0}, TwoTables()).value();
  EXPECT_EQ(large.data, "large");
  ASSERT_EQ(large.ranked.size(), 3U);
  EXPECT_EQ(large.ranked.front().variant, "a");
  EXPECT_EQ(large.ranked.front().seeds, 2U);
  EXPECT_NEAR(large.ranked.front().tvd2, 0.04, 1e-12) << "the mean over seeds";
  EXPECT_TRUE(large.is_near);
}

// Fewer units at a larger epsilon drown in as much noise.
TEST(Recommendation, TakesUnitsTimesEpsilonForTheSize) {
  EXPECT_EQ(Recommend({3000, 15, 6, 10.0}, TwoTables()).value().size.epsilon, 1.0);
  EXPECT_EQ(Recommend({30000, 15, 6, 10.0}, TwoTables()).value().size.epsilon, 10.0);
}

TEST(Recommendation, SaysWhereNoMeasuredTableIsNear) {
  const Recommendation far = Recommend({40, 900, 900, 0.01}, TwoTables()).value();
  EXPECT_FALSE(far.is_near);
  EXPECT_THAT(RecommendationText(far, "deep", "a"), HasSubstr("take it as a hint"));
}

TEST(Recommendation, NamesTheRunsOwnFamilyToo) {
  const Recommendation large = Recommend({30000, 15, 6, 1.0}, TwoTables()).value();
  EXPECT_THAT(RecommendationText(large, "deep", "a"), HasSubstr("as this run asks"));
  const std::string other = RecommendationText(large, "plain", "");
  EXPECT_THAT(other, Not(HasSubstr("as this run asks")));
  EXPECT_THAT(other, HasSubstr("plain"));
  EXPECT_EQ(RecommendationJson(large)["ranked"].size(), 3U);
}

TEST(Recommendation, NeedsASizeAndSomethingMeasured) {
  EXPECT_FALSE(Recommend({0, 15, 6, 1.0}, TwoTables()).ok());
  EXPECT_FALSE(Recommend({100, 0, 0, 1.0}, TwoTables()).ok());
  EXPECT_FALSE(Recommend({100, 15, 6, 0.0}, TwoTables()).ok());
  EXPECT_FALSE(Recommend({100, 15, 6, 1.0}, {}).ok());
}

TEST(Recommendation, CountsTheColumnsThatAreModelled) {
  const TableSize size = SizeOf(*testing::MixedSchema(true), 9, 2.0);
  EXPECT_EQ(size.columns, 4U) << "without the subject";
  EXPECT_EQ(size.numeric_columns, 2U);
}

}  // namespace
}  // namespace synod
