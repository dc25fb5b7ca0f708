// The coordinator's daemon for tests: as synod-coordinator run, with a worker of the tests' choice, and killed where
// they say.
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "coordinator/run_coordinator.h"
#include "tests/programs/kill_at.h"

int main(int argc, char** argv) {
  CLI::App app("synod-coordinator run, for tests", "test_coordinator");
  synod::CoordinatorOptions options;
  synod::testing::KillAt kill_at;
  app.add_option("-c,--kit", options.kit)->required();
  app.add_option("--worker", options.worker_program);
  // Given to the worker as they are; each as one value: --worker-argument=--seed --worker-argument=7
  app.add_option("--worker-argument", options.worker_arguments)->allow_extra_args(false);
  synod::testing::AddKillOptions(app, kill_at);
  CLI11_PARSE(app, argc, argv);
  synod::testing::KillAtFailPoints fail_points(kill_at);
  return synod::RunCoordinator(options, fail_points);
}
