#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "common/core/file.h"
#include "common/log/event_log.h"
#include "tests/support/shared_data.h"

namespace synod {
namespace {

class AuditClock final : public Clock {
 public:
  std::int64_t UnixSeconds() const override { return 1'800'000'000; }
  double MonotonicSeconds() const override { return 0.0; }
};

class AuditLogTest : public ::testing::Test {
 protected:
  std::string file_ = testing::TemporaryFolder() + "/audit.log";
  AuditClock clock_;

  void SetUp() override { std::filesystem::remove(file_); }
  std::string Text() const { return *ReadFile(file_, 1u << 20); }
  void Overwrite(const std::string& text) const { std::ofstream(file_, std::ios::binary) << text; }
  void AppendActs(int acts) const {
    auto log = AuditLog::Open(file_, clock_);
    ASSERT_TRUE(log.ok()) << log.error().message;
    for (int i = 0; i < acts; ++i) ASSERT_TRUE((*log)->Append("run_approved", {{"run", i}}).ok());
  }
};

TEST_F(AuditLogTest, AChainGoesOnAcrossProcesses) {
  AppendActs(2);
  AppendActs(3);
  EXPECT_TRUE(AuditLog::Verify(file_).ok());
  const std::string text = Text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5);
}

TEST_F(AuditLogTest, EveryFlippedByteIsFound) {
  AppendActs(3);
  const std::string good = Text();
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    Overwrite(bad);
    const Status status = AuditLog::Verify(file_);
    ASSERT_FALSE(status.ok()) << "byte " << at;
    EXPECT_EQ(status.error().code, ErrorCode::kVerificationFailed) << "byte " << at;
  }
}

TEST_F(AuditLogTest, ARemovedLineIsNamed) {
  AppendActs(3);
  const std::string good = Text();
  const std::size_t first = good.find('\n') + 1;
  const std::size_t second = good.find('\n', first) + 1;
  Overwrite(good.substr(0, first) + good.substr(second));
  const Status status = AuditLog::Verify(file_);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("line 2"), std::string::npos) << status.error().message;
}

TEST_F(AuditLogTest, AnAlteredChainIsNotOpened) {
  AppendActs(2);
  std::string text = Text();
  text.replace(text.find("run_approved"), 3, "RUN");
  Overwrite(text);
  EXPECT_FALSE(AuditLog::Open(file_, clock_).ok());
  EXPECT_EQ(Text(), text);
}

TEST_F(AuditLogTest, ALineThatACrashCutOffIsRemovedAndSaid) {
  AppendActs(2);
  std::string text = Text();
  text.resize(text.size() - 7);
  Overwrite(text);
  EXPECT_FALSE(AuditLog::Verify(file_).ok());
  AppendActs(1);
  EXPECT_TRUE(AuditLog::Verify(file_).ok());
  EXPECT_NE(Text().find("unfinished_line_removed"), std::string::npos);
}

TEST_F(AuditLogTest, TwoProcessesCannotWriteOneChain) {
  auto first = AuditLog::Open(file_, clock_);
  ASSERT_TRUE(first.ok());
  EXPECT_FALSE(AuditLog::Open(file_, clock_).ok());
}

TEST_F(AuditLogTest, AfterAFullDiskTheChainIsWhole) {
  auto log = AuditLog::Open(file_, clock_);
  ASSERT_TRUE(log.ok());
  ASSERT_TRUE((*log)->Append("first", {}).ok());
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  tight.rlim_cur = std::filesystem::file_size(file_) + 20;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  EXPECT_FALSE((*log)->Append("second", {}).ok());
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_TRUE((*log)->Append("third", {}).ok());
  EXPECT_TRUE(AuditLog::Verify(file_).ok());
  EXPECT_EQ(Text().find("second"), std::string::npos);
}

}  // namespace
}  // namespace synod
