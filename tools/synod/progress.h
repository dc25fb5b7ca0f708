// Progress of long work on stderr: a bar with rate and time left on a terminal, plain lines otherwise. With the format
// jsonl each piece of progress is one JSON object on stdout.
#pragma once

#include <cstdint>
#include <string>

#include "common/core/canonical_json.h"
#include "common/core/clock.h"

namespace synod {

enum class OutputFormat : std::uint8_t { kText, kJson, kJsonLines };

class Progress {
 public:
  Progress(const Clock& clock, OutputFormat format);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // One line that stays: what begins or what was found.
  void Say(const std::string& line);

  // `done` of `total` of the phase `name`; `detail` follows the rate. Shown at most some times a second on a terminal,
  // every few seconds elsewhere, and always at the end of the phase.
  void Step(const std::string& name, std::uint64_t done, std::uint64_t total, const std::string& detail);

 private:
  void EndLine();
  void Emit(const Json& event);

  const Clock& clock_;
  OutputFormat format_;
  bool terminal_;
  bool ended_ = false;  // the phase was shown at its end
  bool line_open_ = false;
  std::string phase_;
  double phase_start_ = 0.0;
  std::uint64_t phase_first_ = 0;  // done when the phase was first heard of
  double last_shown_ = -1e9;
};

// "2 min 5 s", "41 s", "0.4 s".
std::string HumanSeconds(double seconds);

}  // namespace synod
