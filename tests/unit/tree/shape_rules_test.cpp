#include "tests/unit/tree/shape_rules.h"

#include <gtest/gtest.h>

namespace synod::tree {
namespace {

std::string Lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "  line;\n";
  return text;
}

TEST(Shape, HoldsInTheWholeTree) {
  const SourceTree tree = LoadSourceTree(SYNOD_SOURCE_DIR);
  ASSERT_TRUE(tree.contains("CMakeLists.txt")) << "the tree was not found";
  Violations found = CheckSourcesAreBuilt(tree);
  for (const auto& [path, file] : tree) {
    Append(found, CheckFileLength(file));
    Append(found, CheckFunctionLength(file));
    Append(found, CheckHeaderGuard(file));
    Append(found, CheckFolderNames(file));
  }
  EXPECT_TRUE(found.empty()) << Describe(found);
}

TEST(Shape, AFileOfOneLineTooManyIsFound) {
  EXPECT_TRUE(CheckFileLength(MakeSourceFile("a.cpp", Lines(kMaxFileLines))).empty());
  EXPECT_EQ(CheckFileLength(MakeSourceFile("a.cpp", Lines(kMaxFileLines + 1))).size(), 1u);
  EXPECT_TRUE(CheckFileLength(MakeSourceFile("a.md", Lines(kMaxFileLines + 1))).empty());
}

TEST(Shape, AFunctionOfOneLineTooManyIsFoundAtItsFirstLine) {
  const auto check = [](std::size_t body) {
    return CheckFunctionLength(
        MakeSourceFile("a.cpp", "namespace a {\n\nint F(int x) {\n" + Lines(body) + "}\n\n}  // namespace a\n"));
  };
  EXPECT_TRUE(check(kMaxFunctionLines - 2).empty());
  const Violations found = check(kMaxFunctionLines - 1);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].line, 3u);
}

TEST(Shape, AClassOrATableMayBeLong) {
  EXPECT_TRUE(CheckFunctionLength(MakeSourceFile("a.h", "class A {\n" + Lines(100) + "};\n")).empty());
  EXPECT_TRUE(CheckFunctionLength(MakeSourceFile("a.cpp", "constexpr int kA[] = {\n" + Lines(100) + "};\n")).empty());
}

TEST(Shape, AHeaderWithoutPragmaOnceIsFound) {
  EXPECT_TRUE(CheckHeaderGuard(MakeSourceFile("a.h", "// What it is.\n\n#pragma once\n")).empty());
  EXPECT_EQ(CheckHeaderGuard(MakeSourceFile("a.h", "// What it is.\n#include <vector>\n#pragma once\n")).size(), 1u);
  EXPECT_EQ(CheckHeaderGuard(MakeSourceFile("a.h", "")).size(), 1u);
}

TEST(Shape, AnAtticIsFound) {
  EXPECT_EQ(CheckFolderNames(MakeSourceFile("common/util/a.h", "")).size(), 1u);
  EXPECT_EQ(CheckFolderNames(MakeSourceFile("utils/a.h", "")).size(), 1u);
  EXPECT_TRUE(CheckFolderNames(MakeSourceFile("common/utility_model/a.h", "")).empty());
}

TEST(Shape, ASourceThatNoCMakeFileListsIsFound) {
  SourceTree tree;
  const auto add = [&](const std::string& path, const std::string& text) {
    tree.emplace(path, MakeSourceFile(path, text));
  };
  add("models/CMakeLists.txt", "synod_module(flow SOURCES flow/a.cpp ab.cpp) # c.cpp\n");
  add("models/flow/a.cpp", "");
  add("models/ab.cpp", "");
  EXPECT_TRUE(CheckSourcesAreBuilt(tree).empty()) << Describe(CheckSourcesAreBuilt(tree));
  add("models/b.cpp", "");
  add("models/c.cpp", "");
  EXPECT_EQ(CheckSourcesAreBuilt(tree).size(), 2u);
}

}  // namespace
}  // namespace synod::tree
