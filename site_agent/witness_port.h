// What a site states to its peers with every attempt of a secure aggregation, and what it makes of theirs: the place
// where sites are each other's witnesses. A statement is signed by its site for that attempt; the coordinator carries
// it and cannot change it. It must not be derived from records. Threads: one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/result.h"

namespace synod {

struct PeerWord {
  std::string site;  // its id in the roster
  Bytes statement;
};

struct WitnessPort {
  // At most secure_agg::kMaxStatementBytes (our own duty).
  std::function<Bytes()> make = [] { return Bytes(); };
  // Of all peers of an attempt. An error: the site takes no part in it, and nothing was charged.
  std::function<Status(const std::vector<PeerWord>&)> judge = [](const std::vector<PeerWord>&) { return Status(); };
};

}  // namespace synod
