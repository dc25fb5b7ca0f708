// Databases behind symbolic links: what cannot be seen for a moment is not replaced by an empty one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/store/store_fixture.h"

namespace synod {
namespace {

namespace fs = std::filesystem;

TEST(DatabaseLink, ThatLeadsNowhereIsNamedAndStaysALink) {
  // As the ledger of a volume that is not mounted yet, and as one that stat cannot look at (ELOOP).
  for (const bool to_itself : {false, true}) {
    const std::string path = testing::FreshDatabasePath();
    const std::string target = to_itself ? path : testing::TemporaryFolder() + "/volume/state.db";
    fs::create_symlink(target, path);
    const Result<std::unique_ptr<Database>> opened = Database::Open(path);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, ErrorCode::kFailed);
    EXPECT_THAT(opened.error().message, ::testing::HasSubstr(path));
    ASSERT_TRUE(fs::is_symlink(path));
    EXPECT_EQ(fs::read_symlink(path), target);
    EXPECT_FALSE(fs::exists(path + ".new"));
  }
}

TEST(DatabaseLink, LeadsToTheSameDatabaseOnceItsVolumeIsBack) {
  const std::string folder = testing::TemporaryFolder();
  const std::string path = testing::FreshDatabasePath();
  fs::create_directory(folder + "/volume");
  fs::create_symlink(folder + "/volume/state.db", path);
  ASSERT_TRUE(testing::MustOpen(folder + "/volume/state.db")->Execute("CREATE TABLE kept (n INTEGER)").ok());
  fs::rename(folder + "/volume", folder + "/away");
  EXPECT_FALSE(Database::Open(path).ok());
  fs::rename(folder + "/away", folder + "/volume");
  EXPECT_TRUE(testing::MustOpen(path)->Query("SELECT n FROM kept").ok());
}

}  // namespace
}  // namespace synod
