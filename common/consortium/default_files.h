// The annotated files that a new kit gets in its local/ folder, for its owner to edit.
#pragma once

#include <string>

#include "common/core/identity.h"

namespace synod {

std::string DefaultSiteToml(const Identity& site);
// Default deny: it allows nothing.
std::string DefaultPolicyToml(const Identity& site);
// `coordinator_address` is HOST:PORT of the manifest; the coordinator listens on that port of every address.
std::string DefaultCoordinatorToml(const std::string& coordinator_address);

}  // namespace synod
