// From a table to a generator file to rows, with tables and files that are not as they should be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "common/core/canonical_json.h"
#include "tests/integration/program.h"
#include "tests/support/shared_data.h"

namespace synod {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::ProgramRun;
using testing::ReadText;
using testing::RunTool;
using ::testing::StartsWith;
using testing::TemporaryFolder;
using testing::WardFolder;
using testing::WardGenerator;
using testing::WriteText;

ProgramRun Simulate(const std::string& folder) {
  return RunTool({"simulate", folder + "/run.toml", "--data", folder, "--out", folder + "/out"});
}

// The first `count` lines, or all.
std::string Lines(const std::string& text, std::size_t count) {
  std::size_t end = 0;
  for (std::size_t line = 0; line < count && end < text.size(); ++line) end = text.find('\n', end) + 1;
  return text.substr(0, end);
}

TEST(Tables, CellsThatTheSchemaForbidsAreReportedByPlaceAndRuleAndNeverShown) {
  SYNOD_TRAINING_OR_SKIP();
  const std::string folder = WardFolder();
  const std::string text = Lines(ReadText(folder + "/train.csv"), 101) +
                           "987654321,f,1.5,no\n"        // row 101: out of range
                           "30,UNIQUEMARK,1.5,no\n"      // row 102: no category
                           "UNIQUEMARK,f,1.5,no\n"       // row 103: no number
                           "30,f,1.5,no,UNIQUEMARK\n"    // row 104: too many cells
                           "30,f,,no\n"                  // row 105: missing
                           "30,\"UNIQUEMARK\n\",1,no\n"  // row 106: a line break in a cell
                           "30,f,2.5,yes\n";
  WriteText(folder + "/train.csv", text);
  const ProgramRun run = Simulate(folder);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(
      run.err,
      AllOf(HasSubstr("107 rows read, 101 kept, 6 dropped"), HasSubstr("row 101: column \"age\" is out of range"),
            HasSubstr("row 102: column \"sex\" is not a category"),
            HasSubstr("row 103: column \"age\" is not a number"), HasSubstr("row 104: the row has not as many cells")));
  const std::string generator = ReadText(folder + "/out/generator.synod") + ReadText(folder + "/out/summary.json");
  for (const char* value : {"UNIQUEMARK", "987654321"}) {
    EXPECT_THAT(run.both(), Not(HasSubstr(value)));
    EXPECT_EQ(generator.find(value), std::string::npos);
  }
}

TEST(Tables, WithoutAColumnOrWithoutRowsAreRefused) {
  SYNOD_TRAINING_OR_SKIP();
  const std::string folder = WardFolder();
  WriteText(folder + "/train.csv", "age,sex,dose\n30,f,1\n");
  ProgramRun run = Simulate(folder);
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_THAT(run.err, AllOf(HasSubstr("train.csv"), HasSubstr("\"died\""), HasSubstr("age, sex, dose")));
  WriteText(folder + "/train.csv", "age,sex,dose,died\n");
  run = Simulate(folder);
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_THAT(run.err, AllOf(HasSubstr("train.csv"), HasSubstr("no usable rows")));
  WriteText(folder + "/train.csv", "");
  run = Simulate(folder);
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_THAT(run.err, AllOf(HasSubstr("train.csv"), HasSubstr("name the columns")));
  EXPECT_FALSE(std::filesystem::exists(folder + "/out/generator.synod"));
}

TEST(Tables, OfOneRowOrOneValueTrainAndSayWhatIsOdd) {
  SYNOD_TRAINING_OR_SKIP();
  const std::string folder = WardFolder();
  WriteText(folder + "/train.csv", Lines(ReadText(folder + "/train.csv"), 2));
  ProgramRun run = Simulate(folder);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("states 300 units and the table has 1 rows"));
  std::string constant = "age,sex,dose,died\n";
  for (int row = 0; row < 300; ++row) constant += "40,f,1.00,no\n";
  WriteText(folder + "/train.csv", constant);
  run = Simulate(folder);
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.err, Not(HasSubstr("nan")));
}

TEST(Verifying, ASimulationFailsWithEightAndSaysWhy) {
  SYNOD_TRAINING_OR_SKIP();
  const ProgramRun run = RunTool({"verify", WardGenerator()});
  EXPECT_EQ(run.exit_code, 8);
  EXPECT_THAT(run.out, AllOf(HasSubstr("simulation"), HasSubstr("no site's ledger was charged")));
  const ProgramRun json = RunTool({"--format", "json", "verify", WardGenerator()});
  EXPECT_EQ(json.exit_code, 8);
  const Result<Json> envelope = ParseJson(json.out, 1 << 20, 32);
  ASSERT_TRUE(envelope.ok());
  EXPECT_EQ(envelope->at("exit_code"), 8);
}

TEST(Verifying, ADamagedFileFailsForEveryReader) {
  SYNOD_TRAINING_OR_SKIP();
  const std::string whole = ReadText(WardGenerator());
  const std::string folder = TemporaryFolder();
  const std::string path = folder + "/damaged.synod";
  for (const double share : {0.01, 0.3, 0.6, 0.99}) {
    std::string altered = whole;
    altered[static_cast<std::size_t>(share * static_cast<double>(whole.size()))] ^= 1;
    WriteText(path, altered);
    EXPECT_EQ(RunTool({"verify", path}).exit_code, 8);
    const ProgramRun sample = RunTool({"sample", path, "-n", "5"});
    EXPECT_NE(sample.exit_code, 0);
    EXPECT_THAT(sample.out, IsEmpty()) << "no row of a damaged generator";
    WriteText(path, whole.substr(0, static_cast<std::size_t>(share * static_cast<double>(whole.size()))));
    const ProgramRun cut = RunTool({"verify", path});
    EXPECT_EQ(cut.exit_code, 8);
    EXPECT_THAT(cut.err, HasSubstr("damaged.synod"));
    EXPECT_THAT(RunTool({"sample", path, "-n", "5"}).out, IsEmpty());
  }
}

TEST(Sampling, EqualSeedsGiveEqualBytesAndOthersDoNot) {
  SYNOD_TRAINING_OR_SKIP();
  const auto rows = [](const char* seed, const char* threads) {
    return RunTool({"sample", WardGenerator(), "-n", "5000", "--seed", seed, "--threads", threads}).out;
  };
  const std::string one = rows("1", "1");
  EXPECT_EQ(std::count(one.begin(), one.end(), '\n'), 5001);
  EXPECT_THAT(one, StartsWith("age,sex,dose,died\n"));
  EXPECT_EQ(one, rows("1", "3")) << "threads change the time and nothing else";
  EXPECT_NE(one, rows("2", "1"));
}

TEST(Sampling, ShardsConcatenateByteForByte) {
  SYNOD_TRAINING_OR_SKIP();
  const std::string folder = TemporaryFolder();
  const auto sample = [&](const char* shard) {
    std::vector<std::string> arguments = {"sample", WardGenerator(), "-n", "10000", "-o", folder + "/rows.csv"};
    if (shard != nullptr) arguments.insert(arguments.end(), {"--shard", shard});
    const ProgramRun run = RunTool(arguments);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return ReadText(folder + "/rows.csv");
  };
  const std::string whole = sample(nullptr);
  EXPECT_EQ(std::count(whole.begin(), whole.end(), '\n'), 10001);
  EXPECT_EQ(sample("1/2") + sample("2/2"), whole);
  EXPECT_EQ(sample("1/5") + sample("2/5") + sample("3/5") + sample("4/5") + sample("5/5"), whole)
      << "more shards than blocks";
}

TEST(Sampling, ConditionsHoldInEveryRowAndImpossibleOnesAreNamed) {
  SYNOD_TRAINING_OR_SKIP();
  const ProgramRun run = RunTool({"sample", WardGenerator(), "-n", "50", "--where", "sex=m", "--where", "age=40"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  std::size_t matches = 0;
  for (std::size_t at = run.out.find("\n40,m,"); at != std::string::npos; at = run.out.find("\n40,m,", at + 1)) {
    ++matches;
  }
  EXPECT_EQ(matches, 50U);
  const std::vector<std::pair<const char*, const char*>> wrong = {{"sex=x", "its categories: f, m"},
                                                                  {"ward=3", "\"ward\""},
                                                                  {"age=old", "not a number"},
                                                                  {"age=500", "\"age\""},
                                                                  {"age", "column=value"}};
  for (const auto& [condition, word] : wrong) {
    const ProgramRun refused = RunTool({"sample", WardGenerator(), "-n", "5", "--where", condition});
    EXPECT_EQ(refused.exit_code, 4);
    EXPECT_THAT(refused.out, IsEmpty());
    EXPECT_THAT(refused.err, HasSubstr(word));
  }
}

TEST(Sampling, AFullDiskIsAFailureThatNamesTheDisk) {
  SYNOD_TRAINING_OR_SKIP();
  const ProgramRun run = RunTool({"sample", WardGenerator(), "-n", "20000", "-o", "/dev/full"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, AllOf(HasSubstr("/dev/full"), HasSubstr("No space left"), HasSubstr("disk is full")));
  const ProgramRun nowhere = RunTool({"sample", WardGenerator(), "-n", "5", "-o", TemporaryFolder() + "/no/rows.csv"});
  EXPECT_EQ(nowhere.exit_code, 1);
  EXPECT_THAT(nowhere.err, AllOf(HasSubstr("no/rows.csv"), HasSubstr("folder that exists")));
}

TEST(Loading, AMaskedGeneratorIsInspectedAndSampledWithoutLibTorchAndTrainedWithIt) {
  SYNOD_TRAINING_OR_SKIP();
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"inspect", WardGenerator()}, {"sample", WardGenerator(), "-n", "10"}}) {
    const ProgramRun run = RunTool(arguments, {"LD_DEBUG=files"});
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_THAT(run.err, HasSubstr("libcrypto"));
    EXPECT_THAT(run.err, Not(HasSubstr("libtorch")));
  }
  const std::string folder = WardFolder();
  const ProgramRun trained =
      RunTool({"simulate", folder + "/run.toml", "--data", folder, "--out", folder}, {"LD_DEBUG=files"});
  EXPECT_THAT(trained.err, HasSubstr("libtorch")) << "the same search finds it where it is used";
}

TEST(Demo, OnASmallTableOfOnesOwnRunsRealProcessesAndLeavesNoCopyOfIt) {
  SYNOD_TRAINING_OR_SKIP();
  const std::string folder = WardFolder();
  const ProgramRun run =
      RunTool({"demo", "--data", folder + "/train.csv", "--schema", folder + "/schema.toml", "--epsilon", "3",
               "--sites", "3", "--model", "independent_columns", "--out", folder + "/demo"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("epsilon"), HasSubstr("charged its own ledger"), HasSubstr("refused")));
  const std::string report = ReadText(folder + "/demo/private/report.html");
  EXPECT_THAT(report, AllOf(HasSubstr("for the data holder only"), Not(HasSubstr("data of this page is public"))));
  EXPECT_FALSE(std::filesystem::exists(folder + "/demo/report.html")) << "not beside what is passed on";
  for (const char* outside : {"http:", "https:", "src=", "<script", "<link", "url(", "@import"}) {
    EXPECT_THAT(report, Not(HasSubstr(outside)));
  }
  EXPECT_THAT(Lines(ReadText(folder + "/demo/synthetic.csv"), 1), "age,sex,dose,died\n");
  const std::string federation = folder + "/demo/private/federation";
  const std::string root = federation + "/consortium/operator-kit/trust/ca.pem";
  EXPECT_EQ(RunTool({"verify", folder + "/demo/generator.synod", "--trust", root}).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(federation + "/site-1/records.csv")) << "no copy of one's own table stays";

  const ProgramRun evaluated =
      RunTool({"evaluate", "--real", folder + "/train.csv", "--test", folder + "/train.csv", "--synthetic",
               folder + "/demo/synthetic.csv", "--schema", folder + "/schema.toml", "-o", folder + "/demo/own.html"});
  EXPECT_EQ(evaluated.exit_code, 6) << "a report of real records never lies beside a generator";
  EXPECT_FALSE(std::filesystem::exists(folder + "/demo/own.html"));
}

}  // namespace
}  // namespace synod
