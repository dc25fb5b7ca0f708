// What secure aggregation costs at each end: whole attempts in one process, without a network, on one core.
#pragma once

#include <cstdint>

#include "common/query/sums.h"

namespace synod {

struct SecureAggBenchmarkCase {
  std::uint32_t sites = 10;
  std::uint64_t dimension = 1'000'000;
  std::uint32_t drop_outs = 0;  // sites that share keys and then vanish
  WordBits bits = WordBits::k32;
};

// Milliseconds are of the thread's own time, and beside it of the clock on the wall: they differ where the machine does
// other work. Encoding and decoding of messages counts at the end that does it.
struct SecureAggTiming {
  double site_ms = 0.0;  // of one site, the mean over all that stay: keys, shares, masks, signatures
  double site_wall_ms = 0.0;
  double coordinator_ms = 0.0;  // the whole attempt
  double coordinator_wall_ms = 0.0;
  double receive_ms = 0.0;  // of it: taking in, checking and adding the vectors
  double open_ms = 0.0;     // of it: rebuilding secrets and taking the masks off
  // The most that the coordinator holds between two messages, in accumulators of d words.
  double coordinator_accumulators = 0.0;
  bool exact = false;  // whether the sum is what the sites put in
};

SecureAggTiming TimeSecureAgg(const SecureAggBenchmarkCase& setting);

}  // namespace synod
