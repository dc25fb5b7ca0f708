#include "tests/unit/tree/text_rules.h"

#include <gtest/gtest.h>

namespace synod::tree {
namespace {

std::size_t BannedIn(const std::string& path, const std::string& text) {
  return CheckBannedPhrases(MakeSourceFile(path, text)).size();
}

TEST(Texts, SayNothingThatIsBanned) {
  Violations found;
  for (const auto& [path, file] : LoadSourceTree(SYNOD_SOURCE_DIR)) {
    Append(found, CheckBannedPhrases(file));
    Append(found, CheckMachinePaths(file));
  }
  EXPECT_TRUE(found.empty()) << Describe(found);
}

TEST(Texts, LinkOnlyToFilesThatAreThere) {
  Violations found;
  for (const auto& [path, file] : LoadSourceTree(SYNOD_SOURCE_DIR)) {
    if (path.ends_with(".md")) Append(found, CheckMarkdownLinks(file, SYNOD_SOURCE_DIR));
  }
  EXPECT_TRUE(found.empty()) << Describe(found);
}

TEST(Texts, PhrasesAreWholeWords) {
  EXPECT_TRUE(HasPhrase("a rand()", "rand"));
  EXPECT_TRUE(HasPhrase("brand, rand", "rand"));
  EXPECT_FALSE(HasPhrase("brand random rand_r", "rand"));
  EXPECT_FALSE(HasPhrase("", "rand"));
}

TEST(Texts, UnfinishedWorkIsFoundInCodeAndDocuments) {
  EXPECT_EQ(BannedIn("common/core/a.cpp", std::string("// TO") + "DO: later\n"), 1u);
  EXPECT_EQ(BannedIn("README.md", std::string("It works like this For") + " Now.\n"), 1u);
  EXPECT_EQ(BannedIn("CMakeLists.txt", std::string("# a st") + "ub\n"), 1u);
  EXPECT_EQ(BannedIn("README.md", "A stubborn note for nowhere.\n"), 0u);
}

TEST(Texts, RandomnessOfTheLibrariesIsFound) {
  const std::string noise = std::string("auto noise = torch::") + "randn({4});\n";
  EXPECT_EQ(BannedIn("coordinator/a.cpp", noise), 1u);
  EXPECT_EQ(BannedIn("models/flow/a.cpp", noise), 0u);
  EXPECT_EQ(BannedIn("tests/unit/models/a.cpp", noise), 0u);
  EXPECT_EQ(BannedIn("tools/a.cpp", std::string("int x = std::") + "rand();\n"), 1u);
  EXPECT_EQ(BannedIn("tools/a.cpp", "std::random_access_iterator_tag tag;\n"), 0u);
}

TEST(Texts, PathsOfOneMachineAreFound) {
  const auto count = [](const std::string& text) { return CheckMachinePaths(MakeSourceFile("a.md", text)).size(); };
  EXPECT_EQ(count(std::string("see /wo") + "rk/notes.md\n"), 1u);
  EXPECT_EQ(count(std::string("\"/ho") + "me/someone/x\"\n"), 1u);
  EXPECT_EQ(count("frame/work/notes and docs/home/x\n"), 0u);
}

TEST(Texts, ALinkToAMissingFileIsFoundWithItsLine) {
  const SourceFile file =
      MakeSourceFile("README.md", "[a](CMakeLists.txt) [b](https://example.org/x) [c](#part)\n[d](no/such/file.md)\n");
  const Violations found = CheckMarkdownLinks(file, SYNOD_SOURCE_DIR);
  ASSERT_EQ(found.size(), 1u) << Describe(found);
  EXPECT_EQ(found[0].line, 2u);
}

}  // namespace
}  // namespace synod::tree
