#include "tools/synod/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace synod {
namespace {

constexpr double kTerminalSeconds = 0.1;
constexpr double kPlainSeconds = 5.0;
constexpr double kLeastRateSeconds = 0.05;
constexpr int kBarCells = 24;

std::string Bar(double share) {
  const int full = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * kBarCells));
  std::string bar;
  for (int i = 0; i < kBarCells; ++i) bar += i < full ? "█" : "░";
  return bar;
}

}  // namespace

std::string HumanSeconds(double seconds) {
  if (seconds < 10.0) return fmt::format("{:.1f} s", std::max(0.0, seconds));
  const auto whole = static_cast<std::int64_t>(std::lround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

Progress::Progress(const Clock& clock, OutputFormat format)
    : clock_(clock), format_(format), terminal_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  EndLine();
}

void Progress::EndLine() {
  if (line_open_) std::fputc('\n', stderr);
  line_open_ = false;
}

void Progress::Emit(const Json& event) {
  std::fprintf(stdout, "%s\n", event.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}

void Progress::Say(const std::string& line) {
  if (format_ == OutputFormat::kJsonLines) {
    Emit({{"event", "message"}, {"text", line}});
    return;
  }
  EndLine();
  std::fprintf(stderr, "%s\n", line.c_str());
  std::fflush(stderr);
}

void Progress::Step(const std::string& name, std::uint64_t done, std::uint64_t total, const std::string& detail) {
  const double now = clock_.MonotonicSeconds();
  if (name != phase_) {
    EndLine();
    phase_ = name;
    phase_start_ = now;
    phase_first_ = done;
    last_shown_ = now;  // nothing to say about the rate yet
    ended_ = false;
  }
  const bool at_end = done >= total;
  if (at_end && ended_) return;
  ended_ = at_end;
  const double pause = terminal_ && format_ == OutputFormat::kText ? kTerminalSeconds : kPlainSeconds;
  if (!at_end && now - last_shown_ < pause) return;
  last_shown_ = now;
  const double seconds = std::max(1e-9, now - phase_start_);
  const double rate = static_cast<double>(done - std::min(done, phase_first_)) / seconds;
  const double left = rate > 0.0 ? static_cast<double>(total - std::min(done, total)) / rate : 0.0;
  if (format_ == OutputFormat::kJsonLines) {
    Emit({{"event", "progress"},
          {"phase", name},
          {"done", done},
          {"total", total},
          {"seconds", seconds},
          {"seconds_left", left},
          {"detail", detail}});
    return;
  }
  // Right after the start there is no rate to speak of.
  const bool has_rate = seconds >= kLeastRateSeconds;
  const std::string speed = has_rate ? fmt::format("{:.1f}/s", rate) : "";
  const double share = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
  const std::string time = at_end     ? fmt::format("in {}", HumanSeconds(seconds))
                           : has_rate ? HumanSeconds(left) + " left"
                                      : "";
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%-9s %s %3.0f %%  %llu/%llu  %s  %s%s%s", name.c_str(), Bar(share).c_str(),
                 100.0 * share, static_cast<unsigned long long>(done), static_cast<unsigned long long>(total),
                 speed.c_str(), time.c_str(), detail.empty() ? "" : "  ", detail.c_str());
    line_open_ = true;
    if (at_end) EndLine();
  } else {
    std::string line = fmt::format("{} {}/{} ({:.0f} %)", name, done, total, 100.0 * share);
    for (const std::string& part : {speed, time, detail}) {
      if (!part.empty()) line += ", " + part;
    }
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  std::fflush(stderr);
}

}  // namespace synod
