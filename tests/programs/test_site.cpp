// The site's daemon for tests: as synod-site run, with a worker and a clock of the tests' choice, and killed where they
// say.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "common/core/clock.h"
#include "site_agent/run_site.h"
#include "tests/programs/kill_at.h"

namespace {

class OffsetClock final : public synod::Clock {
 public:
  explicit OffsetClock(std::int64_t offset_seconds) : offset_seconds_(offset_seconds) {}
  std::int64_t UnixSeconds() const override { return system_.UnixSeconds() + offset_seconds_; }
  double MonotonicSeconds() const override { return system_.MonotonicSeconds(); }

 private:
  synod::SystemClock system_;
  std::int64_t offset_seconds_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("synod-site run, for tests", "test_site");
  synod::SiteOptions options;
  synod::testing::KillAt kill_at;
  std::int64_t clock_offset = 0;
  app.add_option("-c,--kit", options.kit)->required();
  app.add_option("--worker", options.worker_program);
  // Given to the worker as they are; each as one value: --worker-argument=--seed --worker-argument=7
  app.add_option("--worker-argument", options.worker_arguments)->allow_extra_args(false);
  app.add_option("--clock-offset", clock_offset);  // seconds that its clock is ahead
  synod::testing::AddKillOptions(app, kill_at);
  CLI11_PARSE(app, argc, argv);
  synod::testing::KillAtFailPoints fail_points(kill_at);
  return synod::RunSite(options, fail_points, OffsetClock(clock_offset));
}
