#include "common/data/toml_tree.h"

#include <fmt/format.h>

#include <cstdio>

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "common/data/date_time.h"

namespace synod {
namespace {

std::string DateText(const toml::date& date) {
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

std::string DateTimeText(const toml::date_time& moment) {
  const std::string text = fmt::format("{}T{:02}:{:02}:{:02}", DateText(moment.date), moment.time.hour,
                                       moment.time.minute, moment.time.second);
  const std::optional<std::int64_t> seconds = ParseDateTime(text);
  if (!seconds) return text;  // refused where it is used
  const std::int64_t offset = moment.offset ? 60 * moment.offset->minutes : 0;
  std::string out;
  AppendDateTime(*seconds - offset, /*whole_days=*/false, out);
  return out;
}

// What a parser's message says about the file without what it quotes from it: the file may be the wrong one, such as a
// table of records.
std::string WithoutQuotation(std::string_view description) {
  for (const std::string_view cut : {"; saw", ", saw", "saw '", "'"}) {
    const std::size_t at = description.find(cut);
    if (at != std::string_view::npos) description = description.substr(0, at);
  }
  while (!description.empty() && (description.back() == ' ' || description.back() == ';')) description.remove_suffix(1);
  return std::string(description);
}

void CopyValue(const toml::node& from, TomlNode& to) {
  if (const auto* text = from.as_string()) {
    to.kind = TomlNode::Kind::kText;
    to.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    to.kind = TomlNode::Kind::kInteger;
    to.integer = integer->get();
  } else if (const auto* real = from.as_floating_point()) {
    to.kind = TomlNode::Kind::kReal;
    to.real = real->get();
  } else if (const auto* flag = from.as_boolean()) {
    to.kind = TomlNode::Kind::kBool;
    to.flag = flag->get();
  } else if (const auto* date = from.as_date()) {
    to.kind = TomlNode::Kind::kDate;
    to.text = DateText(date->get());
  } else if (const auto* moment = from.as_date_time()) {
    to.kind = TomlNode::Kind::kDate;
    to.text = DateTimeText(moment->get());
  } else {
    to.kind = TomlNode::Kind::kTime;
  }
}

void CopyNode(const toml::node& from, TomlNode& to) {
  to.line = static_cast<unsigned>(from.source().begin.line);
  if (const toml::table* table = from.as_table()) {
    to.kind = TomlNode::Kind::kTable;
    for (const auto& [key, value] : *table) {
      auto inner = std::make_unique<TomlNode>();
      CopyNode(value, *inner);
      if (inner->line == 0) inner->line = static_cast<unsigned>(key.source().begin.line);
      to.table.emplace(std::string(key.str()), std::move(inner));
    }
  } else if (const toml::array* array = from.as_array()) {
    to.kind = TomlNode::Kind::kArray;
    for (const toml::node& value : *array) {
      to.array.push_back(std::make_unique<TomlNode>());
      CopyNode(value, *to.array.back());
    }
  } else {
    CopyValue(from, to);
  }
}

}  // namespace

Result<std::shared_ptr<TomlSource>> ParseTomlTree(std::string_view text, const std::string& file) {
  const toml::parse_result parsed = toml::parse(text, std::string_view(file));
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    const auto line = error.source().begin.line;
    if (error.description().find("redefine") != std::string_view::npos) {
      return BadInput(fmt::format("{}:{}: a key or table is given twice", file, line), "keep one of the two");
    }
    return BadInput(fmt::format("{}:{}: not valid TOML ({})", file, line, WithoutQuotation(error.description())),
                    "see https://toml.io for the syntax; texts need quotes, tables are written [name]");
  }
  auto source = std::make_shared<TomlSource>();
  source->file = file;
  CopyNode(parsed.table(), source->root);
  return source;
}

}  // namespace synod
