#include "tests/integration/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "tests/support/shared_data.h"

namespace synod::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRunFile = R"([run]
name = "ward"
seed = 1
sites = 3
[schema]
file = "schema.toml"
[data]
train = "train.csv"
[model]
family = "table_diffusion"
steps = 20
hidden = 8
calibration_rounds = 1
[privacy]
epsilon = 3.0
delta = 1e-3
units = 300
)";

constexpr const char* kSchema = R"(name = "ward"
[[column]]
name = "age"
type = "integer"
min = 0
max = 120
[[column]]
name = "sex"
type = "binary"
values = ["f", "m"]
[[column]]
name = "dose"
type = "continuous"
min = 0
max = 10
decimals = 2
[[column]]
name = "died"
type = "binary"
role = "label"
values = ["no", "yes"]
)";

std::string TrainingRows() {
  std::mt19937 random(1);
  std::string text = "age,sex,dose,died\n";
  for (int row = 0; row < 300; ++row) {
    const auto age = 18 + random() % 80;
    text += std::to_string(age) + (random() % 2 == 0 ? ",f," : ",m,") + std::to_string(random() % 10) + "." +
            std::to_string(random() % 10) + (random() % 100 < age ? ",yes\n" : ",no\n");
  }
  return text;
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

std::string ToolPath() {
  return std::string(SYNOD_BINARY_DIR) + "/bin/synod";
}

bool ToolIsBuilt() {
  return access(ToolPath().c_str(), X_OK) == 0;
}

bool ToolCanTrain() {
  return ToolIsBuilt() && fs::exists(std::string(SYNOD_BINARY_DIR) + "/lib/libsynod_compute.so");
}

ProgramRun RunTool(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
  return RunProgram(ToolPath(), arguments, environment);
}

ProgramRun RunProgram(const std::string& path, const std::vector<std::string>& arguments,
                      const std::vector<std::string>& environment) {
  const std::string folder = TemporaryFolder();
  std::vector<std::string> words = {path};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = environment;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const int flags = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, (folder + "/out").c_str(), flags, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, (folder + "/err").c_str(), flags, 0600);
  pid_t child = 0;
  const int spawned =
      posix_spawn(&child, words[0].c_str(), &actions, nullptr, Pointers(words).data(), Pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  ProgramRun run;
  if (spawned != 0) return run;
  int status = 0;
  waitpid(child, &status, 0);
  run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  run.out = ReadText(folder + "/out");
  run.err = ReadText(folder + "/err");
  return run;
}

std::string WardFolder() {
  const std::string folder = TemporaryFolder();
  WriteText(folder + "/run.toml", kRunFile);
  WriteText(folder + "/schema.toml", kSchema);
  WriteText(folder + "/train.csv", TrainingRows());
  return folder;
}

const std::string& WardGenerator() {
  static const std::string path = [] {
    const std::string folder = WardFolder();
    const ProgramRun run = RunTool({"simulate", folder + "/run.toml", "--data", folder, "--out", folder + "/out"});
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return folder + "/out/generator.synod";
  }();
  return path;
}

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace synod::testing
