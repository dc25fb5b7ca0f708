// The kits of a coordinator and of site-a, site-b and site-c.
#pragma once

#include "common/consortium/make_kits.h"
#include "common/core/clock.h"
#include "tests/support/shared_data.h"

namespace synod::testing {

// One consortium for all tests: its keys cost time.
inline const Kits& TestKits() {
  static const Kits kits = [] {
    ConsortiumOptions options;
    options.name = "test";
    options.coordinator_address = "127.0.0.1:1";
    options.now_unix = SystemClock().UnixSeconds();
    return MakeKits(TemporaryFolder(), options, {"site-a", "site-b", "site-c"}).value();
  }();
  return kits;
}

}  // namespace synod::testing
