#include "tests/unit/tree/shape_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace synod::tree {
namespace {

bool BeginsWithAny(std::string_view line, const std::array<std::string_view, 7>& words) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) { return line.starts_with(word); });
}

// True for the first line of a block that counts as a function.
bool BeginsFunction(std::string_view line) {
  static constexpr std::array<std::string_view, 7> kOther = {"namespace", "class ", "struct ", "enum ",
                                                             "union ",    "extern", "}"};
  if (line.empty() || line.front() == ' ' || line.front() == '#' || !line.ends_with('{')) return false;
  return !BeginsWithAny(line, kOther) && line.find(" = {") == std::string_view::npos;
}

bool IsListed(const SourceFile& cmake, std::string_view relative) {
  const auto is_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '/' || c == '.' || c == '-';
  };
  for (std::string_view line : cmake.lines) {
    line = line.substr(0, line.find('#'));
    for (std::size_t at = line.find(relative); at != std::string_view::npos; at = line.find(relative, at + 1)) {
      const std::size_t end = at + relative.size();
      if ((at == 0 || !is_name(line[at - 1])) && (end == line.size() || !is_name(line[end]))) return true;
    }
  }
  return false;
}

bool IsListedAbove(const SourceTree& tree, const std::string& path) {
  for (std::size_t slash = path.rfind('/'); slash != std::string::npos; slash = path.rfind('/', slash - 1)) {
    const auto cmake = tree.find(path.substr(0, slash + 1) + "CMakeLists.txt");
    if (cmake != tree.end() && IsListed(cmake->second, std::string_view(path).substr(slash + 1))) return true;
    if (slash == 0) break;
  }
  return false;
}

}  // namespace

Violations CheckFileLength(const SourceFile& file) {
  const bool counts = file.IsCode() || file.path.ends_with(".sh") || file.path.ends_with(".cmake") ||
                      file.path.ends_with("CMakeLists.txt");
  if (!counts || file.lines.size() <= kMaxFileLines) return {};
  return {{file.path, file.lines.size(), "longer than " + std::to_string(kMaxFileLines) + " lines"}};
}

Violations CheckFunctionLength(const SourceFile& file) {
  if (!file.IsCode()) return {};
  Violations found;
  std::size_t begin = 0;  // line of the open block, from 1; 0: none is open
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    if (begin == 0 && BeginsFunction(line)) {
      begin = i + 1;
    } else if (begin != 0 && line.starts_with('}')) {
      const std::size_t length = i + 2 - begin;
      if (length > kMaxFunctionLines) {
        found.push_back(
            {file.path, begin,
             "a function of " + std::to_string(length) + " lines; at most " + std::to_string(kMaxFunctionLines)});
      }
      begin = 0;
    }
  }
  return found;
}

Violations CheckHeaderGuard(const SourceFile& file) {
  if (!file.IsHeader()) return {};
  for (const std::string& line : file.lines) {
    if (line.empty() || line.starts_with("//")) continue;
    if (line == "#pragma once") return {};
    break;
  }
  return {{file.path, 0, "a header begins with its comment and then #pragma once"}};
}

Violations CheckFolderNames(const SourceFile& file) {
  static constexpr std::array<std::string_view, 4> kAttics = {"util", "utils", "helpers", "misc"};
  std::string_view rest = file.path;
  for (std::size_t slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
    if (std::find(kAttics.begin(), kAttics.end(), rest.substr(0, slash)) != kAttics.end()) {
      return {{file.path, 0, "a folder is named after what it holds, not after being useful"}};
    }
    rest.remove_prefix(slash + 1);
  }
  return {};
}

Violations CheckSourcesAreBuilt(const SourceTree& tree) {
  Violations found;
  for (const auto& [path, file] : tree) {
    if (!path.ends_with(".cpp") || IsListedAbove(tree, path)) continue;
    found.push_back({path, 0, "no CMakeLists.txt of its folder or one above lists it"});
  }
  return found;
}

}  // namespace synod::tree
