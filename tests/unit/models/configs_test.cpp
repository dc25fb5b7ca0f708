// The files in configs are what people copy: each of them must parse, and each run must come to a plan.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "common/core/file.h"
#include "models/family_table.h"
#include "models/run_plan.h"
#include "models/tabular/transform_share.h"

namespace synod {
namespace {

const std::filesystem::path kConfigs = std::filesystem::path(SYNOD_SOURCE_DIR) / "configs";

std::vector<std::filesystem::path> FilesIn(const char* folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kConfigs / folder)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// A run names its schema relative to the data folder; a data folder's schema.toml is the one of its data set.
std::filesystem::path SchemaOf(const RunSpecification& run) {
  if (run.schema_file == "schema.toml") {
    return kConfigs / "schemas" / (run.name.substr(0, run.name.find('_')) + ".toml");
  }
  return kConfigs / "demo" / run.schema_file;
}

TEST(Configs, EverySchemaParsesAndComesBackFromJsonWithItsHash) {
  const auto files = FilesIn("schemas");
  ASSERT_GE(files.size(), 5U);
  for (const auto& file : files) {
    const Result<Schema> schema = Schema::FromFile(file);
    ASSERT_TRUE(schema.ok()) << schema.error().message;
    EXPECT_GE(schema->label(), 0) << file;
    const Result<Schema> again = Schema::FromJson(schema->ToJson());
    ASSERT_TRUE(again.ok()) << file << ": " << again.error().message;
    EXPECT_EQ(again->Hash(), schema->Hash()) << file;
  }
}

TEST(Configs, EveryRunParsesAndPlans) {
  const auto files = FilesIn("runs");
  ASSERT_GE(files.size(), 5U);
  for (const auto& file : files) {
    const Result<RunSpecification> run = RunSpecification::FromFile(file);
    ASSERT_TRUE(run.ok()) << run.error().message;
    EXPECT_EQ(run->name, file.stem().string());
    EXPECT_TRUE(run->warnings.empty()) << file;
    EXPECT_LT(run->privacy.delta, 1.0 / static_cast<double>(run->privacy.units)) << file;
    Result<Schema> schema = Schema::FromFile(SchemaOf(*run));
    ASSERT_TRUE(schema.ok()) << file << ": " << schema.error().message;
    const auto shared = std::make_shared<const Schema>(std::move(schema).value());
    const Result<ResolvedRun> resolved = ResolveRun(*run, shared, Aggregation::kCurator);
    ASSERT_TRUE(resolved.ok()) << file << ": " << resolved.error().message;
  }
}

// Few rows with many columns give their histogram more than many rows do; a [budget] is taken as it stands.
TEST(Configs, ARunWithoutABudgetHasTheShareThatItsRowsAndColumnsAskFor) {
  const auto share = [](const std::string& name, const std::string& more) {
    const std::string text = ReadFile(kConfigs / "runs" / (name + ".toml"), 1 << 20).value() + more;
    const RunSpecification run = RunSpecification::FromToml(text, name).value();
    return PlanFamily(run, Schema::FromFile(SchemaOf(run)).value()).value().entries[0].budget_share;
  };
  EXPECT_EQ(share("support2_table_diffusion", ""), tabular::TransformShare(36, 7284, 1.0, 5.6e-5));
  EXPECT_EQ(share("adult_table_diffusion", ""), tabular::kLeastShare);
  EXPECT_EQ(share("support2_table_diffusion", "[budget]\ntransforms = 0.2\ntraining = 0.8\n"), 0.2);
}

}  // namespace
}  // namespace synod
