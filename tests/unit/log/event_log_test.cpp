#include <gtest/gtest.h>

#include <filesystem>
#include <thread>
#include <vector>

#include "common/core/file.h"
#include "common/log/event_log.h"
#include "tests/support/shared_data.h"

namespace synod {
namespace {

class EventClock final : public Clock {
 public:
  std::int64_t UnixSeconds() const override { return 1'800'000'000; }
  double MonotonicSeconds() const override { return 0.0; }
};

std::vector<std::string> LinesOf(const std::string& file) {
  std::vector<std::string> lines;
  const std::string text = *ReadFile(file, 1u << 20);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

TEST(EventLog, EveryLineIsOneJsonObject) {
  const EventClock clock;
  const std::string file = testing::TemporaryFolder() + "/lines.log";
  auto log = EventLog::Open({file, LogLevel::kInfo, false}, clock);
  ASSERT_TRUE(log.ok());
  (*log)->Info("link_opened", {{"site", "site-a"}, {"reason", "line\nbreak"}});
  (*log)->Warning("bytes", {{"text", "\xff\xfe"}});
  (*log)->Error("nothing");
  const std::vector<std::string> lines = LinesOf(file);
  ASSERT_EQ(lines.size(), 3u);
  for (const std::string& line : lines) ASSERT_TRUE(Json::accept(line)) << line;
  const Json first = Json::parse(lines[0]);
  EXPECT_EQ(first["event"], "link_opened");
  EXPECT_EQ(first["level"], "info");
  EXPECT_EQ(first["site"], "site-a");
  EXPECT_EQ(first["time"], "2027-01-15T08:00:00Z");
}

TEST(EventLog, FieldsCannotReplaceTimeLevelOrEvent) {
  const EventClock clock;
  const std::string file = testing::TemporaryFolder() + "/fields.log";
  auto log = EventLog::Open({file, LogLevel::kInfo, false}, clock);
  ASSERT_TRUE(log.ok());
  (*log)->Info("real", {{"event", "forged"}, {"level", "debug"}, {"time", "never"}});
  const Json line = Json::parse(LinesOf(file).at(0));
  EXPECT_EQ(line["event"], "real");
  EXPECT_EQ(line["level"], "info");
}

TEST(EventLog, LinesBelowTheLevelAreLeftOut) {
  const EventClock clock;
  const std::string file = testing::TemporaryFolder() + "/level.log";
  auto log = EventLog::Open({file, LogLevel::kWarning, true}, clock);
  ASSERT_TRUE(log.ok());
  (*log)->Info("quiet");
  (*log)->Warning("loud", {{"site", "a\nb"}});
  const std::vector<std::string> lines = LinesOf(file);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0], "2027-01-15T08:00:00Z warning loud site=a b");
}

TEST(EventLog, ThreadsDoNotMixTheirLines) {
  const EventClock clock;
  const std::string file = testing::TemporaryFolder() + "/threads.log";
  auto log = EventLog::Open({file, LogLevel::kInfo, false}, clock);
  ASSERT_TRUE(log.ok());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&log, t] {
      for (int i = 0; i < 200; ++i) (*log)->Info("tick", {{"thread", t}, {"i", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<std::string> lines = LinesOf(file);
  ASSERT_EQ(lines.size(), 800u);
  for (const std::string& line : lines) ASSERT_TRUE(Json::accept(line));
}

TEST(EventLog, AMissingFolderIsAnErrorThatNamesTheFile) {
  const EventClock clock;
  // Below a file, so that nobody can make the folder.
  const auto log = EventLog::Open({"/dev/null/folder/a.log", LogLevel::kInfo, false}, clock);
  ASSERT_FALSE(log.ok());
  EXPECT_NE(log.error().message.find("/dev/null/folder/a.log"), std::string::npos);
}

TEST(EventLog, AFullDiskIsSurvived) {
  const EventClock clock;
  auto log = EventLog::Open({"/dev/full", LogLevel::kInfo, false}, clock);
  ASSERT_TRUE(log.ok());
  for (int i = 0; i < 3; ++i) (*log)->Error("lost");
}

TEST(EventLog, LevelNamesAreExact) {
  EXPECT_EQ(*LogLevelFromName("warning"), LogLevel::kWarning);
  EXPECT_FALSE(LogLevelFromName("Warning").ok());
  EXPECT_FALSE(LogLevelFromName("").ok());
}

}  // namespace
}  // namespace synod
