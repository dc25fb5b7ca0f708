#include "common/core/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "common/core/file.h"

namespace synod {
namespace {

std::string TemporaryFile(const char* name) {
  return (std::filesystem::temp_directory_path() / (std::string(name) + "." + std::to_string(getpid()))).string();
}

TEST(ChildProcess, TellsTheExitCodeOfAProgramThatEnds) {
  Result<ChildProcess> child = ChildProcess::Start({"/bin/sh", {"-c", "exit 7"}, "", {}});
  ASSERT_TRUE(child.ok());
  ASSERT_TRUE(child->WaitFor(20.0));
  EXPECT_EQ(child->exit_code(), 7);
}

TEST(ChildProcess, TellsTheSignalThatEndedAProgram) {
  Result<ChildProcess> child = ChildProcess::Start({"/bin/sleep", {"600"}, "", {}});
  ASSERT_TRUE(child.ok());
  EXPECT_TRUE(child->Running());
  EXPECT_FALSE(child->WaitFor(0.01));
  child->Signal(SIGTERM);
  ASSERT_TRUE(child->WaitFor(20.0));
  EXPECT_EQ(child->exit_code(), 128 + SIGTERM);
}

TEST(ChildProcess, IsKilledByItsDestructor) {
  std::int64_t pid = 0;
  {
    Result<ChildProcess> child = ChildProcess::Start({"/bin/sleep", {"600"}, "", {}});
    ASSERT_TRUE(child.ok());
    pid = child->process_id();
    const ChildProcess moved = std::move(child).value();
    EXPECT_EQ(kill(static_cast<pid_t>(pid), 0), 0);
  }
  EXPECT_EQ(kill(static_cast<pid_t>(pid), 0), -1);
}

TEST(ChildProcess, NamesAProgramThatCannotBeRun) {
  const Result<ChildProcess> child = ChildProcess::Start({"/no/such/program", {}, "", {}});
  ASSERT_FALSE(child.ok());
  EXPECT_NE(child.error().message.find("/no/such/program"), std::string::npos);
}

TEST(ChildProcess, WritesItsOutputToTheFileAndInheritsNoDescriptor) {
  const std::string file = TemporaryFile("child_output");
  // dup2 without close-on-exec: a descriptor that would be inherited if nobody closed it.
  const int leaked = dup2(STDERR_FILENO, 99);
  ASSERT_EQ(leaked, 99);
  Result<ChildProcess> child = ChildProcess::Start(
      {"/bin/sh", {"-c", "echo \"$SYNOD_CHILD\"; ls /proc/self/fd | grep -c '^99$'"}, file, {"SYNOD_CHILD=here"}});
  close(leaked);
  ASSERT_TRUE(child.ok());
  ASSERT_TRUE(child->WaitFor(20.0));
  const Result<std::string> output = ReadFile(file, 1000);
  std::filesystem::remove(file);
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(*output, "here\n0\n");
}

}  // namespace
}  // namespace synod
