// How fast a link is: bulk and small messages between two ends in one machine, through real sockets and TLS.
#pragma once

#include <cstddef>
#include <vector>

#include "common/core/canonical_json.h"
#include "common/core/result.h"

namespace synod {

struct NetBenchmarkCase {
  std::size_t payload_bytes = 40u << 20;
  int payloads = 10;
  int payloads_at_once = 1;  // queued; the next ones follow when all of them have arrived
  int round_trips = 200;
};

// Rates in 10^6 bytes of payload a second, one direction. Seconds of a processor's time are for 10^9 bytes of payload,
// and say more than rates do where other programs use the machine.
struct NetTiming {
  double mb_per_s = 0.0;
  double sender_cpu_s_per_gb = 0.0;
  double receiver_cpu_s_per_gb = 0.0;
  double wire_bytes_per_byte = 0.0;  // TCP payload of the receiving end
  double round_trip_ms = 0.0;        // median, of a small message and its answer, with nothing else under way
  double busy_round_trip_ms = 0.0;   // the same while payloads fill the link
};

// Makes its own certificates in a temporary folder. Each end has its own thread.
Result<NetTiming> TimeNet(const NetBenchmarkCase& setting);

// OpenSSL alone, in one thread: AES-256-GCM of records as long as TLS makes them, and SHA-256.
double AesGcmMegabytesPerSecond();
double Sha256MegabytesPerSecond();

// All figures that `synod-bench net` prints, each the best of several runs: one object with "name" each.
Result<std::vector<Json>> NetFigures(int repeats);

}  // namespace synod
