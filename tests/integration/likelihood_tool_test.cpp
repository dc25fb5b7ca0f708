// The likelihood of a table's rows, from the command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "common/core/canonical_json.h"
#include "tests/integration/program.h"
#include "tests/support/shared_data.h"

namespace synod {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::ProgramRun;
using testing::ReadText;
using testing::RunTool;
using testing::WardFolder;
using testing::WardGenerator;
using testing::WriteText;

// The ward's run with this family.
std::string FlowGenerator(const std::string& folder) {
  std::string text = ReadText(folder + "/run.toml");
  const std::string other = "table_diffusion";
  const std::size_t at = text.find(other);
  EXPECT_NE(at, std::string::npos);
  text.replace(at, other.size(), "spline_flow");
  WriteText(folder + "/flow.toml", text);
  const ProgramRun run = RunTool({"simulate", folder + "/flow.toml", "--data", folder, "--out", folder + "/flow"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  return folder + "/flow/generator.synod";
}

TEST(Likelihood, IsGivenForEveryRowInItsMeanAndByColumn) {
  SYNOD_TRAINING_OR_SKIP();
  const std::string folder = WardFolder();
  const std::string generator = FlowGenerator(folder);
  const std::string out = folder + "/likelihood.csv";
  const ProgramRun run =
      RunTool({"--format", "json", "likelihood", generator, "--in", folder + "/train.csv", "--out", out});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("without a privacy plan"));
  const Result<Json> envelope = ParseJson(run.out, 1 << 20, 32);
  ASSERT_TRUE(envelope.ok());
  const std::string text = run.out;
  for (const char* said : {"\"mean\"", "\"columns\"", "\"age\"", "\"died\"", "\"measure\""}) {
    EXPECT_THAT(text, HasSubstr(said));
  }
  const std::string rows = ReadText(out);
  const std::string table = ReadText(folder + "/train.csv");
  EXPECT_TRUE(rows.starts_with("row,log_likelihood\n1,"));
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), std::count(table.begin(), table.end(), '\n'));
}

TEST(Likelihood, RowsThatBreakTheSchemaAreLeftOutOrRefuseAFileOfRows) {
  SYNOD_TRAINING_OR_SKIP();
  const std::string folder = WardFolder();
  const std::string generator = FlowGenerator(folder);
  WriteText(folder + "/odd.csv", ReadText(folder + "/train.csv") + "30,UNIQUEMARK,1.5,no\n");
  const ProgramRun mean = RunTool({"likelihood", generator, "--in", folder + "/odd.csv"});
  EXPECT_EQ(mean.exit_code, 0) << mean.err;
  EXPECT_THAT(mean.both(), Not(HasSubstr("UNIQUEMARK")));
  const ProgramRun rows =
      RunTool({"likelihood", generator, "--in", folder + "/odd.csv", "--out", folder + "/rows.csv"});
  EXPECT_EQ(rows.exit_code, 4);
  EXPECT_THAT(rows.err, HasSubstr("1 rows"));
  EXPECT_FALSE(std::filesystem::exists(folder + "/rows.csv"));
}

TEST(Likelihood, OfAFamilyWithoutOneIsRefusedByName) {
  SYNOD_TRAINING_OR_SKIP();
  const std::string folder = WardFolder();
  const ProgramRun run = RunTool({"likelihood", WardGenerator(), "--in", folder + "/train.csv"});
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_THAT(run.err, HasSubstr("table_diffusion has no exact likelihood"));
}

}  // namespace
}  // namespace synod
