// Files that come with the program: the demo's table and schema, and the other programs.
#pragma once

#include <string>

#include "common/core/result.h"

namespace synod {

// The path of a file of the folder `configs`: installed beside the program (../share/synod) or in the source tree that
// it was built in (../../../configs of build/<preset>/bin).
Result<std::string> ConfigFile(const std::string& relative);

// The path that a program in the folder of this one has.
std::string ProgramBesideThis(const std::string& name);

}  // namespace synod
