// The family without LibTorch as a user has it: trained, inspected, verified and sampled with the tool alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "common/core/canonical_json.h"
#include "tests/integration/program.h"
#include "tests/support/shared_data.h"

namespace synod::testing {
namespace {

using ::testing::HasSubstr;

// A folder with run.toml of this family, beside the schema and table of WardFolder.
std::string ColumnsFolder(const std::string& options = "rounds = 2\n") {
  const std::string folder = TemporaryFolder();
  for (const char* file : {"schema.toml", "train.csv"}) {
    std::filesystem::copy_file(WardFolder() + "/" + file, folder + "/" + file);
  }
  WriteText(folder + "/run.toml",
            "[run]\nname = \"columns\"\nseed = 1\nsites = 3\n[schema]\nfile = \"schema.toml\"\n[data]\n"
            "train = \"train.csv\"\n[model]\nfamily = \"independent_columns\"\n" +
                options + "[privacy]\nepsilon = 3.0\ndelta = 1e-3\nunits = 300\n");
  return folder;
}

std::string TrainedFile(const std::string& folder) {
  const ProgramRun run = RunTool({"simulate", folder + "/run.toml", "--data", folder, "--out", folder + "/out"});
  EXPECT_EQ(run.exit_code, 0) << run.both();
  return folder + "/out/generator.synod";
}

TEST(IndependentColumnsTool, TrainsInspectsVerifiesAndSamplesWithoutLibTorch) {
  SYNOD_TOOL_OR_SKIP();
  const std::string folder = ColumnsFolder();
  const std::string file = TrainedFile(folder);
  const ProgramRun inspected = RunTool({"inspect", file});
  EXPECT_EQ(inspected.exit_code, 0);
  EXPECT_THAT(inspected.out, HasSubstr("independent_columns"));
  const ProgramRun verified = RunTool({"verify", file});
  EXPECT_EQ(verified.exit_code, 8) << "a simulation is no guarantee of a federation";
  EXPECT_THAT(verified.out, HasSubstr("Outcome: simulation"));
  const ProgramRun sampled = RunTool({"sample", file, "-n", "9000", "-o", folder + "/rows.csv"});
  ASSERT_EQ(sampled.exit_code, 0) << sampled.both();
  const std::string rows = ReadText(folder + "/rows.csv");
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 9001);
  std::string shards;
  for (const char* shard : {"1/3", "2/3", "3/3"}) {
    ASSERT_EQ(RunTool({"sample", file, "-n", "9000", "--shard", shard, "-o", folder + "/part.csv"}).exit_code, 0);
    shards += ReadText(folder + "/part.csv");
  }
  EXPECT_EQ(shards, rows);
}

TEST(IndependentColumnsTool, AConditionSetsItsColumn) {
  SYNOD_TOOL_OR_SKIP();
  const std::string folder = ColumnsFolder();
  const std::string file = TrainedFile(folder);
  const std::string rows = folder + "/rows.csv";
  ASSERT_EQ(RunTool({"sample", file, "-n", "200", "--where", "sex=f", "-o", rows}).exit_code, 0);
  const std::string text = ReadText(rows);
  EXPECT_THAT(text, HasSubstr(",f,"));
  EXPECT_EQ(text.find(",m,"), std::string::npos);
}

TEST(IndependentColumnsTool, RefusesOptionsOfAnotherFamilyWithTheirLine) {
  SYNOD_TOOL_OR_SKIP();
  const std::string folder = ColumnsFolder("rounds = 2\nsteps = 3\n");
  const ProgramRun run = RunTool({"plan", folder + "/run.toml", "--data", folder});
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_THAT(run.err, HasSubstr("steps"));
}

}  // namespace
}  // namespace synod::testing
