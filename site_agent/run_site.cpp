#include "site_agent/run_site.h"

#include <cstdio>
#include <exception>
#include <filesystem>

#include "site_agent/control_socket.h"
#include "site_agent/site_commands.h"
#include "site_agent/site_daemon.h"

namespace synod {
namespace {

int PrintError(const Error& error) {
  std::fprintf(stderr, "synod-site: %s\n", error.message.c_str());
  if (!error.hint.empty()) std::fprintf(stderr, "  %s\n", error.hint.c_str());
  return static_cast<int>(error.code);
}

Status RunDaemon(const SiteOptions& options, FailPoints& fail_points, const Clock& clock) {
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<SiteDaemon> daemon,
                         SiteDaemon::Create({KitFolder(options.kit), options.worker_program, options.worker_arguments},
                                            {clock, fail_points, ServiceManager::FromEnvironment()}));
  return daemon->Run();
}

// The daemon is stopped: its files, read by this process alone while it has them open.
Result<Json> AskFiles(const std::string& kit, const Json& request) {
  if (NeedsDaemon(request)) {
    return Error{ErrorCode::kConnection, "the site's daemon is not running", "start it with: synod-site run"};
  }
  const SystemClock clock;
  NoFailPoints no_fail_points;
  SYNOD_ASSIGN_OR_RETURN(const SiteConfiguration configuration, SiteConfiguration::FromKit(kit));
  // A policy that cannot be read must not keep anybody from looking at the ledger.
  Result<SitePolicy> policy = SitePolicy::FromKit(kit);
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<SiteState> state, SiteState::Open(kit, clock, no_fail_points));
  const SitePolicy used = policy.ok() ? *policy : SitePolicy();
  if (policy.ok()) {
    SYNOD_RETURN_IF_ERROR(state->Reconcile(configuration, used, DatasetRegister::NewOnes::kNote));
  }
  return AnswerSiteRequest({kit, *state, configuration, used, clock, nullptr, {}}, request);
}

}  // namespace

std::string KitFolder(const std::string& kit) {
  std::error_code ignored;
  std::string folder = std::filesystem::absolute(kit, ignored).lexically_normal().string();
  if (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder;
}

int RunSite(const SiteOptions& options, FailPoints& fail_points, const Clock& clock) {
  try {
    const Status status = RunDaemon(options, fail_points, clock);
    return status.ok() ? 0 : PrintError(status.error());
  } catch (const std::exception&) {
    // Not the exception's text: it may hold what must not be printed.
    return PrintError({ErrorCode::kInternal, "internal error: an exception reached the end of the program", ""});
  }
}

Result<Json> AskSite(const std::string& kit, const Json& request) {
  if (DaemonListens(kit)) return AskDaemon(kit, request);
  Result<Json> reply = AskFiles(kit, request);
  // It was starting, and had the files before it listened.
  if (!reply.ok() && DaemonListens(kit)) return AskDaemon(kit, request);
  return reply;
}

}  // namespace synod
