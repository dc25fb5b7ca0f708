#include "tests/support/shared_data.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include <unistd.h>

namespace synod::testing {
namespace {

namespace fs = std::filesystem;

struct Folders {
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
  static std::atomic<int> counter{0};
  const fs::path folder =
      fs::temp_directory_path() / ("synod_test_" + std::to_string(getpid()) + "_" + std::to_string(counter++));
  fs::create_directories(folder);
  folders.made.push_back(folder);
  return folder.string();
}

}  // namespace synod::testing
