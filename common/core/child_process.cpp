#include "common/core/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

namespace synod {
namespace {

class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

class SpawnAttributes {
 public:
  SpawnAttributes() {
    posix_spawnattr_init(&attributes_);
    // A daemon blocks its signals for its own loop: the child starts with none blocked.
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result<ChildProcess> ChildProcess::Start(const Settings& settings) {
  FileActions actions;
  posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (!settings.output_file.empty()) {
    posix_spawn_file_actions_addopen(actions.get(), STDOUT_FILENO, settings.output_file.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(actions.get(), STDOUT_FILENO, STDERR_FILENO);
  }
  posix_spawn_file_actions_addclosefrom_np(actions.get(), STDERR_FILENO + 1);
  std::vector<std::string> arguments = {settings.program};
  arguments.insert(arguments.end(), settings.arguments.begin(), settings.arguments.end());
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  environment.insert(environment.begin(), settings.environment.begin(), settings.environment.end());
  const SpawnAttributes attributes;
  pid_t pid = -1;
  const int error = posix_spawn(&pid, settings.program.c_str(), actions.get(), attributes.get(),
                                Pointers(arguments).data(), Pointers(environment).data());
  if (error != 0) {
    return Failed(fmt::format("cannot run {}: {}", settings.program, std::generic_category().message(error)));
  }
  return ChildProcess(pid);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : process_id_(std::exchange(other.process_id_, -1)), exit_code_(other.exit_code_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this == &other) return *this;
  Kill();
  process_id_ = std::exchange(other.process_id_, -1);
  exit_code_ = other.exit_code_;
  return *this;
}

ChildProcess::~ChildProcess() {
  Kill();
}

void ChildProcess::Take(int status) {
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool ChildProcess::Running() {
  if (process_id_ < 0 || exit_code_) return false;
  int status = 0;
  if (waitpid(static_cast<pid_t>(process_id_), &status, WNOHANG) == 0) return true;
  Take(status);
  return false;
}

void ChildProcess::Signal(int signal) {
  if (Running()) kill(static_cast<pid_t>(process_id_), signal);
}

bool ChildProcess::WaitFor(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (Running()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

void ChildProcess::Kill() {
  if (process_id_ < 0 || exit_code_) return;
  kill(static_cast<pid_t>(process_id_), SIGKILL);
  int status = 0;
  waitpid(static_cast<pid_t>(process_id_), &status, 0);
  Take(status);
}

}  // namespace synod
