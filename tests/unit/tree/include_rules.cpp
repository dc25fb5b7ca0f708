#include "tests/unit/tree/include_rules.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <vector>

namespace synod::tree {
namespace {

using Modules = std::vector<std::string>;

// One line a module: what it may include besides itself. A new module is a new line, here and in ARCHITECTURE.md.
const std::map<std::string, Modules, std::less<>>& AllowedIncludes() {
  static const std::map<std::string, Modules, std::less<>> kAllowed = [] {
    const Modules common = {"common/core", "common/crypto", "common/log",    "common/privacy",
                            "common/data", "common/query",  "common/config", "common/artefact"};
    Modules round = common;
    round.insert(round.end(),
                 {"common/store", "common/wire", "common/consortium", "common/net", "models", "secure_agg"});
    Modules tools = round;
    tools.insert(tools.end(), {"coordinator", "site_agent"});
    Modules tests = tools;
    tests.push_back("tools");
    return std::map<std::string, Modules, std::less<>>{
        {"common/core", {}},
        {"common/crypto", {"common/core"}},
        {"common/log", {"common/core", "common/crypto"}},
        {"common/privacy", {"common/core", "common/crypto", "common/log"}},
        {"common/data", {"common/core", "common/crypto"}},
        {"common/query", {"common/core", "common/crypto", "common/log", "common/privacy"}},
        {"common/config", {"common/core", "common/crypto", "common/log", "common/privacy", "common/data"}},
        {"common/artefact",
         {"common/core", "common/crypto", "common/log", "common/privacy", "common/data", "common/query"}},
        {"common/store", {"common/core", "common/crypto", "common/log", "common/privacy", "common/query"}},
        {"common/wire", {"common/core", "common/crypto", "common/log", "common/privacy", "common/query"}},
        {"common/consortium",
         {"common/core", "common/crypto", "common/log", "common/privacy", "common/data", "common/query",
          "common/artefact"}},
        {"common/net", {"common/core", "common/crypto", "common/log", "common/privacy", "common/query", "common/wire"}},
        {"models", common},
        {"secure_agg", {"common/core", "common/crypto", "common/log", "common/privacy", "common/query"}},
        {"coordinator", round},
        {"site_agent", round},
        {"tools", tools},
        {"tests", tests},
    };
  }();
  return kAllowed;
}

bool IsTorchTarget(std::string_view target) {
  static constexpr std::array<std::string_view, 4> kPrefixes = {"torch/", "ATen/", "c10/", "caffe2/"};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](auto prefix) { return target.starts_with(prefix); });
}

std::string CheckQuotedInclude(const SourceTree& tree, const std::string& module, const std::string& target) {
  if (!tree.contains(target)) return "includes \"" + target + "\", which is no file by its full path from the root";
  const std::string other = ModuleOf(target);
  if (other == module) return "";
  const auto row = AllowedIncludes().find(module);
  if (row == AllowedIncludes().end()) return "module " + module + " has no line in the table of include directions";
  if (std::find(row->second.begin(), row->second.end(), other) != row->second.end()) return "";
  return module + " may not include " + other + " (\"" + target + "\")";
}

// Every file of the tree that `path` reaches, itself included.
std::set<std::string> ReachedFrom(const SourceTree& tree, const std::string& path) {
  std::set<std::string> reached = {path};
  std::vector<std::string> open = {path};
  while (!open.empty()) {
    const std::string next = open.back();
    open.pop_back();
    const auto file = tree.find(next);
    if (file == tree.end()) continue;
    for (const std::string& line : file->second.lines) {
      const std::optional<Include> include = ParseInclude(line);
      if (include && include->quoted && reached.insert(include->target).second) open.push_back(include->target);
    }
  }
  return reached;
}

}  // namespace

std::string ModuleOf(std::string_view path) {
  const std::size_t first = path.find('/');
  if (first == std::string_view::npos) return "";
  if (path.substr(0, first) != "common") return std::string(path.substr(0, first));
  return std::string(path.substr(0, path.find('/', first + 1)));
}

std::optional<Include> ParseInclude(std::string_view line) {
  static constexpr std::string_view kBlank = " \t";
  const auto skip = [&] { line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size())); };
  skip();
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  skip();
  if (!line.starts_with("include")) return std::nullopt;
  line.remove_prefix(7);
  skip();
  if (line.empty() || (line.front() != '"' && line.front() != '<')) return std::nullopt;
  const bool quoted = line.front() == '"';
  line.remove_prefix(1);
  return Include{std::string(line.substr(0, line.find(quoted ? '"' : '>'))), quoted};
}

Violations CheckIncludeDirections(const SourceTree& tree) {
  Violations found;
  for (const auto& [path, file] : tree) {
    if (!file.IsCode()) continue;
    const std::string module = ModuleOf(path);
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::optional<Include> include = ParseInclude(file.lines[i]);
      if (!include || !include->quoted) continue;
      std::string rule = CheckQuotedInclude(tree, module, include->target);
      if (!rule.empty()) found.push_back({path, i + 1, std::move(rule)});
    }
  }
  return found;
}

Violations CheckTorchIsConfined(const SourceTree& tree) {
  Violations found;
  for (const auto& [path, file] : tree) {
    if (!file.IsCode()) continue;
    const bool may_include = path == kTorchHeader || (file.IsUnder("models") && path.ends_with(".cpp"));
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::optional<Include> include = ParseInclude(file.lines[i]);
      if (!include || !IsTorchTarget(include->target) || may_include) continue;
      found.push_back({path, i + 1, "LibTorch's headers belong in models/*.cpp and " + std::string(kTorchHeader)});
    }
    if (file.IsUnder("models") || file.IsUnder("tests")) continue;
    if (!ReachedFrom(tree, path).contains(std::string(kTorchHeader))) continue;
    found.push_back({path, 0, "reaches " + std::string(kTorchHeader) + " through its includes"});
  }
  return found;
}

}  // namespace synod::tree
