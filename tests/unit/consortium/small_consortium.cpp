#include "tests/unit/consortium/small_consortium.h"

#include <gtest/gtest.h>

#include "common/core/file.h"
#include "tests/support/shared_data.h"

namespace synod::testing {

Identity Hearts(Role role, const std::string& name) {
  return {"hearts", role, name};
}

ConsortiumOptions HeartsOptions() {
  ConsortiumOptions options;
  options.name = "hearts";
  options.coordinator_address = "coordinator.example:7711";
  options.now_unix = kNow;
  return options;
}

Kits MakeHearts() {
  return MakeKits(TemporaryFolder(), HeartsOptions(), {"site-a", "site-b"}).value();
}

Trust LoadTrust(const std::string& kit, std::int64_t now) {
  return Trust::Load(kit + "/trust", StoppedClock(now)).value();
}

std::string ReadText(const std::string& path) {
  return ReadFile(path, std::size_t{1} << 26).value();
}

void WriteText(const std::string& path, const std::string& text) {
  const Status written = WriteFileAtomically(path, AsBytes(text));
  EXPECT_TRUE(written.ok()) << path;
}

}  // namespace synod::testing
