// A run as it goes on, on standard error: its states and waits as lines, its training as progress.
#pragma once

#include "tools/synod/command.h"
#include "tools/synod/operator_link.h"

namespace synod {

// Until the run has ended; its last view.
Result<Json> WatchRun(OperatorLink& link, const RunId& run, CommandContext& context);

}  // namespace synod
