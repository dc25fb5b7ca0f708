// How fast a link is: bulk and small messages between two ends in one machine, through real sockets and TLS.
#pragma once

#include <cstddef>

#include "common/core/result.h"

namespace synod {

struct NetBenchmarkCase {
  std::size_t payload_bytes = 40u << 20;
  int payloads = 10;
  int round_trips = 1000;
};

struct NetTiming {
  double mb_per_s = 0.0;             // of payload, one direction, 10^6 bytes
  double wire_bytes_per_byte = 0.0;  // TCP payload of the receiving end
  double round_trip_ms = 0.0;        // median, of a small message and its answer, with nothing else under way
  double busy_round_trip_ms = 0.0;   // the same while payloads fill the link
  double aes_gcm_mb_per_s = 0.0;     // OpenSSL alone: AES-256-GCM of 16 KiB records, one thread
  double sha256_mb_per_s = 0.0;      // OpenSSL alone, one thread
};

// Makes its own certificates in a temporary folder. Each end has its own thread and ZeroMQ context.
Result<NetTiming> TimeNet(const NetBenchmarkCase& setting);

}  // namespace synod
