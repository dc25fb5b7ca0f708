#include "tests/unit/tree/include_rules.h"

#include <gtest/gtest.h>

namespace synod::tree {
namespace {

SourceTree TreeOf(const std::vector<std::pair<std::string, std::string>>& files) {
  SourceTree tree;
  for (const auto& [path, text] : files) tree.emplace(path, MakeSourceFile(path, text));
  return tree;
}

// The violations where a file of `folder` includes one of `target_folder`.
std::size_t ViolationsOf(const std::string& folder, const std::string& target_folder) {
  const std::string target = target_folder + "/target.h";
  return CheckIncludeDirections(
             TreeOf({{folder + "/source.cpp", "#include \"" + target + "\"\n"}, {target, "#pragma once\n"}}))
      .size();
}

TEST(IncludeDirections, HoldInTheWholeTree) {
  const Violations found = CheckIncludeDirections(LoadSourceTree(SYNOD_SOURCE_DIR));
  EXPECT_TRUE(found.empty()) << Describe(found);
}

TEST(IncludeDirections, GoDownwardsOnly) {
  EXPECT_EQ(ViolationsOf("common/crypto", "common/core"), 0u);
  EXPECT_EQ(ViolationsOf("common/core", "common/crypto"), 1u);
  EXPECT_EQ(ViolationsOf("common/query", "common/privacy"), 0u);
  EXPECT_EQ(ViolationsOf("common/privacy", "common/query"), 1u);
  EXPECT_EQ(ViolationsOf("common/data", "common/query"), 1u);
  EXPECT_EQ(ViolationsOf("common/query", "common/data"), 1u);
  EXPECT_EQ(ViolationsOf("common/artefact", "common/config"), 1u);
  EXPECT_EQ(ViolationsOf("models", "common/artefact"), 0u);
  EXPECT_EQ(ViolationsOf("common/artefact", "models"), 1u);
  EXPECT_EQ(ViolationsOf("models", "coordinator"), 1u);
}

TEST(IncludeDirections, KeepCoordinatorAndSiteApart) {
  EXPECT_EQ(ViolationsOf("coordinator", "site_agent"), 1u);
  EXPECT_EQ(ViolationsOf("site_agent", "coordinator"), 1u);
  EXPECT_EQ(ViolationsOf("tools/synod", "coordinator"), 0u);
  EXPECT_EQ(ViolationsOf("tools/synod", "site_agent"), 0u);
}

TEST(IncludeDirections, KeepTestsOutOfPrograms) {
  for (const char* folder : {"common/crypto", "models", "coordinator", "site_agent", "tools"}) {
    EXPECT_EQ(ViolationsOf(folder, "tests/support"), 1u) << folder;
  }
}

TEST(IncludeDirections, RefuseAModuleWithoutALineInTheTable) {
  EXPECT_EQ(ViolationsOf("common/novel", "common/core"), 1u);
  EXPECT_EQ(ViolationsOf("common/core", "common/novel"), 1u);
}

TEST(IncludeDirections, RefuseRelativePathsAndFilesThatAreNotThere) {
  const Violations found = CheckIncludeDirections(TreeOf({
      {"common/core/a.cpp", "#include \"a.h\"\n#include \"../core/a.h\"\n  #  include \"common/core/b.h\"\n"},
      {"common/core/a.h", "#pragma once\n"},
  }));
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[2].line, 3u);
}

TEST(Torch, IsConfinedToModels) {
  const Violations found = CheckTorchIsConfined(LoadSourceTree(SYNOD_SOURCE_DIR));
  EXPECT_TRUE(found.empty()) << Describe(found);
}

TEST(Torch, IsFoundInAHeaderOfModels) {
  EXPECT_EQ(CheckTorchIsConfined(TreeOf({{"models/flow/flow.h", "#include <torch/torch.h>\n"}})).size(), 1u);
  EXPECT_EQ(CheckTorchIsConfined(TreeOf({{"models/flow/flow.cpp", "#include <torch/torch.h>\n"}})).size(), 0u);
}

TEST(Torch, IsFoundBehindAChainOfIncludes) {
  const SourceTree tree = TreeOf({
      {"coordinator/round.cpp", "#include \"models/flow/flow.h\"\n"},
      {"models/flow/flow.h", "#include \"models/engine/torch.h\"\n"},
      {std::string(kTorchHeader), "#include <ATen/core/ivalue.h>\n#include <torch/torch.h>\n"},
  });
  const Violations found = CheckTorchIsConfined(tree);
  ASSERT_EQ(found.size(), 1u) << Describe(found);
  EXPECT_EQ(found[0].path, "coordinator/round.cpp");
}

}  // namespace
}  // namespace synod::tree
