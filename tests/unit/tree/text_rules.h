// What no text of the project says: unfinished work, machine paths, generators of random numbers that are not ours, and
// links to documents that are not there.
#pragma once

#include <string>
#include <string_view>

#include "tests/unit/tree/source_tree.h"

namespace synod::tree {

// True if `line` has `phrase` with no letter, digit or '_' directly before or after it.
bool HasPhrase(std::string_view line, std::string_view phrase);

Violations CheckBannedPhrases(const SourceFile& file);

// Paths of one machine: a home folder or a working folder that a user does not have.
Violations CheckMachinePaths(const SourceFile& file);

// Relative links of a Markdown file whose target is not below `root`.
Violations CheckMarkdownLinks(const SourceFile& file, const std::string& root);

}  // namespace synod::tree
