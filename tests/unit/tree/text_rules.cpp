#include "tests/unit/tree/text_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <vector>

namespace synod::tree {
namespace {

enum class Where { kEverywhere, kCode, kProgramsOutsideModels };

struct Banned {
  std::string phrase;
  bool any_case = false;
  Where where = Where::kEverywhere;
  std::string why;
};

// The phrases are put together from pieces, so that this file does not break its own rules.
const std::vector<Banned>& BannedPhrases() {
  static const std::vector<Banned> kBanned = {
      {std::string("TO") + "DO", false, Where::kEverywhere, "unfinished work"},
      {std::string("FIX") + "ME", false, Where::kEverywhere, "unfinished work"},
      {std::string("XX") + "X", false, Where::kEverywhere, "unfinished work"},
      {std::string("for") + " now", true, Where::kEverywhere, "unfinished work"},
      {std::string("st") + "ub", true, Where::kEverywhere, "unfinished work"},
      {std::string("not imple") + "mented", true, Where::kEverywhere, "unfinished work"},
      {std::string("place") + "holder", true, Where::kCode, "unfinished work"},
      {std::string("using ") + "namespace", false, Where::kCode, "names are written out"},
      {std::string("std::") + "rand", false, Where::kCode, "randomness is SecretRandom or PublicRandom"},
      {std::string("std::") + "srand", false, Where::kCode, "randomness is SecretRandom or PublicRandom"},
      {std::string("torch::") + "randn", false, Where::kProgramsOutsideModels, "no privacy noise from LibTorch"},
      {std::string("torch::") + "randn_like", false, Where::kProgramsOutsideModels, "no privacy noise from LibTorch"},
  };
  return kBanned;
}

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

bool Applies(const Banned& banned, const SourceFile& file) {
  if (banned.where == Where::kEverywhere) return true;
  if (banned.where == Where::kCode) return file.IsCode();
  return file.IsCode() && !file.IsUnder("models") && !file.IsUnder("tests");
}

// The target of the Markdown link that begins at or after `position`, which moves behind it; empty at the line's end.
std::string NextLinkTarget(const std::string& line, std::size_t& position) {
  const std::size_t begin = line.find("](", position);
  const std::size_t end = begin == std::string::npos ? begin : line.find(')', begin);
  position = end;
  return end == std::string::npos ? "" : line.substr(begin + 2, end - begin - 2);
}

bool IsRelativeLink(const std::string& target) {
  return !target.empty() && target.front() != '#' && target.find("://") == std::string::npos &&
         !target.starts_with("mailto:");
}

}  // namespace

bool HasPhrase(std::string_view line, std::string_view phrase) {
  for (std::size_t at = line.find(phrase); at != std::string_view::npos; at = line.find(phrase, at + 1)) {
    const std::size_t end = at + phrase.size();
    const bool begins = at == 0 || !IsWordCharacter(line[at - 1]);
    const bool ends = end == line.size() || !IsWordCharacter(line[end]);
    if (begins && ends) return true;
  }
  return false;
}

Violations CheckBannedPhrases(const SourceFile& file) {
  Violations found;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string lower = LowerCase(file.lines[i]);
    for (const Banned& banned : BannedPhrases()) {
      if (!Applies(banned, file) || !HasPhrase(banned.any_case ? lower : file.lines[i], banned.phrase)) continue;
      found.push_back({file.path, i + 1, "says '" + banned.phrase + "': " + banned.why});
    }
  }
  return found;
}

Violations CheckMachinePaths(const SourceFile& file) {
  static const std::array<std::string, 3> kFolders = {std::string("/wo") + "rk/", std::string("/ho") + "me/",
                                                      std::string("/ro") + "ot/"};
  Violations found;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    for (const std::string& folder : kFolders) {
      for (std::size_t at = line.find(folder); at != std::string::npos; at = line.find(folder, at + 1)) {
        // In the middle of a path ("a/b/c", "$HOME/b") it is no folder of the machine's root.
        const bool absolute = at == 0 || (!IsWordCharacter(line[at - 1]) && line[at - 1] != '.' && line[at - 1] != '}');
        if (absolute) found.push_back({file.path, i + 1, "names a folder of one machine, " + folder});
      }
    }
  }
  return found;
}

Violations CheckMarkdownLinks(const SourceFile& file, const std::string& root) {
  Violations found;
  const std::filesystem::path folder = (std::filesystem::path(root) / file.path).parent_path();
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    for (std::size_t position = 0; position != std::string::npos;) {
      const std::string target = NextLinkTarget(file.lines[i], position);
      if (!IsRelativeLink(target)) continue;
      if (std::filesystem::exists(folder / target.substr(0, target.find('#')))) continue;
      found.push_back({file.path, i + 1, "links to " + target + ", which is not there"});
    }
  }
  return found;
}

}  // namespace synod::tree
