// The files that the README shows are files that the project reads.
#include <gtest/gtest.h>

#include "common/config/run_specification.h"
#include "common/data/schema.h"
#include "site_agent/site_configuration.h"
#include "site_agent/site_policy.h"
#include "tests/unit/tree/source_tree.h"

namespace synod::tree {
namespace {

// The texts of the blocks that begin with ```toml.
std::vector<std::string> TomlBlocks(const SourceFile& file) {
  std::vector<std::string> blocks;
  bool inside = false;
  for (const std::string& line : file.lines) {
    if (line == "```toml") {
      inside = true;
      blocks.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back() += line + "\n";
    }
  }
  return blocks;
}

TEST(Readme, ExamplesAreReadAsTheyStand) {
  const SourceTree tree = LoadSourceTree(SYNOD_SOURCE_DIR);
  const auto readme = tree.find("README.md");
  ASSERT_NE(readme, tree.end());
  const std::vector<std::string> blocks = TomlBlocks(readme->second);
  ASSERT_EQ(blocks.size(), 4u);
  const Result<SiteConfiguration> site = SiteConfiguration::FromToml(blocks[0], "site.toml", "site-a");
  EXPECT_TRUE(site.ok()) << site.error().message;
  const Result<SitePolicy> policy = SitePolicy::FromToml(blocks[1], "policy.toml");
  EXPECT_TRUE(policy.ok()) << policy.error().message;
  const Result<Schema> schema = Schema::FromToml(blocks[2], "schema.toml");
  EXPECT_TRUE(schema.ok()) << schema.error().message;
  const Result<RunSpecification> run = RunSpecification::FromToml(blocks[3], "run.toml");
  ASSERT_TRUE(run.ok()) << run.error().message;
  EXPECT_TRUE(run->warnings.empty());
}

}  // namespace
}  // namespace synod::tree
