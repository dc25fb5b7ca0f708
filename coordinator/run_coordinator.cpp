#include "coordinator/run_coordinator.h"

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <filesystem>

#include "common/consortium/trust.h"
#include "coordinator/coordinator_daemon.h"
#include "models/worker/worker_process.h"

namespace synod {
namespace {

int PrintError(const Error& error) {
  std::fprintf(stderr, "synod-coordinator: %s\n", error.message.c_str());
  if (!error.hint.empty()) std::fprintf(stderr, "  %s\n", error.hint.c_str());
  return static_cast<int>(error.code);
}

Result<CoordinatorDaemon::Settings> SettingsOf(const CoordinatorOptions& options) {
  std::error_code ignored;
  const std::string kit = std::filesystem::absolute(options.kit, ignored).lexically_normal().string();
  CoordinatorDaemon::Settings settings;
  SYNOD_ASSIGN_OR_RETURN(settings.configuration, CoordinatorSettings::FromKit(kit));
  settings.worker_program = options.worker_program;
  if (settings.worker_program.empty()) settings.worker_program = settings.configuration.worker;
  if (settings.worker_program.empty()) settings.worker_program = WorkerProgramBesideThis();
  settings.worker_arguments = options.worker_arguments;
  if (access(settings.worker_program.c_str(), X_OK) != 0) {
    return BadInput("the worker " + settings.worker_program + " cannot be run",
                    "install synod-worker beside synod-coordinator, or name it under [compute] worker");
  }
  return settings;
}

Status RunDaemon(const CoordinatorOptions& options, FailPoints& fail_points) {
  const SystemClock clock;
  SYNOD_ASSIGN_OR_RETURN(CoordinatorDaemon::Settings settings, SettingsOf(options));
  EventLog::Settings log_settings = settings.configuration.log;
  log_settings.plain = log_settings.file.empty() && isatty(STDERR_FILENO) != 0;
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<EventLog> log, EventLog::Open(log_settings, clock));
  SYNOD_ASSIGN_OR_RETURN(
      const std::unique_ptr<CoordinatorDaemon> daemon,
      CoordinatorDaemon::Create(std::move(settings), {clock, fail_points, *log, ServiceManager::FromEnvironment()}));
  std::fprintf(stderr, "listening on port %u\n", static_cast<unsigned>(daemon->port()));
  return daemon->Run();
}

}  // namespace

int RunCoordinator(const CoordinatorOptions& options, FailPoints& fail_points) {
  try {
    const Status status = RunDaemon(options, fail_points);
    return status.ok() ? 0 : PrintError(status.error());
  } catch (const std::exception&) {
    // Not the exception's text: it may hold what must not be printed.
    return PrintError({ErrorCode::kInternal, "internal error: an exception reached the end of the program", ""});
  }
}

int CheckCoordinator(const CoordinatorOptions& options) {
  const Result<CoordinatorDaemon::Settings> settings = SettingsOf(options);
  if (!settings.ok()) return PrintError(settings.error());
  const SystemClock clock;
  const Result<Trust> trust = Trust::Load(settings->configuration.trust_folder(), clock);
  if (!trust.ok()) return PrintError(trust.error());
  std::fprintf(stdout, "%s: listens on %s, worker %s\n", trust->self().Uri().c_str(),
               settings->configuration.address.c_str(), settings->worker_program.c_str());
  return 0;
}

}  // namespace synod
