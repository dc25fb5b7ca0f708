// Fifty kills at random moments of random processes of one run: coordinator, sites and their workers. The run finishes,
// its parameters are those of an undisturbed run, and every site's ledger holds exactly what the certificate counts.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "common/query/public_random.h"
#include "tests/federation/federation.h"
#include "tests/federation/proc_files.h"

namespace synod::testing {
namespace {

constexpr int kKills = 50;
constexpr std::uint64_t kSeed = 20;

FederationOptions Options() {
  FederationOptions options;
  options.rounds = 400;
  options.slot_seconds = 0.1;  // so that the run outlives the kills
  options.deadline_seconds = 300.0;
  return options;
}

void Sleep(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

// Kills a daemon, or one of its workers if it has any; the daemon is started again a moment later.
void KillSomebody(Federation& federation, PublicRandom& random) {
  std::vector<std::string> names = federation.options().sites;
  names.emplace_back(Federation::kCoordinator);
  const std::string& name = names[random.NextWord64() % names.size()];
  const bool worker = random.NextWord64() % 2 == 0;
  const std::vector<std::int64_t> workers =
      federation.Running(name) ? ChildrenOf(federation.ProcessId(name)) : std::vector<std::int64_t>{};
  if (worker && !workers.empty()) {
    kill(static_cast<pid_t>(workers[random.NextWord64() % workers.size()]), SIGKILL);
  } else {
    federation.Kill(name);
  }
  Sleep(0.02 * static_cast<double>(random.NextWord64() % 10));
  federation.Revive();
}

TEST(FederationRandomKills, FiftyAreSurvivedBitForBit) {
  Federation undisturbed(Options());
  undisturbed.StartAll();
  const std::string first = undisturbed.Submit();
  ASSERT_TRUE(undisturbed.WaitFor(first, {"published"}, false, 300.0)) << undisturbed.Logs();
  const std::string content = undisturbed.ContentOf(undisturbed.Fetch(first));
  for (const std::string& site : undisturbed.options().sites) undisturbed.Terminate(site);

  Federation federation(Options());
  federation.StartAll();
  const std::string run = federation.Submit();
  ASSERT_TRUE(federation.WaitFor(run, {"running"})) << federation.Logs();
  PublicRandom random(kSeed, "synod.tests.random_kills");
  int while_running = 0;
  for (int i = 0; i < kKills; ++i) {
    KillSomebody(federation, random);
    Sleep(0.1 + 0.05 * static_cast<double>(random.NextWord64() % 10));
    while_running += federation.StateOf(run) == "published" ? 0 : 1;
  }
  EXPECT_EQ(while_running, kKills) << "the run must outlive the kills";
  ASSERT_TRUE(federation.WaitFor(run, {"published"}, /*revive=*/true, 300.0))
      << federation.Synod({"run", "why", run}).both() << federation.Logs();
  EXPECT_EQ(federation.ContentOf(federation.FetchVerified(run)), content);
  federation.ExpectWholeLedgers();
}

}  // namespace
}  // namespace synod::testing
