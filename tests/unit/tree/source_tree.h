// The project's own text files, read once: what the rules of the tree look at.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace synod::tree {

struct SourceFile {
  std::string path;                // from the root, with '/'
  std::vector<std::string> lines;  // without line ends

  bool IsHeader() const { return path.ends_with(".h"); }
  bool IsCode() const { return IsHeader() || path.ends_with(".cpp"); }
  bool IsUnder(std::string_view folder) const;  // `folder` without a '/' at its end
};

// By path.
using SourceTree = std::map<std::string, SourceFile>;

// A file with the given text, for tests of the rules themselves.
SourceFile MakeSourceFile(std::string path, std::string_view text);

// Every text file below `root`, without what is built or produced (build, out), hidden folders other than .ci, the
// licence text, and tables of data.
SourceTree LoadSourceTree(const std::string& root);

// One broken rule. `line` counts from 1; 0 means the file as a whole.
struct Violation {
  std::string path;
  std::size_t line = 0;
  std::string rule;
};

using Violations = std::vector<Violation>;

// "path:line: rule", one a line; empty where there is none.
std::string Describe(const Violations& violations);

void Append(Violations& to, Violations from);

}  // namespace synod::tree
