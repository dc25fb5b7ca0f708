// What the command line chose.
#pragma once

#include <functional>

#include "tools/synod/command.h"

namespace synod {

struct Chosen {
  OutputFormat format = OutputFormat::kText;
  std::function<Result<CommandOutput>(CommandContext&)> run;
};

}  // namespace synod
