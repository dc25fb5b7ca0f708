#include "models/spline_flow/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/spline_flow/stage_world.h"

namespace synod::spline_flow {
namespace {

using ::testing::HasSubstr;

Result<FamilyPlan> Plan(const std::string& model, std::shared_ptr<const Schema> schema = testing::MixedSchema()) {
  testing::RunRequest request{std::move(schema)};
  request.family = "spline_flow";
  request.model = model;
  return testing::TryPlan(request);
}

TEST(SplineOptions, RefusesWhatIsOutOfRangeAndSaysTheRange) {
  const struct {
    const char* model;
    const char* said;
  } cases[] = {
      {"hidden = 0\n", "4096"},
      {"hidden = 5000\n", "4096"},
      {"variant = \"coupling\"\nstages = 0\n", "32"},
      {"variant = \"coupling\"\nbins = 1\n", "64"},
      {"variant = \"coupling\"\ntail = 0.5\n", "10"},
      {"variant = \"coupling\"\ndraws_per_row = 65\n", "64"},
      {"clipping = \"per_neuron\"\nkeep_rate = 0.0\n", "0.01"},
      {"clipping = \"per_neuron\"\nkeep_rate = 1.5\n", "0.01"},
      {"keep_rate = 0.5\n", "per_neuron"},
      {"variant = \"inverse\"\n", "autoregressive"},
      {"label = \"middle\"\n", "last"},
      {"slopes = \"steep\"\n", "learned"},
      {"shared = 1\n", "shared"},
      {"calibration_rounds = 101\n", "100"},
      {"bins = 8\n", "autoregressive"},
      {"variant = \"coupling\"\nlabel = \"first\"\n", "coupling"},
      {"learning_rate = 0.0\n", "learning_rate"},
      {"layers = 2\n", "layers"},
      {"clip = 2.0\n", "privacy.clip"},
      {"batch = 401\n", "400"},
  };
  for (const auto& one : cases) {
    const Result<FamilyPlan> plan = Plan(one.model);
    ASSERT_FALSE(plan.ok()) << one.model;
    EXPECT_EQ(plan.error().code, ErrorCode::kBadInput) << one.model;
    EXPECT_THAT(plan.error().message + plan.error().hint, HasSubstr(one.said)) << one.model;
  }
}

TEST(SplineOptions, CouplingNeedsTwoColumns) {
  const auto one = testing::SchemaOf({testing::Number("x", ColumnType::kContinuous, 0, 1)});
  EXPECT_TRUE(Plan("", one).ok());
  const Result<FamilyPlan> plan = Plan("variant = \"coupling\"\n", one);
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.error().message, HasSubstr("two columns"));
}

TEST(SplineOptions, ComeBackFromTheirJson) {
  Options options = testing::SmallSpline(Variant::kCoupling);
  options.shared = false;
  options.clipping = gradient_family::Clipping::kPerNeuron;
  options.keep_rate = 0.25;
  const Json json = options.ToJson();
  EXPECT_EQ(Options::FromJson(json)->ToJson(), json);
  for (const auto& [key, value] : json.items()) {
    Json less = json;
    less.erase(key);
    EXPECT_FALSE(Options::FromJson(less).ok()) << key;
    Json other = json;
    other[key] = Json::array();
    EXPECT_FALSE(Options::FromJson(other).ok()) << key;
  }
  Json more = json;
  more["further"] = 1;
  EXPECT_FALSE(Options::FromJson(more).ok());
  Json contradiction = json;
  contradiction["clipping"] = "flat";
  EXPECT_FALSE(Options::FromJson(contradiction).ok());
}

TEST(SplineOptions, EveryKeyOfAVariantIsTaken) {
  EXPECT_TRUE(Plan("shared = false\nhidden = 4\nlabel = \"first\"\nslopes = \"learned\"\ncalibration_rounds = 0\n"
                   "clipping = \"per_neuron\"\nkeep_rate = 0.5\ntokens = 8\n")
                  .ok());
  EXPECT_TRUE(Plan("variant = \"coupling\"\nshared = false\nhidden = 4\nstages = 2\nbins = 4\ntail = 3\n"
                   "draws_per_row = 2\nclipping = \"per_neuron\"\nkeep_rate = 0.5\n")
                  .ok());
}

}  // namespace
}  // namespace synod::spline_flow
