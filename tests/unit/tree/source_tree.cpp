#include "tests/unit/tree/source_tree.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace synod::tree {
namespace {

namespace fs = std::filesystem;

bool IsSkippedFolder(const std::string& name) {
  return name == "build" || name == "out" || (name.starts_with('.') && name != ".ci");
}

bool IsTextFile(const fs::path& path) {
  static constexpr std::array<std::string_view, 15> kExtensions = {
      ".h",    ".cpp", ".cmake", ".txt", ".md",   ".sh",      ".toml", ".json",
      ".html", ".svg", ".yaml",  ".yml", ".conf", ".service", ".py",
  };
  const std::string extension = path.extension().string();
  if (!extension.empty()) return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
  return path.filename() == "NOTICE" || path.parent_path().filename() == ".ci";
}

std::string ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

bool SourceFile::IsUnder(std::string_view folder) const {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

SourceFile MakeSourceFile(std::string path, std::string_view text) {
  SourceFile file{std::move(path), {}};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    file.lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return file;
}

SourceTree LoadSourceTree(const std::string& root) {
  SourceTree tree;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::recursive_directory_iterator(); ++entry) {
    const fs::path& path = entry->path();
    if (entry->is_directory()) {
      if (IsSkippedFolder(path.filename().string())) entry.disable_recursion_pending();
      continue;
    }
    if (!entry->is_regular_file() || !IsTextFile(path)) continue;
    const std::string relative = path.lexically_relative(root).generic_string();
    tree.emplace(relative, MakeSourceFile(relative, ReadText(path)));
  }
  return tree;
}

std::string Describe(const Violations& violations) {
  std::string text;
  for (const Violation& violation : violations) {
    text += "\n" + violation.path + ":" + std::to_string(violation.line) + ": " + violation.rule;
  }
  return text;
}

void Append(Violations& to, Violations from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace synod::tree
