#include "models/attention/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "models/attention/entries.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::attention {
namespace {

using ::testing::HasSubstr;

Result<Options> Read(const std::string& text, const RunSize& size = {20000, 3.0}) {
  return Options::FromToml(TomlSection::Parse(text, "run.toml").value(), size);
}

TEST(AttentionOptions, RefuseAKeyThatNobodyKnowsWithItsLine) {
  const Result<Options> options = Read("steps = 10\nlatents = 11\n");
  ASSERT_FALSE(options.ok());
  EXPECT_THAT(options.error().message, HasSubstr("run.toml:2"));
  EXPECT_THAT(options.error().message, HasSubstr("latents"));
}

TEST(AttentionOptions, RefuseValuesOutOfRange) {
  for (const char* text : {"width = 0",
                           "width = 1025",
                           "heads = 0",
                           "heads = 65",
                           "width = 32\nheads = 5",
                           "hidden = 0",
                           "hidden = 4097",
                           "latent = -1",
                           "latent = 257",
                           "kl_weight = -0.1",
                           "kl_weight = nan",
                           "kl_weight = 101.0",
                           "draws_per_row = 0",
                           "draws_per_row = 65",
                           "calibration_rounds = 101",
                           "decoding = \"both\"",
                           "decoding = 1",
                           "clip = 0.5",
                           "decoding = \"together\"\nlatent = 0",
                           "steps = 0",
                           "tokens = 1"}) {
    EXPECT_FALSE(Read(text).ok()) << text;
  }
}

TEST(AttentionOptions, SayWhichValuesAreAllowed) {
  const Result<Options> options = Read("latent = 257");
  ASSERT_FALSE(options.ok());
  EXPECT_THAT(options.error().message + options.error().hint, HasSubstr("256"));
}

TEST(AttentionOptions, HaveDefaultsThatSuitTheSizeOfTheRun) {
  for (const std::uint64_t units : {std::uint64_t{1}, std::uint64_t{200}, std::uint64_t{3999}, std::uint64_t{4000},
                                    std::uint64_t{1000000}, std::numeric_limits<std::uint64_t>::max()}) {
    for (const double epsilon : {0.1, 1.0, 8.0}) {
      for (const char* text : {"", "decoding = \"together\""}) {
        const Result<Options> options = Read(text, {units, epsilon});
        ASSERT_TRUE(options.ok());
        EXPECT_GE(options->batch, 1U);
        EXPECT_LE(options->batch, units);
        EXPECT_TRUE(Options::FromJson(options->ToJson()).ok()) << "defaults are in the range of every key";
      }
    }
  }
  EXPECT_LT(Read("", {300, 1.0})->width, Read("", {30000, 1.0})->width) << "a small table carries a small network";
  EXPECT_EQ(Read("", {7000, 1.0})->latent, 0U) << "a latent vector costs a small table more than it gives";
  EXPECT_GT(Read("", {30000, 1.0})->latent, 0U);
  EXPECT_GT(Read("decoding = \"together\"", {7000, 1.0})->latent, 0U) << "nothing else tells columns of each other";
  EXPECT_EQ(Read("latent = 3", {7000, 1.0})->latent, 3U);
}

TEST(AttentionOptions, ComeBackFromJsonAsTheyWere) {
  const Options options = Read("steps = 77\nwidth = 12\nheads = 3\nkl_weight = 0.5\ndecoding = \"together\"").value();
  const Result<Options> again = Options::FromJson(options.ToJson());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->ToJson(), options.ToJson());
  EXPECT_EQ(again->decoding, Decoding::kTogether);
}

TEST(AttentionOptions, RefuseJsonThatIsDamagedInAnyKey) {
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
  Json uneven = good;
  uneven["heads"] = 5;
  EXPECT_FALSE(Options::FromJson(uneven).ok()) << "heads that do not divide the width";
  Json silent = good;
  silent["decoding"] = "together";
  silent["latent"] = 0;
  EXPECT_FALSE(Options::FromJson(silent).ok()) << "nothing to decode from";
}

TEST(AttentionPlan, FitsARunOnlyOnItsOwnSchemaAndOptions) {
  const ResolvedRun resolved =
      testing::Resolve({testing::MixedSchema(), 400, "steps = 5\n", 3.0, 1, "attention", Aggregation::kCurator});
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

TEST(AttentionPlan, CountsEveryParameterOfEncoderAndDecodersInTheOneQuery) {
  const FamilyPlan plan = testing::TryPlan({testing::MixedSchema(), 400, "steps = 5\nlatent = 2\n", 3.0, 1, "attention",
                                            Aggregation::kCurator})
                              .value();
  ASSERT_EQ(plan.entries.size(), 2U);
  EXPECT_EQ(plan.entries[1].dimension, plan.layout.size() + 3);
  const auto has = [&](const std::string& name) {
    for (const ParameterPart& part : plan.layout.parts()) {
      if (part.name == name) return true;
    }
    return false;
  };
  for (const char* name : {"column.0.weight", "latent.weight", "key.weight", "places.value", "queries.value",
                           "hidden.weight", "posterior.weight", "head.3.weight"}) {
    EXPECT_TRUE(has(name)) << name;
  }
}

}  // namespace
}  // namespace synod::attention
