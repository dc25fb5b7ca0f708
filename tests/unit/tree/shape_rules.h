// How files look: their length, the length of their functions, headers that are included once, folders that say what
// they hold, and sources that are really built.
#pragma once

#include <cstddef>

#include "tests/unit/tree/source_tree.h"

namespace synod::tree {

inline constexpr std::size_t kMaxFileLines = 400;
inline constexpr std::size_t kMaxFunctionLines = 70;

// Code, scripts and CMake files longer than kMaxFileLines.
Violations CheckFileLength(const SourceFile& file);

// Blocks at namespace level (functions, tests) longer than kMaxFunctionLines, found by the layout that clang-format
// gives: a line that begins in column one and ends with '{', up to the '}' in column one. Classes, enums and
// initialised tables are not counted.
Violations CheckFunctionLength(const SourceFile& file);

// A header whose first line that is neither empty nor a comment is something else than #pragma once.
Violations CheckHeaderGuard(const SourceFile& file);

// A folder named util, utils, helpers or misc.
Violations CheckFolderNames(const SourceFile& file);

// .cpp files that no CMakeLists.txt of their own folder or one above lists.
Violations CheckSourcesAreBuilt(const SourceTree& tree);

}  // namespace synod::tree
