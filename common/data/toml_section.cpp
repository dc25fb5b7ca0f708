#include "common/data/toml_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/core/file.h"
#include "common/data/toml_tree.h"

namespace synod {
namespace {

// Levenshtein distance, for "did you mean".
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string HintForUnknown(const std::string& key, const std::set<std::string>& known) {
  const std::string* best = nullptr;
  std::size_t best_distance = 3;  // further away is no typing error
  for (const std::string& candidate : known) {
    const std::size_t distance = EditDistance(key.substr(0, 64), candidate);
    if (distance < best_distance) {
      best = &candidate;
      best_distance = distance;
    }
  }
  if (best != nullptr) return fmt::format("did you mean \"{}\"?", *best);
  if (known.empty()) return "remove it: no keys are expected here";
  return fmt::format("remove it; the keys that are known here: {}", fmt::join(known, ", "));
}

std::string RangeText(double low, double high) {
  const bool no_low = low <= -1.7e308;
  const bool no_high = high >= 1.7e308;
  if (no_low && no_high) return "any finite number";
  if (no_high) return fmt::format("at least {}", low);
  if (no_low) return fmt::format("at most {}", high);
  return fmt::format("between {} and {}", low, high);
}

}  // namespace

Result<TomlSection> TomlSection::Parse(std::string_view text, const std::string& file) {
  if (text.size() > kMaxFileBytes) {
    return BadInput(fmt::format("{} has {} bytes; at most {} are accepted here", file, text.size(), kMaxFileBytes));
  }
  SYNOD_ASSIGN_OR_RETURN(std::shared_ptr<TomlSource> source, ParseTomlTree(text, file));
  const TomlNode* root = &source->root;
  return TomlSection(std::move(source), root, "");
}

Result<TomlSection> TomlSection::FromFile(const std::string& path, std::size_t max_bytes) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, max_bytes));
  return Parse(text, path);
}

const std::string& TomlSection::file() const {
  return source_->file;
}

std::string TomlSection::InnerPath(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

const TomlNode* TomlSection::Find(std::string_view key) const {
  source_->known[node_].emplace(key);
  const auto found = node_->table.find(key);
  if (found == node_->table.end()) return nullptr;
  found->second->asked = true;
  return found->second.get();
}

Result<const TomlNode*> TomlSection::FindRequired(std::string_view key) const {
  const TomlNode* node = Find(key);
  if (node == nullptr) return ErrorAt(key, "is required and not given", fmt::format("add {} = ...", key));
  return node;
}

Error TomlSection::ErrorAt(std::string_view key, std::string_view what, std::string hint) const {
  const auto found = node_->table.find(key);
  const unsigned line = found != node_->table.end() ? found->second->line : node_->line;
  if (line == 0) return BadInput(fmt::format("{}: {}: {}", file(), InnerPath(key), what), std::move(hint));
  return BadInput(fmt::format("{}:{}: {}: {}", file(), line, InnerPath(key), what), std::move(hint));
}

Error TomlSection::WrongType(std::string_view key, const TomlNode& node, std::string_view wanted) const {
  std::string_view is = "a table";
  switch (node.kind) {
    case TomlNode::Kind::kTable:
      break;
    case TomlNode::Kind::kArray:
      is = "a list";
      break;
    case TomlNode::Kind::kText:
      is = "a text in quotes";
      break;
    case TomlNode::Kind::kInteger:
      is = "an integer";
      break;
    case TomlNode::Kind::kReal:
      is = "a real number";
      break;
    case TomlNode::Kind::kBool:
      is = "true or false";
      break;
    case TomlNode::Kind::kDate:
      is = "a date";
      break;
    case TomlNode::Kind::kTime:
      is = "a time of day";
      break;
  }
  return ErrorAt(key, fmt::format("must be {}, but is {}", wanted, is));
}

bool TomlSection::Has(std::string_view key) const {
  return node_->table.find(key) != node_->table.end();
}

Result<double> TomlSection::RealOf(std::string_view key, const TomlNode& node, double low, double high) const {
  if (node.kind != TomlNode::Kind::kReal && node.kind != TomlNode::Kind::kInteger)
    return WrongType(key, node, "a number");
  const double value = node.kind == TomlNode::Kind::kReal ? node.real : static_cast<double>(node.integer);
  if (std::isnan(value)) return ErrorAt(key, "must be a number, but is NaN", "write " + RangeText(low, high));
  if (std::isinf(value)) return ErrorAt(key, "must be finite, but is infinite", "write " + RangeText(low, high));
  if (value < low || value > high) return ErrorAt(key, fmt::format("is {}; must be {}", value, RangeText(low, high)));
  return value;
}

Result<double> TomlSection::Real(std::string_view key, double otherwise, double low, double high) const {
  const TomlNode* node = Find(key);
  if (node == nullptr) return otherwise;
  return RealOf(key, *node, low, high);
}

Result<double> TomlSection::RequiredReal(std::string_view key, double low, double high) const {
  SYNOD_ASSIGN_OR_RETURN(const TomlNode* node, FindRequired(key));
  return RealOf(key, *node, low, high);
}

Result<std::int64_t> TomlSection::IntegerOf(std::string_view key, const TomlNode& node, std::int64_t low,
                                            std::int64_t high) const {
  if (node.kind != TomlNode::Kind::kInteger) return WrongType(key, node, "an integer");
  if (node.integer < low || node.integer > high) {
    return ErrorAt(key, fmt::format("is {}; must be between {} and {}", node.integer, low, high));
  }
  return node.integer;
}

Result<std::int64_t> TomlSection::Integer(std::string_view key, std::int64_t otherwise, std::int64_t low,
                                          std::int64_t high) const {
  const TomlNode* node = Find(key);
  if (node == nullptr) return otherwise;
  return IntegerOf(key, *node, low, high);
}

Result<std::int64_t> TomlSection::RequiredInteger(std::string_view key, std::int64_t low, std::int64_t high) const {
  SYNOD_ASSIGN_OR_RETURN(const TomlNode* node, FindRequired(key));
  return IntegerOf(key, *node, low, high);
}

Result<bool> TomlSection::Bool(std::string_view key, bool otherwise) const {
  const TomlNode* node = Find(key);
  if (node == nullptr) return otherwise;
  if (node->kind != TomlNode::Kind::kBool) return WrongType(key, *node, "true or false");
  return node->flag;
}

Result<std::string> TomlSection::TextOf(std::string_view key, const TomlNode& node) const {
  if (node.kind != TomlNode::Kind::kText) return WrongType(key, node, "a text in quotes");
  return node.text;
}

Result<std::string> TomlSection::Text(std::string_view key, std::string otherwise) const {
  const TomlNode* node = Find(key);
  if (node == nullptr) return otherwise;
  return TextOf(key, *node);
}

Result<std::string> TomlSection::RequiredText(std::string_view key) const {
  SYNOD_ASSIGN_OR_RETURN(const TomlNode* node, FindRequired(key));
  SYNOD_ASSIGN_OR_RETURN(std::string text, TextOf(key, *node));
  if (text.empty()) return ErrorAt(key, "must not be empty");
  return text;
}

Result<std::size_t> TomlSection::ChoiceOf(std::string_view key, const TomlNode& node,
                                          const std::vector<std::string_view>& allowed) const {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, TextOf(key, node));
  const auto found = std::find(allowed.begin(), allowed.end(), text);
  if (found == allowed.end()) {
    return ErrorAt(key, fmt::format("must be one of: {}", fmt::join(allowed, ", ")));
  }
  return static_cast<std::size_t>(found - allowed.begin());
}

Result<std::size_t> TomlSection::Choice(std::string_view key, std::size_t otherwise,
                                        const std::vector<std::string_view>& allowed) const {
  const TomlNode* node = Find(key);
  if (node == nullptr) return otherwise;
  return ChoiceOf(key, *node, allowed);
}

Result<std::size_t> TomlSection::RequiredChoice(std::string_view key,
                                                const std::vector<std::string_view>& allowed) const {
  SYNOD_ASSIGN_OR_RETURN(const TomlNode* node, FindRequired(key));
  return ChoiceOf(key, *node, allowed);
}

Result<std::vector<std::string>> TomlSection::Strings(std::string_view key, std::vector<std::string> otherwise) const {
  const TomlNode* node = Find(key);
  if (node == nullptr) return otherwise;
  if (node->kind != TomlNode::Kind::kArray) return WrongType(key, *node, "a list of texts");
  std::vector<std::string> texts;
  for (const auto& item : node->array) {
    if (item->kind != TomlNode::Kind::kText) return WrongType(key, *item, "a list of texts in quotes");
    texts.push_back(item->text);
  }
  return texts;
}

Result<std::vector<double>> TomlSection::Reals(std::string_view key, std::vector<double> otherwise, double low,
                                               double high) const {
  const TomlNode* node = Find(key);
  if (node == nullptr) return otherwise;
  if (node->kind != TomlNode::Kind::kArray) return WrongType(key, *node, "a list of numbers");
  std::vector<double> reals;
  for (const auto& item : node->array) {
    SYNOD_ASSIGN_OR_RETURN(const double value, RealOf(key, *item, low, high));
    reals.push_back(value);
  }
  return reals;
}

Result<std::string> TomlSection::RequiredDateText(std::string_view key) const {
  SYNOD_ASSIGN_OR_RETURN(const TomlNode* node, FindRequired(key));
  if (node->kind != TomlNode::Kind::kText && node->kind != TomlNode::Kind::kDate)
    return WrongType(key, *node, "a date");
  return node->text;
}

Result<TomlSection> TomlSection::Section(std::string_view name) const {
  const TomlNode* node = Find(name);
  if (node == nullptr) return TomlSection(source_, &source_->empty, InnerPath(name));
  if (node->kind != TomlNode::Kind::kTable) return WrongType(name, *node, "a table");
  return TomlSection(source_, node, InnerPath(name));
}

Result<TomlSection> TomlSection::RequiredSection(std::string_view name) const {
  if (!Has(name)) return ErrorAt(name, "the table is required and not given", fmt::format("add [{}]", InnerPath(name)));
  return Section(name);
}

Result<std::vector<TomlSection>> TomlSection::Sections(std::string_view name) const {
  std::vector<TomlSection> sections;
  const TomlNode* node = Find(name);
  if (node == nullptr) return sections;
  if (node->kind != TomlNode::Kind::kArray) return WrongType(name, *node, "a list of tables");
  for (const auto& item : node->array) {
    if (item->kind != TomlNode::Kind::kTable) return WrongType(name, *item, "a list of tables");
    sections.push_back(TomlSection(source_, item.get(), fmt::format("{}[{}]", InnerPath(name), sections.size() + 1)));
  }
  return sections;
}

Status TomlSection::Finish() const {
  const TomlNode* first = nullptr;
  const std::string* first_key = nullptr;
  for (const auto& [key, node] : node_->table) {
    if (node->asked || (first != nullptr && node->line >= first->line)) continue;
    first = node.get();
    first_key = &key;
  }
  if (first == nullptr) return {};
  return ErrorAt(*first_key, "is not a known key", HintForUnknown(*first_key, source_->known[node_]));
}

}  // namespace synod
