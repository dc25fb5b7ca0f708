// One coordinator and up to a hundred sites over a network that delays, reorders, repeats and loses messages and cuts
// connections, with processes that are killed, sites that leave and clocks that are not there: everything, the crypto
// included, follows from one seed. What must hold whatever happens is checked at every message and at the end.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/secure_agg/attempt_world.h"

namespace synod::secure_agg::testing {

struct Schedule {
  WorldOptions world;
  std::uint32_t attempts = 3;  // at most, until one opens
  double loss = 0.0;           // of a message, with the connection that it was on: both ends connect again
  double silent_loss = 0.0;    // of a message, and nobody notices
  double repeat = 0.0;         // a message arrives twice
  double late = 0.0;           // a message takes so long that its phase may be over
  double kill = 0.0;           // a site's process dies when it takes a message, and begins the attempt again
  double leave = 0.0;          // a site leaves when it takes a message
  bool in_order = true;        // otherwise every message has its own delay

  // Everything from one number.
  static Schedule FromSeed(std::uint64_t seed, std::uint32_t most_sites);
};

struct Outcome {
  std::vector<std::string> broken;  // invariants; empty is right
  std::uint32_t opened = 0;
  std::uint32_t failed = 0;
  std::uint64_t messages = 0;
  std::uint32_t killed = 0;
};

Outcome Simulate(const Schedule& schedule);

}  // namespace synod::secure_agg::testing
