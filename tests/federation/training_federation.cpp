#include "tests/federation/training_federation.h"

#include <gtest/gtest.h>

namespace synod::testing {

FederationOptions LongRun() {
  FederationOptions options;
  options.rounds = 25;
  options.slot_seconds = 0.1;
  return options;
}

void TrainingFederation::Begin() {
  if (!federation.Running(Federation::kCoordinator)) federation.Start(Federation::kCoordinator);
  for (const std::string& site : federation.options().sites) {
    if (!federation.Running(site)) federation.Start(site);
  }
  run = federation.Submit();
  ASSERT_FALSE(run.empty());
  WaitUntilItTrains();
}

void TrainingFederation::WaitUntilItTrains() {
  ASSERT_TRUE(Eventually([&] { return QueriesDone() > 0; }))
      << federation.Synod({"run", "why", run}).both() << federation.Logs();
}

std::uint64_t TrainingFederation::QueriesDone() const {
  const Json view = federation.Show(run);
  if (!view.is_object() || !view.contains("progress")) return 0;
  return view["progress"].value("queries_done", std::uint64_t{0});
}

void TrainingFederation::ExpectPublishedAndComplete() {
  ASSERT_TRUE(federation.WaitFor(run, {"published", "failed", "refused", "aborted"}))
      << federation.Synod({"run", "why", run}).both() << federation.Logs();
  Json view;
  ASSERT_TRUE(Eventually([&] { return (view = federation.Show(run)).is_object(); })) << federation.Logs();
  ASSERT_EQ(view.value("state", ""), "published") << federation.Synod({"run", "why", run}).both() << federation.Logs();
  EXPECT_TRUE(view.value("complete", false)) << federation.Logs();
  const std::string file = federation.Fetch(run);
  const ProgramRun verified = RunTool({"verify", file, "--trust", federation.kits().first_operator + "/trust/ca.pem"});
  EXPECT_EQ(verified.exit_code, 0) << verified.both();
  EXPECT_TRUE(federation.Running(Federation::kCoordinator)) << federation.LogOf(Federation::kCoordinator);
  for (const std::string& site : federation.options().sites) {
    EXPECT_TRUE(federation.Running(site)) << federation.LogOf(site);
    const ProgramRun ledger = federation.SiteTool(site, {"ledger", "verify"});
    EXPECT_EQ(ledger.exit_code, 0) << ledger.both();
  }
}

}  // namespace synod::testing
