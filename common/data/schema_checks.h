// The rules that one column of a schema must keep, with the key of the schema file that breaks one.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "common/data/schema.h"

namespace synod {

struct ColumnProblem {
  std::string key;   // "min", "values", ...
  std::string what;  // "is greater than max"
  std::string hint;  // may be empty
};

// What is wrong with columns[index], on its own or beside the columns before it; nothing where all is well.
std::optional<ColumnProblem> FindColumnProblem(std::span<const Column> columns, std::size_t index);

// Why `text` cannot be a name or a category: empty, longer than Schema::kMaxNameBytes, not UTF-8, with a control
// character, or with a blank at either end (cells are compared without blanks around them); nullptr where it can.
const char* FindTextProblem(std::string_view text);

}  // namespace synod
