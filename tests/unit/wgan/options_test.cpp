#include "models/wgan/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "models/wgan/shape.h"
#include "tests/unit/wgan/wgan_fixture.h"

namespace synod::wgan {
namespace {

using ::testing::HasSubstr;

Result<Options> Read(const std::string& text, const RunSize& size = {20000, 3.0}) {
  return Options::FromToml(TomlSection::Parse(text, "run.toml").value(), size);
}

TEST(WganOptions, RefuseValuesOutOfRangeAndKeysThatNobodyKnows) {
  for (const char* text : {"critic_hidden = 0",
                           "critic_layers = 5",
                           "latent = 0",
                           "generator_hidden = 3000",
                           "generator_layers = 0",
                           "generator_steps = 0",
                           "generator_rows = 0",
                           "calibration_rounds = -1",
                           "clamp = 0.0",
                           "clamp = inf",
                           "critic_decay = 1.0",
                           "generator_learning_rate = nan",
                           "one_way_weight = -1.0",
                           "learning_rate = 0.0",
                           "clip = 0.5",
                           "critic = 3",
                           "clipping = \"per_layer\"",
                           "clipping = \"per_neuron\"",
                           "clipping = \"none\"",
                           "steps = 0"}) {
    EXPECT_FALSE(Read(text).ok()) << text;
  }
  EXPECT_THAT(Read("steps = 2\nclamp = 1000.0").error().message, HasSubstr("run.toml:2"));
  EXPECT_THAT(Read("latent = 2000").error().message, HasSubstr("1024")) << "the allowed range";
}

TEST(WganOptions, HaveDefaultsThatSuitTheSizeOfTheRun) {
  for (const std::uint64_t units : {std::uint64_t{1}, std::uint64_t{200}, std::uint64_t{5000}, std::uint64_t{1000000},
                                    std::numeric_limits<std::uint64_t>::max()}) {
    for (const double epsilon : {0.1, 1.0, 8.0}) {
      const Result<Options> options = Read("", {units, epsilon});
      ASSERT_TRUE(options.ok());
      EXPECT_GE(options->batch, 1U);
      EXPECT_LE(options->batch, units);
      EXPECT_TRUE(Options::FromJson(options->ToJson()).ok()) << "defaults are in the range of every key";
    }
  }
}

TEST(WganOptions, RefuseJsonThatIsDamagedInAnyKey) {
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
  Json neurons = good;
  neurons["clipping"] = "per_neuron";
  EXPECT_FALSE(Options::FromJson(neurons).ok());
}

// The gradients are the critic's, what is published is the generator.
TEST(WganPlan, AsksForTheCriticAndPublishesTheGenerator) {
  const ResolvedRun resolved = testing::Resolve(
      {testing::MixedSchema(), 400, "critic_hidden = 5\nlatent = 3\ngenerator_hidden = 4\n", 3.0, 1, "wgan"});
  const Result<ModelParts> parts = PartsOf(resolved.run);
  ASSERT_TRUE(parts.ok());
  const Shape shape(parts->grids, parts->options);
  const PlanEntry& training = resolved.run.plan->entries()[1];
  EXPECT_EQ(training.dimension, static_cast<std::size_t>(shape.critic_builder.size()) + 3);
  EXPECT_EQ(resolved.layout, parts->generator_layout);
  EXPECT_EQ(resolved.layout.size(), static_cast<std::size_t>(shape.generator_builder.size()));
  FamilyRun other = resolved.run;
  other.options["critic_hidden"] = 6;
  EXPECT_FALSE(PartsOf(other).ok());
  other = resolved.run;
  other.schema = testing::SchemaOf({testing::Categories("kind", 3)});
  EXPECT_FALSE(PartsOf(other).ok());
}

}  // namespace
}  // namespace synod::wgan
