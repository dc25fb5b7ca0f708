// A site from its kit to its exit code, and its commands: what synod-site and the tests' own program share.
#pragma once

#include <string>
#include <vector>

#include "common/core/canonical_json.h"
#include "common/core/clock.h"
#include "common/core/fail_points.h"
#include "common/core/result.h"

namespace synod {

struct SiteOptions {
  std::string kit;
  std::string worker_program;  // empty: what site.toml says, else the program beside this one
  std::vector<std::string> worker_arguments;
};

// The daemon, until a signal ends it. The exit code; what went wrong is on standard error.
int RunSite(const SiteOptions& options, FailPoints& fail_points, const Clock& clock);

// A request (site_commands.h) to the daemon, or where none runs to the kit's own files.
Result<Json> AskSite(const std::string& kit, const Json& request);

// The kit's folder as an absolute path.
std::string KitFolder(const std::string& kit);

}  // namespace synod
