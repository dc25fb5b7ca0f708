#include "tests/support/shared_data.h"

#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <vector>

#include <unistd.h>

#include "common/core/check.h"

namespace synod::testing {
namespace {

namespace fs = std::filesystem;

struct Folders {
  std::mutex mutex;
  std::vector<fs::path> made;
  ~Folders() {
    std::error_code ignored;
    for (const fs::path& folder : made) fs::remove_all(folder, ignored);
  }
};

}  // namespace

std::optional<std::string> SharedPath(const std::string& relative) {
  std::vector<fs::path> places = {fs::path(SYNOD_SOURCE_DIR).parent_path() / "shared"};
  if (const char* named = std::getenv("SYNOD_SHARED_DIR")) places.insert(places.begin(), named);
  for (const fs::path& place : places) {
    std::error_code error;
    if (fs::exists(place / relative, error)) return (place / relative).string();
  }
  return std::nullopt;
}

std::string TemporaryFolder() {
  static Folders folders;
  // A name that nobody had: a process that was killed leaves its folders, and its number comes again.
  std::string folder = (fs::temp_directory_path() / "synod_test_XXXXXX").string();
  SYNOD_CHECK(mkdtemp(folder.data()) != nullptr, "a folder for temporary files can be made");
  const std::lock_guard guard(folders.mutex);
  folders.made.push_back(folder);
  return folder;
}

}  // namespace synod::testing
