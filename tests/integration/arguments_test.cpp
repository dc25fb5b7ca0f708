// What the tool says to whoever asks it wrongly: exit code, what is wrong, where, and what to do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
using testing::WardFolder;
using testing::WriteText;

constexpr const char* kCommands[] = {"demo",       "simulate", "plan",   "account", "sample",
                                     "likelihood", "inspect",  "verify", "evaluate"};

// Exit code 4, nothing on stdout, and these words on stderr.
template <typename... Words>
void ExpectBadInput(const std::vector<std::string>& arguments, Words... words) {
  const ProgramRun run = RunTool(arguments);
  EXPECT_EQ(run.exit_code, 4) << run.both();
  EXPECT_THAT(run.out, IsEmpty());
  EXPECT_THAT(run.err, AllOf(HasSubstr(words)...));
}

// A run file with `from` replaced by `to`.
std::string ChangedRun(const std::string& folder, const std::string& from, const std::string& to) {
  std::string text = ReadText(folder + "/run.toml");
  const std::size_t place = text.find(from);
  EXPECT_NE(place, std::string::npos);
  text.replace(place, from.size(), to);
  WriteText(folder + "/changed.toml", text);
  return folder + "/changed.toml";
}

TEST(Help, OfEveryCommandNamesItsOptionsAndTheExitCodes) {
  SYNOD_TOOL_OR_SKIP();
  const ProgramRun all = RunTool({"--help"});
  EXPECT_EQ(all.exit_code, 0);
  for (const char* command : kCommands) {
    EXPECT_THAT(all.out, HasSubstr(std::string("\n  ") + command));
    const ProgramRun run = RunTool({command, "--help"});
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_THAT(run.err, IsEmpty());
    EXPECT_THAT(run.out, AllOf(HasSubstr("Usage: synod " + std::string(command)), HasSubstr("Exit codes: 0 ok")));
  }
}

TEST(Help, NamesEveryOptionOfTraining) {
  SYNOD_TOOL_OR_SKIP();
  const std::vector<std::pair<const char*, std::vector<const char*>>> expected = {
      {"demo", {"--data", "--schema", "--sites", "--epsilon", "--model", "--out", "--seed", "--threads"}},
      {"simulate",
       {"run", "--data", "--out", "--epsilon", "--sites", "--seed", "--split", "--bad-rows", "--threads", "--device"}},
      {"plan", {"--data", "--epsilon", "--sites", "--units", "--aggregation"}},
      {"account", {"--sampling-rate", "--noise-multiplier", "--steps", "--delta", "--adjacency", "--events"}},
      {"sample", {"--rows", "--out", "--seed", "--where", "--shard", "--trust", "--uncertified", "--threads"}},
      {"likelihood", {"generator", "--in", "--out"}},
      {"inspect", {"generator"}},
      {"verify", {"generator", "--trust", "--allow-incomplete"}},
      {"evaluate", {"--real", "--test", "--synthetic", "--schema", "--report"}}};
  for (const auto& [command, options] : expected) {
    const ProgramRun run = RunTool({command, "--help"});
    for (const char* option : options) EXPECT_THAT(run.out, HasSubstr(option));
  }
}

TEST(Arguments, ThatAreNoneOrUnknownAreNamedWithTheCommandsThereAre) {
  SYNOD_TOOL_OR_SKIP();
  ExpectBadInput({}, "no command", "simulate");
  ExpectBadInput({"frobnicate"}, "\"frobnicate\"", "simulate");
  ExpectBadInput({"--bogus"}, "\"--bogus\"");
  ExpectBadInput({"plan"}, "run is required", "synod plan --help");
  ExpectBadInput({"plan", "run.toml", "--bogus"}, "--bogus", "synod plan --help");
  ExpectBadInput({"--format", "xml", "plan", "run.toml"}, "--format", "xml");
}

TEST(Arguments, ThatAreNoNumbersOrNegativeAreRefused) {
  SYNOD_TOOL_OR_SKIP();
  ExpectBadInput({"sample", "g.synod", "-n", "-5"}, "--rows", "-5");
  ExpectBadInput({"sample", "g.synod", "--rows=-5"}, "--rows", "-5");
  ExpectBadInput({"sample", "g.synod", "-n", "18446744073709551615"}, "--rows", "at most");
  ExpectBadInput({"sample", "g.synod", "-n", "5", "--seed", "-1"}, "--seed");
  ExpectBadInput({"sample", "g.synod", "-n", "5", "--shard", "0/3"}, "--shard", "1 <= i <= n");
  ExpectBadInput({"demo", "--sites", "-1"}, "--sites");
}

TEST(Arguments, WithoutAFiniteEpsilonMakeNoPlan) {
  SYNOD_TOOL_OR_SKIP();
  const std::string run = WardFolder() + "/run.toml";
  for (const char* epsilon : {"nan", "-1", "0", "inf", "1e9"}) {
    ExpectBadInput({"plan", run, "--epsilon", epsilon}, "epsilon");
  }
  ExpectBadInput({"plan", run, "--sites", "0"}, "sites");
  ExpectBadInput({"plan", run, "--aggregation", "open"}, "--aggregation", "open", "secure, none or curator");
}

TEST(RunFiles, WithAMistakeAreRefusedWithFileLineAndKey) {
  SYNOD_TOOL_OR_SKIP();
  const std::string folder = WardFolder();
  const auto plan = [&](const char* from, const char* to) {
    return std::vector<std::string>{"plan", ChangedRun(folder, from, to)};
  };
  ExpectBadInput(plan("steps = 20", "stpes = 20"), "changed.toml:11", "model.stpes", "did you mean \"steps\"?");
  ExpectBadInput(plan("seed = 1", "seed = 1\nseed = 2"), "changed.toml:4", "twice");
  ExpectBadInput(plan("epsilon = 3.0", "epsilon = nan"), "changed.toml:", "privacy.epsilon", "NaN");
  ExpectBadInput(plan("epsilon = 3.0", "epsilon = \"3\""), "privacy.epsilon");
  ExpectBadInput(plan("units = 300\n", ""), "units");
  ExpectBadInput(plan("table_diffusion", "table_magic"), "\"table_magic\"", "table_diffusion");
  ExpectBadInput(plan("[run]", "[run"), "changed.toml:1");
  const ProgramRun missing = RunTool({"plan", ChangedRun(folder, "schema.toml", "nowhere.toml")});
  EXPECT_NE(missing.exit_code, 0);
  EXPECT_THAT(missing.err, HasSubstr("nowhere.toml"));
}

TEST(JsonOutput, IsOneEnvelopeForFailuresOfEveryKind) {
  SYNOD_TOOL_OR_SKIP();
  const std::string folder = WardFolder();
  const std::vector<std::vector<std::string>> failures = {{"--format", "json", "frobnicate"},
                                                          {"--format=json", "plan"},
                                                          {"--format", "json", "sample", "g.synod", "-n", "3"},
                                                          {"plan", folder + "/none.toml", "--format", "json"}};
  for (const auto& arguments : failures) {
    const ProgramRun run = RunTool(arguments);
    EXPECT_THAT(run.err, IsEmpty());
    const Result<Json> json = ParseJson(run.out, 1 << 20, 16);
    ASSERT_TRUE(json.ok()) << run.out;
    EXPECT_EQ(json->at("schema_version"), 1);
    EXPECT_EQ(json->at("status"), "error");
    EXPECT_EQ(json->at("exit_code"), run.exit_code);
    EXPECT_NE(run.exit_code, 0);
    EXPECT_TRUE(json->at("error").at("code").is_string());
    EXPECT_FALSE(json->at("error").at("message").get<std::string>().empty());
    EXPECT_TRUE(json->at("error").at("hint").is_string());
    EXPECT_FALSE(json->contains("data"));
  }
}

TEST(JsonOutput, OfAPlanIsAnEnvelopeAndNothingElse) {
  SYNOD_TOOL_OR_SKIP();
  const ProgramRun run = RunTool({"--format", "json", "plan", WardFolder() + "/run.toml"});
  EXPECT_EQ(run.exit_code, 0);
  const Result<Json> json = ParseJson(run.out, 1 << 20, 32);
  ASSERT_TRUE(json.ok()) << run.out;
  EXPECT_EQ(json->at("status"), "ok");
  EXPECT_EQ(json->at("exit_code"), 0);
  EXPECT_TRUE(json->contains("data"));
  EXPECT_FALSE(json->contains("error"));
}

// The loader says which files it opens.
TEST(Loading, TheToolStartsAndPlansWithoutLibTorch) {
  SYNOD_TOOL_OR_SKIP();
  const std::vector<std::vector<std::string>> light = {{"--help"}, {"plan", WardFolder() + "/run.toml"}};
  for (const auto& arguments : light) {
    const ProgramRun run = RunTool(arguments, {"LD_DEBUG=files"});
    EXPECT_EQ(run.exit_code, 0);
    EXPECT_THAT(run.err, HasSubstr("libcrypto")) << "the loader was heard";
    EXPECT_THAT(run.err, Not(HasSubstr("libtorch")));
  }
}

}  // namespace
}  // namespace synod
