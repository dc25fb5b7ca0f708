// The daemon of a site: one loop over the link to the coordinator, the worker, the local control socket, signals and
// timers; what it decides is the SiteAgent's. It never opens a file of records and has no LibTorch: both are the
// worker's.
//
//   SIGTERM, SIGINT   says goodbye, ends the worker (a computation in progress is abandoned, uncharged), ends with 0
//   SIGHUP            reads local/ and trust/ again; an error is logged and leaves everything as it was
//
// Threads: one (and those of ZeroMQ and of the log).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/core/clock.h"
#include "common/core/fail_points.h"
#include "common/core/result.h"
#include "common/log/event_log.h"

namespace synod {

class SiteDaemon {
 public:
  // How long what was queued may take to leave at the end.
  static constexpr double kGoodbyeSeconds = 2.0;
  static constexpr double kLookSeconds = 0.5;  // for a worker's end

  struct Settings {
    std::string kit;                            // folder
    std::string worker_program;                 // empty: what site.toml says, else the program beside this one
    std::vector<std::string> worker_arguments;  // for the tests' own worker
  };
  struct Ports {
    const Clock& clock;
    FailPoints& fail_points;
    ServiceManager service;
  };

  // Reads the kit, opens state and sockets. Fails with what is wrong; nothing was sent then.
  static Result<std::unique_ptr<SiteDaemon>> Create(Settings settings, Ports ports);
  ~SiteDaemon();
  SiteDaemon(const SiteDaemon&) = delete;
  SiteDaemon& operator=(const SiteDaemon&) = delete;

  // Until a signal ends it.
  Status Run();

 private:
  class State;
  explicit SiteDaemon(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace synod
