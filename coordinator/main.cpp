// synod-coordinator: the daemon of a coordinator.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "common/core/error.h"
#include "common/core/version.h"
#include "coordinator/run_coordinator.h"

int main(int argc, char** argv) {
  CLI::App app("synod-coordinator: runs federations of sites, trains on their noisy sums", "synod-coordinator");
  app.set_version_flag("--version", std::string("synod-coordinator ") + synod::kVersion);
  app.require_subcommand(1);
  std::string kit = ".";
  CLI::App* run = app.add_subcommand("run", "The daemon, until SIGTERM; SIGHUP reads the kit's trust folder again");
  run->add_option("-c,--kit", kit, "The coordinator's kit: its folder")->capture_default_str();
  CLI::App* check = app.add_subcommand("check", "Reads the kit and its configuration, and ends");
  check->add_option("-c,--kit", kit, "The coordinator's kit: its folder")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "synod-coordinator: %s\n", error.what());
    return static_cast<int>(synod::ErrorCode::kBadInput);
  }
  synod::NoFailPoints fail_points;
  const synod::CoordinatorOptions options{kit, "", {}};
  return *check ? synod::CheckCoordinator(options) : synod::RunCoordinator(options, fail_points);
}
