// A program started by this one: posix_spawn, standard input from /dev/null, output to a file or inherited, no other
// descriptor. The destructor kills and reaps. Threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/core/result.h"

namespace synod {

class ChildProcess {
 public:
  struct Settings {
    std::string program;  // a path
    std::vector<std::string> arguments;
    std::string output_file;               // standard output and error are appended; empty: inherited
    std::vector<std::string> environment;  // NAME=VALUE, beside this process's own
  };

  // Fails, naming the program, if it cannot be run.
  static Result<ChildProcess> Start(const Settings& settings);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  bool Running();
  // Once it ended: its exit code, or 128 + the number of the signal that ended it.
  std::optional<int> exit_code() const { return exit_code_; }
  void Signal(int signal);
  // Waits for its end; false if it still runs after `seconds`.
  bool WaitFor(double seconds);
  void Kill();  // SIGKILL, and reaps it
  std::int64_t process_id() const { return process_id_; }

 private:
  explicit ChildProcess(std::int64_t process_id) : process_id_(process_id) {}
  void Take(int status);

  std::int64_t process_id_ = -1;
  std::optional<int> exit_code_;
};

}  // namespace synod
