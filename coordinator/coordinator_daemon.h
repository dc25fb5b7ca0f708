// The coordinator as a process: one port, two workers, one database, one loop.
//
// Roles: sites send what sites send, operators and admins send requests, viewers only those that look; whoever sends
// anything else is closed with kProtocol. SIGTERM and SIGINT end it, SIGHUP reads the kit again. Nothing blocks the
// loop but durable writes and the start of a worker.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/core/clock.h"
#include "common/core/fail_points.h"
#include "common/core/result.h"
#include "common/log/event_log.h"
#include "coordinator/coordinator_settings.h"

namespace synod {

class CoordinatorDaemon {
 public:
  // At most this long after SIGTERM the process has ended.
  static constexpr double kShutdownSeconds = 3.0;
  static constexpr double kTickSeconds = 0.25;

  struct Settings {
    CoordinatorSettings configuration;
    std::string worker_program;                 // path of synod-worker
    std::vector<std::string> worker_arguments;  // for the tests' own worker
  };
  struct Ports {
    const Clock& clock;
    FailPoints& fail_points;
    EventLog& log;
    ServiceManager service_manager;
  };

  // Opens the kit, the database and the port. Before any thread of the process starts: signals are blocked here.
  static Result<std::unique_ptr<CoordinatorDaemon>> Create(Settings settings, Ports ports);
  ~CoordinatorDaemon();
  CoordinatorDaemon(const CoordinatorDaemon&) = delete;
  CoordinatorDaemon& operator=(const CoordinatorDaemon&) = delete;

  std::uint16_t port() const;
  // Until a signal ends it.
  Status Run();

 private:
  class State;
  explicit CoordinatorDaemon(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace synod
