// synod-worker with streams that repeat and fail points that kill: for tests alone.
#include <CLI/CLI.hpp>

#include "models/worker/worker_main.h"
#include "tests/programs/kill_at.h"
#include "tests/support/seeded_streams.h"

int main(int argc, char** argv) {
  CLI::App app("The worker of tests", "test_worker");
  synod::WorkerSettings settings;
  synod::testing::KillAt kill_at;
  std::uint64_t seed = 0;
  std::string site;
  app.add_option("--socket", settings.socket_path)->required();
  app.add_option("--threads", settings.threads);
  app.add_option("--device", settings.device);
  app.add_option("--seed", seed);
  app.add_option("--site", site);
  synod::testing::AddKillOptions(app, kill_at);
  CLI11_PARSE(app, argc, argv);
  synod::testing::SeededStreams streams(seed, site);
  synod::testing::KillAtFailPoints fail_points(kill_at);
  return synod::RunWorker(settings, streams, fail_points);
}
