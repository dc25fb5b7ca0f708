// Who may include whom (ARCHITECTURE.md, "Modules"): downwards only, the coordinator and the site never each other, and
// LibTorch only inside models/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tests/unit/tree/source_tree.h"

namespace synod::tree {

// The only header that may include LibTorch's.
inline constexpr std::string_view kTorchHeader = "models/engine/torch.h";

// The module of a path: "common/core/file.h" is in "common/core", "models/engine/x.h" in "models".
std::string ModuleOf(std::string_view path);

struct Include {
  std::string target;
  bool quoted = false;  // "x" rather than <x>
};

// The include directive on a line, if it is one.
std::optional<Include> ParseInclude(std::string_view line);

// Quoted includes that name no file of the tree by its full path, or a module that the table does not allow.
Violations CheckIncludeDirections(const SourceTree& tree);

// LibTorch's headers outside models/*.cpp and kTorchHeader, and files outside models/ and tests/ that reach
// kTorchHeader through any chain of includes.
Violations CheckTorchIsConfined(const SourceTree& tree);

}  // namespace synod::tree
