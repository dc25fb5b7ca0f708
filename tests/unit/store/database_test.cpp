// What the database promises, and what it says when it cannot keep it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdint>
#include <limits>
#include <random>

#include "tests/unit/store/store_fixture.h"

namespace synod {
namespace {

using testing::FreshDatabasePath;
using ::testing::HasSubstr;
using testing::InChild;
using testing::MustOpen;

Error ErrorOfOpening(const std::string& path) {
  const Result<std::unique_ptr<Database>> opened = Database::Open(path);
  EXPECT_FALSE(opened.ok());
  return opened.ok() ? Error{} : opened.error();
}

// A table with `rows` numbered rows, as many bytes each.
void Fill(Database& database, int rows, std::size_t bytes = 100) {
  ASSERT_TRUE(database.Execute("CREATE TABLE IF NOT EXISTS t (n INTEGER, b BLOB)").ok());
  for (int row = 0; row < rows; ++row) {
    const auto byte = static_cast<std::uint8_t>(row);
    ASSERT_TRUE(database.Execute("INSERT INTO t VALUES (?, ?)", {std::int64_t{row}, Bytes(bytes, byte)}).ok());
  }
}

std::int64_t CountOf(Database& database) {
  const auto rows = database.Query("SELECT count(*) FROM t");
  return rows.ok() ? std::get<std::int64_t>((*rows)[0][0]) : -1;
}

TEST(Database, GivesBackEveryKindOfValue) {
  const auto database = MustOpen(FreshDatabasePath());
  ASSERT_TRUE(database->Execute("CREATE TABLE v (a, b, c, d, e, f)").ok());
  const SqlRow values = {
      std::monostate{}, std::numeric_limits<std::int64_t>::min(), 0.1, std::string("a\0b\xc3\xa4", 5), Bytes{0, 255, 0},
      Bytes{}};
  ASSERT_TRUE(database->Execute("INSERT INTO v VALUES (?, ?, ?, ?, ?, ?)", values).ok());
  const auto rows = database->Query("SELECT * FROM v");
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ((*rows)[0], values);
}

TEST(Database, ReadsNoMoreRowsThanTheCallerTakes) {
  const auto database = MustOpen(FreshDatabasePath());
  Fill(*database, 10);
  EXPECT_TRUE(database->Query("SELECT n FROM t", {}, 10).ok());
  EXPECT_FALSE(database->Query("SELECT n FROM t", {}, 9).ok());
  int taken = 0;
  const Status stopped = database->ForEach("SELECT n FROM t", {}, [&](const SqlRow&) -> Status {
    if (++taken == 3) return Refused("enough");
    return {};
  });
  EXPECT_EQ(stopped.error().code, ErrorCode::kRefused);
  EXPECT_EQ(taken, 3);
}

TEST(Database, NamesAWrongStatementAndStillWorks) {
  const auto database = MustOpen(FreshDatabasePath());
  EXPECT_FALSE(database->Execute("INSERT INTO nowhere VALUES (1)").ok());
  Fill(*database, 1);
  EXPECT_EQ(CountOf(*database), 1);
}

TEST(DatabaseDeathTest, EveryParameterIsGiven) {
  const auto database = MustOpen(FreshDatabasePath());
  EXPECT_DEATH(database->Execute("SELECT ?").ok(), "all of its parameters");
}

// ---- Transactions.

TEST(DatabaseTransaction, IsAllOrNothing) {
  const auto database = MustOpen(FreshDatabasePath());
  Fill(*database, 1);
  const Status failed = database->Transaction([&]() -> Status {
    Fill(*database, 5);
    return Refused("changed my mind");
  });
  EXPECT_EQ(failed.error().message, "changed my mind");
  EXPECT_EQ(CountOf(*database), 1);
  EXPECT_TRUE(database
                  ->Transaction([&]() -> Status {
                    Fill(*database, 5);
                    return {};
                  })
                  .ok());
  EXPECT_EQ(CountOf(*database), 6);
}

TEST(DatabaseTransaction, WithAWrongStatementChangesNothing) {
  const auto database = MustOpen(FreshDatabasePath());
  Fill(*database, 1);
  EXPECT_FALSE(database
                   ->Transaction([&]() -> Status {
                     Fill(*database, 5);
                     return database->Execute("INSERT INTO nowhere VALUES (1)");
                   })
                   .ok());
  EXPECT_EQ(CountOf(*database), 1);
}

TEST(DatabaseTransactionDeathTest, DoNotNest) {
  const auto database = MustOpen(FreshDatabasePath());
  const auto nothing = []() -> Status { return {}; };
  EXPECT_DEATH(database->Transaction([&] { return database->Transaction(nothing); }).ok(), "do not nest");
}

// ---- Sudden death: whoever dies at whatever moment leaves whole transactions behind.

TEST(DatabaseDeath, LeavesWhatWasCommittedAndNothingElse) {
  const std::string path = FreshDatabasePath();
  const int code = InChild([&] {
    const auto database = Database::Open(path);
    if (!database.ok()) ::_exit(1);
    Fill(**database, 3);
    (void)(*database)->Transaction([&]() -> Status {
      Fill(**database, 20, 100'000);
      ::_exit(42);
    });
  });
  EXPECT_EQ(code, 42);
  EXPECT_EQ(CountOf(*MustOpen(path)), 3);
}

TEST(DatabaseDeath, BySignalWhileItWritesLeavesRowsWithoutAGap) {
  // The moment depends on the machine; what must hold does not.
  for (const unsigned microseconds : {500U, 3'000U, 20'000U}) {
    const std::string path = FreshDatabasePath();
    const pid_t child = ::fork();
    if (child == 0) {
      const auto database = Database::Open(path);
      if (database.ok()) Fill(**database, 1'000'000, 3'000);
      ::_exit(0);
    }
    while (!std::filesystem::exists(path)) ::usleep(100);
    ::usleep(microseconds);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const auto database = MustOpen(path);
    ASSERT_TRUE(database->Execute("CREATE TABLE IF NOT EXISTS t (n INTEGER, b BLOB)").ok());
    const auto gaps = database->Query("SELECT count(*), coalesce(max(n), -1) FROM t");
    ASSERT_TRUE(gaps.ok());
    EXPECT_EQ(std::get<std::int64_t>((*gaps)[0][0]), std::get<std::int64_t>((*gaps)[0][1]) + 1);
  }
}

TEST(DatabaseDeath, WhileItIsMadeLeavesNothingInTheWay) {
  const std::string path = FreshDatabasePath();
  testing::WriteContent(path + ".new", "half a database");
  EXPECT_NE(MustOpen(path), nullptr);
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

// ---- One process at a time, and one user.

// Another process that has the database open, with or without having written, until it is told to end.
class OtherOwner {
 public:
  OtherOwner(const std::string& path, bool writes) {
    EXPECT_EQ(::pipe(ready_), 0);
    child_ = ::fork();
    if (child_ == 0) {
      const auto database = Database::Open(path);
      if (database.ok() && writes) Fill(**database, 2);
      const char done = database.ok() ? 'y' : 'n';
      (void)!::write(ready_[1], &done, 1);
      ::pause();
    }
    char done = 0;
    EXPECT_EQ(::read(ready_[0], &done, 1), 1);
    EXPECT_EQ(done, 'y');
  }
  ~OtherOwner() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    ::close(ready_[0]);
    ::close(ready_[1]);
  }

 private:
  int ready_[2] = {-1, -1};
  pid_t child_ = -1;
};

TEST(DatabaseLock, ASecondProcessIsToldThatAnotherHasIt) {
  for (const bool writes : {false, true}) {
    const std::string path = FreshDatabasePath();
    {
      const OtherOwner other(path, writes);
      EXPECT_THAT(ErrorOfOpening(path).message, HasSubstr("another process has it open"));
      EXPECT_EQ(ErrorOfOpening(path).code, ErrorCode::kFailed);
    }
    const auto database = MustOpen(path);
    EXPECT_EQ(CountOf(*database), writes ? 2 : -1) << "the other one died, and nothing of it is lost";
  }
}

TEST(DatabaseLock, ASecondOpenerInTheSameProcessIsRefused) {
  const std::string path = FreshDatabasePath();
  const auto database = MustOpen(path);
  EXPECT_THAT(ErrorOfOpening(path).message, HasSubstr("has it open"));
  Fill(*database, 2);
  EXPECT_EQ(CountOf(*database), 2);
}

TEST(DatabaseFile, IsItsUsersAlone) {
  const std::string path = FreshDatabasePath();
  const mode_t previous = ::umask(0);
  const auto database = MustOpen(path);
  Fill(*database, 2);
  ::umask(previous);
  for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(path).parent_path())) {
    struct stat facts {};
    ASSERT_EQ(::stat(file.path().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0600U) << file.path();
  }
}

// ---- Files that are not what they should be.

// A database of a few hundred kilobytes, closed.
std::string FilledDatabase() {
  std::string path = FreshDatabasePath();
  Fill(*MustOpen(path), 50, 5'000);
  return path;
}

TEST(DatabaseFile, ThatLostItsContentIsNotTakenForANewOne) {
  const std::string path = FilledDatabase();
  testing::WriteContent(path, "");
  const Error error = ErrorOfOpening(path);
  EXPECT_EQ(error.code, ErrorCode::kVerificationFailed);
  EXPECT_THAT(error.message, HasSubstr("empty"));
}

TEST(DatabaseFile, ThatIsGarbageIsNamed) {
  const std::string path = FreshDatabasePath();
  std::mt19937 random(1);
  std::string garbage(10'000, '\0');
  for (char& byte : garbage) byte = static_cast<char>(random());
  testing::WriteContent(path, garbage);
  const Error error = ErrorOfOpening(path);
  EXPECT_EQ(error.code, ErrorCode::kVerificationFailed);
  EXPECT_THAT(error.message, HasSubstr("not a database"));
  EXPECT_THAT(error.message, HasSubstr(path));
  EXPECT_EQ(testing::ContentOf(path), garbage) << "and left as it is";
}

TEST(DatabaseFile, ThatWasTruncatedIsNamedWhereverItWasCut) {
  const std::string whole = testing::ContentOf(FilledDatabase());
  ASSERT_GT(whole.size(), 200'000U);
  for (std::size_t size = 1; size < whole.size(); size += 1 + whole.size() / 40) {
    const std::string path = FreshDatabasePath();
    testing::WriteContent(path, whole.substr(0, size));
    EXPECT_EQ(ErrorOfOpening(path).code, ErrorCode::kVerificationFailed) << size;
  }
}

TEST(DatabaseFile, WithAFlippedByteIsEitherNamedOrReadsWithoutACrash) {
  const std::string whole = testing::ContentOf(FilledDatabase());
  std::mt19937 random(2);
  int named = 0;
  for (int round = 0; round < 150; ++round) {
    std::string content = whole;
    // The header is checked here; the content of rows is for their users to check.
    const std::size_t at = random() % (round % 2 == 0 ? 100 : content.size());
    content[at] = static_cast<char>(content[at] ^ (1 << random() % 8));
    const std::string path = FreshDatabasePath();
    testing::WriteContent(path, content);
    const Result<std::unique_ptr<Database>> opened = Database::Open(path);
    if (!opened.ok()) ++named;
    if (opened.ok()) (void)(*opened)->Query("SELECT * FROM t");
  }
  EXPECT_GT(named, 10);
}

TEST(DatabaseFile, OfAnotherProgramIsRefused) {
  const std::string path = FreshDatabasePath();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "CREATE TABLE t (n)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_THAT(ErrorOfOpening(path).message, HasSubstr("another program"));
}

TEST(DatabaseFile, InAFolderThatCannotBeWrittenIsNamed) {
  const std::string path = "/proc/synod/state.db";
  EXPECT_THAT(ErrorOfOpening(path).message, HasSubstr(path));
  EXPECT_THAT(ErrorOfOpening(testing::TemporaryFolder() + "/no/such/folder/a.db").message, HasSubstr("cannot be made"));
  EXPECT_FALSE(Database::Open(testing::TemporaryFolder()).ok()) << "a folder is no database";
}

TEST(DatabaseFile, InAReadOnlyFolderIsNamed) {
  if (::geteuid() == 0) {
    // Root writes everywhere: another user tries.
    const std::string folder = testing::TemporaryFolder();
    ::chmod(folder.c_str(), 0755);
    EXPECT_EQ(InChild([&] {
                if (::setuid(65534) != 0) ::_exit(9);
                const auto opened = Database::Open(folder + "/state.db");
                ::_exit(!opened.ok() && opened.error().message.find("cannot be made") != std::string::npos ? 3 : 4);
              }),
              3);
    return;
  }
  const std::string folder = testing::TemporaryFolder();
  ::chmod(folder.c_str(), 0500);
  EXPECT_THAT(ErrorOfOpening(folder + "/state.db").message, HasSubstr("cannot be made"));
  ::chmod(folder.c_str(), 0700);
}

TEST(DatabaseFile, ThatIsReadOnlyIsNamed) {
  const std::string path = FilledDatabase();
  const auto attempt = [&] {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(9);
    const auto opened = Database::Open(path);
    ::_exit(!opened.ok() && opened.error().code == ErrorCode::kFailed ? 3 : 4);
  };
  ::chmod(std::filesystem::path(path).parent_path().c_str(), 0755);
  ::chmod(path.c_str(), 0444);
  EXPECT_EQ(InChild(attempt), 3);
}

// ---- A disk that fills up.

constexpr int kNoTinyDisk = 99;

TEST(DatabaseDisk, ThatIsFullIsSaidAndNothingIsHalfWritten) {
  const std::string folder = testing::TemporaryFolder();
  const int code = InChild([&] {
    if (!testing::MountTinyDisk(folder, 1u << 20)) ::_exit(kNoTinyDisk);
    const auto database = Database::Open(folder + "/state.db");
    if (!database.ok()) ::_exit(1);
    Fill(**database, 3);
    for (const std::size_t bytes : {std::size_t{1'200'000}, std::size_t{5'000'000}}) {
      const Status failed = (*database)->Transaction(
          [&]() -> Status { return (*database)->Execute("INSERT INTO t VALUES (7, ?)", {Bytes(bytes, 1)}); });
      if (failed.ok()) ::_exit(2);
      if (failed.error().message.find("the disk is full") == std::string::npos) ::_exit(3);
      if (failed.error().code != ErrorCode::kFailed) ::_exit(4);
      if (CountOf(**database) != 3) ::_exit(5);
    }
    // A smaller one fits: it goes on where it was.
    if (!(*database)->Execute("INSERT INTO t VALUES (7, ?)", {Bytes(100'000, 1)}).ok()) ::_exit(6);
    ::_exit(CountOf(**database) == 4 ? 40 : 7);
  });
  if (code == kNoTinyDisk) GTEST_SKIP() << "this machine lets nobody mount a small file system";
  EXPECT_EQ(code, 40);
}

TEST(DatabaseDisk, ThatFailsToWriteIsSaidAndTheWorkGoesOnOnceItDoesNot) {
  const std::string path = FreshDatabasePath();
  const int code = InChild([&] {
    const auto database = Database::Open(path);
    if (!database.ok()) ::_exit(1);
    Fill(**database, 3);
    for (const std::uint64_t limit : {40'000U, 100'000U, 200'000U, 500'000U}) {
      const testing::FileLimit full(limit);
      const Status failed = (*database)->Transaction(
          [&]() -> Status { return (*database)->Execute("INSERT INTO t VALUES (7, ?)", {Bytes(2'000'000, 1)}); });
      if (failed.ok() || failed.error().code != ErrorCode::kFailed) ::_exit(2);
      if (failed.error().message.find("full") == std::string::npos) ::_exit(3);
      if (CountOf(**database) != 3) ::_exit(4);
    }
    if (!(*database)->Execute("INSERT INTO t VALUES (7, ?)", {Bytes(2'000'000, 1)}).ok()) ::_exit(5);
    ::_exit(CountOf(**database) == 4 ? 40 : 6);
  });
  EXPECT_EQ(code, 40);
  EXPECT_EQ(CountOf(*MustOpen(path)), 4);
}

TEST(DatabaseDisk, ThatFailsWhileTheFileIsMadeLeavesNothingBehind) {
  const std::string path = FreshDatabasePath();
  const int code = InChild([&] {
    const testing::FileLimit full(100);
    const auto database = Database::Open(path);
    ::_exit(!database.ok() && database.error().message.find("full") != std::string::npos ? 40 : 1);
  });
  EXPECT_EQ(code, 40);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_NE(MustOpen(path), nullptr);
}

}  // namespace
}  // namespace synod
