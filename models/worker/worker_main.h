// The worker's own loop: reads a request, computes, replies; ends when its daemon ends or the pair closes. It has no
// socket but the pair, and no keys.
#pragma once

#include <string>

#include "common/core/fail_points.h"
#include "common/crypto/secret_streams.h"

namespace synod {

struct WorkerSettings {
  std::string socket_path;
  unsigned threads = 1;
  std::string device = "auto";
};

// Exit code of the process.
int RunWorker(const WorkerSettings& settings, SecretStreams& streams, FailPoints& fail_points);

}  // namespace synod
