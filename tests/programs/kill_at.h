// Fail points for the tests' own programs: the process kills itself at a named one, the N-th time that it comes there.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <string>

#include "common/core/fail_points.h"

namespace synod::testing {

struct KillAt {
  std::string point;   // FailPointName; empty: never
  unsigned count = 1;  // counted in each process on its own
  std::string marker;  // a file: made right before the kill, and where it is there already nobody is killed any more
};

class KillAtFailPoints final : public FailPoints {
 public:
  explicit KillAtFailPoints(KillAt kill_at) : kill_at_(std::move(kill_at)) {}

  void At(FailPoint point) override {
    if (kill_at_.point != FailPointName(point) || ++seen_ != kill_at_.count || !MakeMarker()) return;
    kill(getpid(), SIGKILL);
    pause();
  }

 private:
  bool MakeMarker() const {
    if (kill_at_.marker.empty()) return true;
    const int made = open(kill_at_.marker.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (made >= 0) close(made);
    return made >= 0;
  }

  KillAt kill_at_;
  unsigned seen_ = 0;
};

inline std::string CheckFailPointName(const std::string& name) {
  for (std::size_t i = 0; i < kFailPoints; ++i) {
    if (name == FailPointName(static_cast<FailPoint>(i))) return "";
  }
  return "there is no fail point " + name;
}

// --kill-at NAME --kill-count N --kill-marker FILE
inline void AddKillOptions(CLI::App& app, KillAt& kill_at) {
  app.add_option("--kill-at", kill_at.point)->check(CheckFailPointName);
  app.add_option("--kill-count", kill_at.count)->check(CLI::PositiveNumber);
  app.add_option("--kill-marker", kill_at.marker);
}

}  // namespace synod::testing
