// The files in configs are what people copy: each of them must parse, and each run must come to a plan.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "models/run_plan.h"

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

}  // namespace
}  // namespace synod
