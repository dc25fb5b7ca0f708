#include "common/core/file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/shared_data.h"

namespace synod {
namespace {

TEST(WriteFileAtomically, WritesAndReadsBack) {
  const std::string path = testing::TemporaryFolder() + "/a.txt";
  ASSERT_TRUE(WriteFileAtomically(path, AsBytes("hello")).ok());
  const Result<std::string> text = ReadFile(path, 100);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, "hello");
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST(WriteFileAtomically, SaysThatTheDiskIsFull) {
  const Status status = WriteFileAtomically("/dev/full", AsBytes("hello"));
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("No space left"), std::string::npos);
  EXPECT_NE(status.error().hint.find("disk is full"), std::string::npos);
}

TEST(WriteFileAtomically, LeavesTheOldFileWhenTheFolderIsMissing) {
  const Status status = WriteFileAtomically(testing::TemporaryFolder() + "/no/such/folder.txt", AsBytes("x"));
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("folder.txt"), std::string::npos);
}

TEST(ReadFile, RefusesMoreThanTheStatedSizeAndNamesTheFile) {
  const std::string path = testing::TemporaryFolder() + "/a.txt";
  ASSERT_TRUE(WriteFileAtomically(path, AsBytes("hello")).ok());
  const Result<std::string> text = ReadFile(path, 4);
  ASSERT_FALSE(text.ok());
  EXPECT_NE(text.error().message.find("a.txt"), std::string::npos);
}

TEST(ReadFile, RefusesAFolderAndAMissingFile) {
  EXPECT_FALSE(ReadFile(testing::TemporaryFolder(), 100).ok());
  EXPECT_FALSE(ReadFile("/no/such/file", 100).ok());
}

}  // namespace
}  // namespace synod
