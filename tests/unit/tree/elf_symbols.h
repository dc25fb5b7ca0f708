// The names in the symbol table of a program, read from the 64-bit little-endian ELF file itself.
#pragma once

#include <string>
#include <vector>

#include "common/core/result.h"

namespace synod::tree {

// Mangled names, functions and data, defined and undefined. Fails on a file that is no such ELF file, is cut short, or
// was stripped: a program without names proves nothing.
Result<std::vector<std::string>> ReadElfSymbols(const std::string& path);

}  // namespace synod::tree
