// The parsed form of a TOML file that TomlSection reads: plain values with their lines, free of the parser's types.
// Internal to toml_section.cpp and toml_tree.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/result.h"

namespace synod {

struct TomlNode {
  enum class Kind : std::uint8_t { kTable, kArray, kText, kInteger, kReal, kBool, kDate, kTime };
  Kind kind = Kind::kTable;
  unsigned line = 0;  // 1-based; 0 where the parser knows none
  std::string text;   // kText, kDate
  std::int64_t integer = 0;
  double real = 0.0;
  bool flag = false;
  std::map<std::string, std::unique_ptr<TomlNode>, std::less<>> table;
  std::vector<std::unique_ptr<TomlNode>> array;
  mutable bool asked = false;  // somebody asked for this key
};

struct TomlSource {
  std::string file;
  TomlNode root;
  TomlNode empty;                                          // stands for every absent section
  std::map<const TomlNode*, std::set<std::string>> known;  // the keys that were asked for, for hints
};

// Fails on a syntax error or a duplicate key, with file and line; quotes nothing else of the text.
Result<std::shared_ptr<TomlSource>> ParseTomlTree(std::string_view text, const std::string& file);

}  // namespace synod
