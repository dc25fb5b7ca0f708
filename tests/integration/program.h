// Runs the built tool as a user would: its own process, files of its own, both outputs and the exit code.
#pragma once

#include <string>
#include <vector>

namespace synod::testing {

struct ProgramRun {
  int exit_code = -1;  // 128 + signal if it was killed
  std::string out;
  std::string err;
  std::string both() const { return out + err; }
};

// The path of the built `synod`, and whether it and what it trains with are there.
std::string ToolPath();
bool ToolIsBuilt();
bool ToolCanTrain();

// `arguments` without the program's name; `environment` is added to this process's own ("NAME=value").
ProgramRun RunProgram(const std::string& path, const std::vector<std::string>& arguments,
                      const std::vector<std::string>& environment = {});
// The same of the built `synod`.
ProgramRun RunTool(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {});

// Folder with run.toml (20 steps, three sites), schema.toml and train.csv of 300 rows that depend on nothing.
std::string WardFolder();
// The generator that a simulation of WardFolder makes; made once a process.
const std::string& WardGenerator();

std::string ReadText(const std::string& path);
void WriteText(const std::string& path, const std::string& text);

}  // namespace synod::testing

// Skips the test where the tool is not built, or cannot train.
#define SYNOD_TOOL_OR_SKIP() \
  if (!::synod::testing::ToolIsBuilt()) GTEST_SKIP() << "not built: " << ::synod::testing::ToolPath()
#define SYNOD_TRAINING_OR_SKIP() \
  if (!::synod::testing::ToolCanTrain()) GTEST_SKIP() << "the tool is not built with LibTorch"
