// Strict reading of TOML: one table of a file whose keys are asked for by name, type and range.
//
// Whoever reads a section asks for every key that it knows and then calls Finish(), which fails on the first key that
// nobody asked for. Every error is BadInput and reads "FILE:LINE: section.key: what is wrong", with a hint that says
// what to do. NaN and infinity are never accepted. A section may be kept and read later: copies are cheap and share the
// record of which keys were asked for.
//
// Integers are accepted where a real number is wanted, never the other way round. TOML dates are texts in the form
// "2024-01-31" or "2024-01-31T12:00:00Z" (local date-times are taken as UTC, offsets are converted).
//
// Threads: one thread at a time for all copies of the sections of a file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/result.h"

namespace synod {

struct TomlNode;    // toml_tree.h
struct TomlSource;  // toml_tree.h

class TomlSection {
 public:
  static constexpr std::size_t kMaxFileBytes = 4u << 20;

  // The root table of a file. `file` is only a name for the errors. A syntax error or a duplicate key is an error.
  static Result<TomlSection> Parse(std::string_view text, const std::string& file);
  static Result<TomlSection> FromFile(const std::string& path, std::size_t max_bytes = kMaxFileBytes);

  bool Has(std::string_view key) const;

  // The number under `key`, within [low, high]; `otherwise` (not checked against the range) where the key is absent.
  Result<double> Real(std::string_view key, double otherwise, double low, double high) const;
  Result<double> RequiredReal(std::string_view key, double low, double high) const;
  Result<std::int64_t> Integer(std::string_view key, std::int64_t otherwise, std::int64_t low, std::int64_t high) const;
  Result<std::int64_t> RequiredInteger(std::string_view key, std::int64_t low, std::int64_t high) const;
  Result<bool> Bool(std::string_view key, bool otherwise) const;
  // Texts that are required must not be empty.
  Result<std::string> Text(std::string_view key, std::string otherwise) const;
  Result<std::string> RequiredText(std::string_view key) const;
  // A text out of a closed list; the index into `allowed`. The error lists what is allowed.
  Result<std::size_t> Choice(std::string_view key, std::size_t otherwise,
                             const std::vector<std::string_view>& allowed) const;
  Result<std::size_t> RequiredChoice(std::string_view key, const std::vector<std::string_view>& allowed) const;
  Result<std::vector<std::string>> Strings(std::string_view key, std::vector<std::string> otherwise) const;
  Result<std::vector<double>> Reals(std::string_view key, std::vector<double> otherwise, double low, double high) const;
  // A text or a TOML date, as text.
  Result<std::string> RequiredDateText(std::string_view key) const;

  // The table [name] inside this one: empty where it is absent.
  Result<TomlSection> Section(std::string_view name) const;
  Result<TomlSection> RequiredSection(std::string_view name) const;
  // The tables [[name]], in order: none where it is absent.
  Result<std::vector<TomlSection>> Sections(std::string_view name) const;

  // Fails on the first key of this table (not of tables inside it) that nobody asked for.
  Status Finish() const;

  // A BadInput that names file, line and `key` of this section; for rules that the caller checks.
  Error ErrorAt(std::string_view key, std::string_view what, std::string hint = "") const;

  // "privacy", or "column[3]"; empty for the root.
  const std::string& path() const { return path_; }
  const std::string& file() const;

 private:
  TomlSection(std::shared_ptr<TomlSource> source, const TomlNode* node, std::string path)
      : source_(std::move(source)), node_(node), path_(std::move(path)) {}
  const TomlNode* Find(std::string_view key) const;
  Result<const TomlNode*> FindRequired(std::string_view key) const;
  Result<double> RealOf(std::string_view key, const TomlNode& node, double low, double high) const;
  Result<std::int64_t> IntegerOf(std::string_view key, const TomlNode& node, std::int64_t low, std::int64_t high) const;
  Result<std::string> TextOf(std::string_view key, const TomlNode& node) const;
  Result<std::size_t> ChoiceOf(std::string_view key, const TomlNode& node,
                               const std::vector<std::string_view>& allowed) const;
  Error WrongType(std::string_view key, const TomlNode& node, std::string_view wanted) const;
  std::string InnerPath(std::string_view key) const;

  std::shared_ptr<TomlSource> source_;
  const TomlNode* node_;
  std::string path_;
};

}  // namespace synod
