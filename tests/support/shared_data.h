// Where the shared reference data lives, if it is there: a folder `shared` beside the checkout. A test that needs it is
// skipped with a message on a machine without it.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace synod::testing {

// The path of `relative` inside the shared folder, or nothing where it does not exist.
std::optional<std::string> SharedPath(const std::string& relative);

// A fresh folder for files of a test, removed at the end of the program.
std::string TemporaryFolder();

}  // namespace synod::testing

// Declares `path`, the shared file `relative`, or skips the test.
#define SYNOD_SHARED_OR_SKIP(path, relative)                                              \
  const std::optional<std::string> path##_found = ::synod::testing::SharedPath(relative); \
  if (!path##_found) GTEST_SKIP() << "needs the shared reference data: " << (relative);   \
  const std::string& path = *path##_found
