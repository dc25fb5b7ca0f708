#include "models/table_diffusion/options.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "models/table_diffusion/entries.h"
#include "models/table_diffusion/model_json.h"
#include "models/tabular/histogram_sum.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::table_diffusion {
namespace {

using ::testing::HasSubstr;

Result<Options> Read(const std::string& text, const RunSize& size = {20000, 3.0}) {
  return Options::FromToml(TomlSection::Parse(text, "run.toml").value(), size);
}

TEST(DiffusionOptions, RefuseAKeyThatNobodyKnowsWithItsLine) {
  const Result<Options> options = Read("steps = 10\nstep = 11\n");
  ASSERT_FALSE(options.ok());
  EXPECT_THAT(options.error().message, HasSubstr("run.toml:2"));
  EXPECT_THAT(options.error().message, HasSubstr("step"));
}

TEST(DiffusionOptions, RefuseValuesThatAreNoneOrOutOfRange) {
  for (const char* text :
       {"time_embedding = 7", "learning_rate = nan", "learning_rate = inf", "learning_rate = 0.0", "beta1 = 1.0",
        "average_decay = -0.1", "steps = 0", "steps = 1.5", "batch = 0", "hidden = 100000", "tokens = 1", "levels = 1",
        "levels_per_row = 65", "calibration_rounds = -1", "variant = \"gaussian\"", "variant = 1", "clip = 0.5",
        "variant = \"published\"\nlevels_per_row = 2", "variant = \"denoiser\"\nlevels_per_row = 2"}) {
    EXPECT_FALSE(Read(text).ok()) << text;
  }
}

TEST(DiffusionOptions, HaveDefaultsThatSuitTheSizeOfTheRun) {
  for (const std::uint64_t units : {std::uint64_t{1}, std::uint64_t{200}, std::uint64_t{3999}, std::uint64_t{4000},
                                    std::uint64_t{1000000}, std::numeric_limits<std::uint64_t>::max()}) {
    for (const double epsilon : {0.1, 1.0, 8.0}) {
      for (const char* text : {"", "variant = \"published\"", "variant = \"denoiser\""}) {
        const Result<Options> options = Read(text, {units, epsilon});
        ASSERT_TRUE(options.ok());
        EXPECT_GE(options->batch, 1U);
        EXPECT_LE(options->batch, units);
        EXPECT_GE(options->steps, 1U);
        EXPECT_TRUE(Options::FromJson(options->ToJson()).ok()) << "defaults are in the range of every key";
      }
    }
  }
  EXPECT_LT(Read("", {300, 1.0})->hidden, Read("", {30000, 1.0})->hidden) << "a small table carries a small network";
}

TEST(DiffusionOptions, ComeBackFromJsonAsTheyWere) {
  const Options options = Read("steps = 77\nhidden = 9\nlearning_rate = 0.1\nbeta2 = 0.97\ntokens = 5").value();
  const Result<Options> again = Options::FromJson(options.ToJson());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->ToJson(), options.ToJson());
  EXPECT_EQ(again->steps, 77U);
  EXPECT_EQ(again->beta2, 0.97);
}

TEST(DiffusionOptions, RefuseJsonThatIsDamagedInAnyKey) {
  const Json good = Read("").value().ToJson();
  const Json values[] = {Json(),      Json("1"),      Json(-1),
                         Json(1e300), Json::array(),  Json(std::nan("")),
                         Json(true),  Json::object(), Json(std::numeric_limits<std::uint64_t>::max())};
  for (const auto& item : good.items()) {
    Json missing = good;
    missing.erase(item.key());
    EXPECT_FALSE(Options::FromJson(missing).ok()) << item.key();
    missing["more"] = 1;
    EXPECT_FALSE(Options::FromJson(missing).ok()) << item.key();
    for (const Json& value : values) {
      Json damaged = good;
      damaged[item.key()] = value;
      EXPECT_FALSE(Options::FromJson(damaged).ok()) << item.key() << " = " << value.dump();
    }
  }
  EXPECT_FALSE(Options::FromJson(Json::array()).ok());
}

// Batches are made of `levels` uses a row and laid out with `levels_per_row`: two numbers would end the site's program.
TEST(DiffusionOptions, RefuseAPublishedVariantThatIsOfTwoMindsAboutItsLevels) {
  Json json = Read("variant = \"published\"\nlevels = 5").value().ToJson();
  EXPECT_TRUE(Options::FromJson(json).ok());
  json["levels_per_row"] = 4;
  EXPECT_FALSE(Options::FromJson(json).ok());
}

TEST(DiffusionPlan, AsksForAHistogramAndForTheTraining) {
  for (const char* variant : {"", "variant = \"published\"\n", "variant = \"denoiser\"\n"}) {
    const auto schema = testing::MixedSchema();
    const FamilyPlan plan = testing::TryPlan({schema, 400, std::string(variant) + "steps = 12\nbatch = 40\n"}).value();
    ASSERT_EQ(plan.entries.size(), 2U);
    EXPECT_EQ(plan.entries[kHistogramEntry].dimension, tabular::HistogramSize(tabular::GridsOf(*schema)));
    EXPECT_EQ(plan.entries[kTrainingEntry].dimension, plan.layout.size() + 3);
    EXPECT_EQ(plan.entries[kTrainingEntry].count, 12U);
    EXPECT_EQ(plan.entries[kTrainingEntry].sampling_rate, 0.1);
    const Options options = Options::FromJson(plan.options).value();
    EXPECT_EQ(plan.layout, LayoutFor(tabular::GridsOf(*schema), options).value());
  }
}

TEST(DiffusionPlan, HasPartsWhoseSquaresSumToTheSquareOfTheClip) {
  const FamilyPlan plan = testing::TryPlan({testing::MixedSchema()}).value();
  double squares = 0.0;
  for (const PlanPart& part : plan.entries[kTrainingEntry].parts) squares += part.weight * part.weight;
  EXPECT_NEAR(squares, 1.0, 1e-12);
  EXPECT_EQ(plan.entries[kTrainingEntry].parts.size(), 4U);
}

// The trap: a unit is in one cell of every column, so its vector is longer than 1.
TEST(DiffusionPlan, ChargesTheHistogramOfKColumnsWithTheSquareRootOfK) {
  for (const std::size_t k : {1U, 2U, 5U, 9U}) {
    std::vector<Column> columns;
    for (std::size_t j = 0; j < k; ++j) columns.push_back(testing::Categories(fmt::format("c{}", j), 4));
    const ResolvedRun resolved = testing::Resolve({testing::SchemaOf(columns)});
    const PlanEntry& entry = resolved.run.plan->entries()[kHistogramEntry];
    EXPECT_DOUBLE_EQ(entry.clip, std::sqrt(static_cast<double>(k)));
    EXPECT_GE(entry.sensitivity, entry.grid_scale * std::sqrt(static_cast<double>(k)) * (1.0 - 1e-12));
    const double sigma = std::sqrt(static_cast<double>(entry.site_variance)) / entry.grid_scale;
    const double multiplier = entry.Event(1, 1).noise_multiplier;
    EXPECT_LE(multiplier * std::sqrt(static_cast<double>(k)), sigma) << "the noise is measured against sqrt(k)";
  }
}

TEST(DiffusionPlan, RefusesABatchOfMoreUnitsThanThereAre) {
  const Result<FamilyPlan> plan = testing::TryPlan({testing::MixedSchema(), 400, "batch = 401\n"});
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(plan.error().message, HasSubstr("401"));
  EXPECT_TRUE(testing::TryPlan({testing::MixedSchema(), 400, "batch = 400\n"}).ok());
}

TEST(DiffusionPlan, FitsARunOnlyOnItsOwnSchemaAndOptions) {
  const ResolvedRun resolved = testing::Resolve({testing::MixedSchema()});
  EXPECT_TRUE(PartsOf(resolved.run).ok());
  FamilyRun other = resolved.run;
  other.schema = testing::SchemaOf({testing::Categories("kind", 3)});
  EXPECT_FALSE(PartsOf(other).ok());
  other = resolved.run;
  other.options["hidden"] = 9;
  EXPECT_FALSE(PartsOf(other).ok());
  other.options = Json::object();
  EXPECT_FALSE(PartsOf(other).ok());
}

TEST(HistogramContext, RefusesWhatIsNoHistogram) {
  const std::vector<float> good = EncodeContext(2.5, std::vector<float>{1, -2, 3});
  EXPECT_EQ(DecodeContext(good, 3)->sigma, 2.5);
  EXPECT_FALSE(DecodeContext(good, 2).ok());
  EXPECT_FALSE(DecodeContext({}, 0).ok());
  for (const float sigma : {0.0F, -1.0F, std::nanf(""), INFINITY}) {
    EXPECT_FALSE(DecodeContext(std::vector<float>{sigma, 1, 2, 3}, 3).ok());
  }
  EXPECT_FALSE(DecodeContext(std::vector<float>{1, 2, std::nanf(""), 3}, 3).ok());
}

}  // namespace
}  // namespace synod::table_diffusion
