// The command line of `synod consortium ...`, `synod site request|join` and `synod operator request|join`; as main.cpp,
// it only parses.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/synod/chosen.h"

namespace synod {

// Adds to the group `site` where there is one already.
void AddConsortiumCommands(CLI::App& app, Chosen& chosen);

}  // namespace synod
