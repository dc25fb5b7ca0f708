// What is installed holds nothing that is for tests only: no seeded SecretRandom above all.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/unit/tree/elf_symbols.h"

namespace synod::tree {

// A symbol for the test below to find; it must have linkage to be in the table.
int AnswerForTestsOnly() {
  return 42;
}

namespace {

constexpr std::string_view kTestMark = "ForTestsOnly";

bool HasTestMark(const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name.find(kTestMark) != std::string::npos; });
}

TEST(Programs, HoldNoSymbolThatIsForTestsOnly) {
  const std::filesystem::path folder = std::filesystem::path(SYNOD_BINARY_DIR) / "bin";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no programs are built in " << folder;
  std::size_t checked = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const Result<std::vector<std::string>> names = ReadElfSymbols(entry.path().string());
    ASSERT_TRUE(names.ok()) << names.error().message;
    EXPECT_FALSE(HasTestMark(*names)) << entry.path() << ":0: holds a symbol with " << kTestMark;
    ++checked;
  }
  if (checked == 0) GTEST_SKIP() << "no programs are built in " << folder;
}

TEST(Programs, ASymbolThatIsForTestsOnlyIsFoundWhereThereIsOne) {
  ASSERT_EQ(AnswerForTestsOnly(), 42);
  const Result<std::vector<std::string>> names = ReadElfSymbols("/proc/self/exe");
  ASSERT_TRUE(names.ok()) << names.error().message;
  EXPECT_TRUE(HasTestMark(*names));
}

TEST(Programs, AFileThatIsNoProgramIsRefused) {
  EXPECT_FALSE(ReadElfSymbols(std::string(SYNOD_SOURCE_DIR) + "/CMakeLists.txt").ok());
  EXPECT_FALSE(ReadElfSymbols(std::string(SYNOD_SOURCE_DIR) + "/no_such_file").ok());
}

}  // namespace
}  // namespace synod::tree
