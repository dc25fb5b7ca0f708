// `synod run ...` and `synod site list`: what an operator says to the coordinator.
#pragma once

#include <string>
#include <vector>

#include "tools/synod/command.h"

namespace synod {

struct RunSubmitOptions {
  std::string kit;
  std::string run_file;
  std::string schema_file;         // empty: the file that the run names, beside the run file
  std::vector<std::string> sites;  // empty: all sites of the consortium
  std::string id;                  // 32 hexadecimal digits; empty: a new one. The same id again is the same run.
  bool wait = false;
};
// With `wait` the exit code is that of RunWatch.
Result<CommandOutput> RunSubmit(const RunSubmitOptions& options, CommandContext& context);

struct RunNameOptions {
  std::string kit;
  std::string run;  // an id, or its beginning
};
Result<CommandOutput> RunList(const std::string& kit, CommandContext& context);
Result<CommandOutput> RunShow(const RunNameOptions& options, CommandContext& context);
// Until the run has ended. Exit code 0 published, 1 failed or aborted, 6 refused by sites, 7 over a site's budget.
Result<CommandOutput> RunWatch(const RunNameOptions& options, CommandContext& context);
Result<CommandOutput> RunWhy(const RunNameOptions& options, CommandContext& context);
Result<CommandOutput> RunAbort(const RunNameOptions& options, CommandContext& context);
// Writes the generator file to `out`.
Result<CommandOutput> RunFetch(const RunNameOptions& options, const std::string& out, CommandContext& context);

Result<CommandOutput> SiteList(const std::string& kit, CommandContext& context);

}  // namespace synod
