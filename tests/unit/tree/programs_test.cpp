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

// Programs and the shared libraries that they load.
std::vector<std::filesystem::path> BuiltPrograms() {
  std::vector<std::filesystem::path> found;
  for (const char* name : {"bin", "lib"}) {
    const std::filesystem::path folder = std::filesystem::path(SYNOD_BINARY_DIR) / name;
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.is_regular_file()) found.push_back(entry.path());
    }
  }
  return found;
}

TEST(Programs, HoldNoSymbolThatIsForTestsOnly) {
  const std::vector<std::filesystem::path> programs = BuiltPrograms();
  if (programs.empty()) GTEST_SKIP() << "no programs are built in " << SYNOD_BINARY_DIR;
  for (const std::filesystem::path& path : programs) {
    const Result<std::vector<std::string>> names = ReadElfSymbols(path.string());
    ASSERT_TRUE(names.ok()) << names.error().message;
    EXPECT_FALSE(HasTestMark(*names)) << path.string() << ":0: holds a symbol with " << kTestMark;
  }
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
