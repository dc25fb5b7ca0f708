// The command line of `synod run ...` and `synod site list`; as main.cpp, it only parses.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/synod/chosen.h"

namespace synod {

// Adds to the group `site` where there is one already.
void AddRunAndSiteCommands(CLI::App& app, Chosen& chosen);

}  // namespace synod
