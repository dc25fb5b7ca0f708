// What the coordinator says of runs and sites, as text for people. Views are those of coordinator/run_views.h.
#pragma once

#include <string>

#include "common/core/canonical_json.h"

namespace synod {

std::string RunListText(const Json& list);
std::string RunShowText(const Json& view);
std::string RunWhyText(const Json& why);
std::string SiteListText(const Json& list);
// "proposed: waiting for site-b to approve": one line that changes when something happened.
std::string RunStateText(const Json& view);
// How a run ended, in one or two lines.
std::string RunEndText(const Json& view);
// The exit code that says how a run ended.
int RunExitCode(const Json& view);

}  // namespace synod
