// What every command gets and gives back. Commands are plain functions: no command line, no printing of results.
#pragma once

#include <string>

#include "common/core/canonical_json.h"
#include "common/core/clock.h"
#include "common/core/result.h"
#include "tools/synod/progress.h"

namespace synod {

struct CommandContext {
  const Clock& clock;
  Progress& progress;
};

struct CommandOutput {
  Json data;         // for --format json
  std::string text;  // for people, on stdout
  int exit_code = 0;
};

}  // namespace synod
