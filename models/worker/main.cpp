// synod-worker: the process that computes. Started by synod-site and synod-coordinator, never by hand.
#include <CLI/CLI.hpp>
#include <iostream>

#include "common/core/error.h"
#include "common/core/version.h"
#include "models/worker/worker_main.h"

int main(int argc, char** argv) {
  CLI::App app("The compute process of synod-site and synod-coordinator. They start it; it is not run by hand.",
               "synod-worker");
  synod::WorkerSettings settings;
  app.add_option("--socket", settings.socket_path, "the local pair of the daemon that started this");
  app.add_option("--threads", settings.threads, "threads of LibTorch and noise; 0: all cores")
      ->check(CLI::Range(0, 1024));
  app.add_option("--device", settings.device, "a LibTorch device: auto, cpu, cuda:0");
  app.set_version_flag("--version", synod::kVersion);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return error.get_exit_code() == 0 ? app.exit(error)
                                      : (app.exit(error), static_cast<int>(synod::ErrorCode::kBadInput));
  }
  if (settings.socket_path.empty()) {
    std::cerr << "synod-worker: this program is started by synod-site and synod-coordinator; it is not run by hand\n";
    return static_cast<int>(synod::ErrorCode::kBadInput);
  }
  synod::OperatingSystemStreams streams;
  synod::NoFailPoints fail_points;
  return synod::RunWorker(settings, streams, fail_points);
}
