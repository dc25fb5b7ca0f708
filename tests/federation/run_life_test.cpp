// Runs of a real federation as its operator lives through them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/federation/federation.h"

namespace synod::testing {
namespace {

using ::testing::HasSubstr;

TEST(FederationRun, TrainsIsPublishedAndVerifiesWithTheRootAlone) {
  Federation federation;
  federation.StartAll();
  const std::string run = federation.Submit();
  ASSERT_TRUE(federation.WaitFor(run, {"published", "failed", "refused"})) << federation.Logs();
  ASSERT_EQ(federation.StateOf(run), "published") << federation.Synod({"run", "why", run}).both() << federation.Logs();
  EXPECT_TRUE(federation.Show(run)["complete"]) << federation.Logs();
  const std::string file = federation.Fetch(run);
  const ProgramRun verified = RunTool({"verify", file, "--trust", federation.kits().first_operator + "/trust/ca.pem"});
  EXPECT_EQ(verified.exit_code, 0) << verified.both();
  for (const char* name : {"site-a", "site-b", "site-c", Federation::kCoordinator}) {
    EXPECT_EQ(federation.Terminate(name), 0) << name << federation.Logs();
  }
}

TEST(FederationRun, WaitsForASiteThatIsAwaySaysSoAndGoesOnWhenItComes) {
  Federation federation;
  federation.Start(Federation::kCoordinator);
  federation.Start("site-a");
  federation.Start("site-b");
  const std::string run = federation.Submit();
  ASSERT_TRUE(Eventually([&] {
    const std::string why = federation.Synod({"run", "why", run}).out;
    return why.find("site-c is not connected") != std::string::npos && why.find("site-a") == std::string::npos &&
           why.find("site-b") == std::string::npos;
  })) << federation.Synod({"run", "why", run}).both()
      << federation.Logs();
  EXPECT_EQ(federation.StateOf(run), "proposed");
  federation.Start("site-c");
  EXPECT_TRUE(federation.WaitFor(run, {"published"}))
      << federation.Synod({"run", "why", run}).both() << federation.Logs();
}

TEST(FederationRun, TheSecondRunBeyondTheBudgetIsRefusedAndSaysWhichSitesSaidNo) {
  FederationOptions options;
  options.lifetime_epsilon = 3.6;
  Federation federation(options);
  federation.StartAll();
  const std::string first = federation.Submit();
  ASSERT_TRUE(federation.WaitFor(first, {"published"})) << federation.Logs();
  const ProgramRun second = federation.Synod({"run", "submit", federation.run_file(), "--wait"});
  EXPECT_EQ(second.exit_code, 7) << second.both() << federation.Logs();
  EXPECT_THAT(second.out, HasSubstr("budget"));
}

TEST(FederationRun, AnAbortedRunEndsEverywhereAndTheNextOneRuns) {
  FederationOptions options;
  options.rounds = 1000;
  options.slot_seconds = 0.2;
  Federation federation(options);
  federation.StartAll();
  const std::string run = federation.Submit();
  ASSERT_TRUE(federation.WaitFor(run, {"running"})) << federation.Logs();
  EXPECT_EQ(federation.Synod({"run", "abort", run}).exit_code, 0);
  EXPECT_EQ(federation.StateOf(run), "aborted");
  EXPECT_EQ(federation.Synod({"run", "watch", run}).exit_code, 1);
  const std::string next = federation.Submit();
  EXPECT_TRUE(federation.WaitFor(next, {"running"}))
      << federation.Synod({"run", "why", next}).both() << federation.Logs();
  for (const char* name : {"site-a", "site-b", "site-c", Federation::kCoordinator}) {
    EXPECT_TRUE(federation.Running(name)) << name << federation.Logs();
  }
}

TEST(FederationRun, TheSameSubmissionTwiceIsOneRun) {
  Federation federation;
  federation.Start(Federation::kCoordinator);
  const std::string id(32, 'a');
  ASSERT_TRUE(Eventually([&] {
    return federation.Synod({"run", "submit", federation.run_file(), "--id", id}).exit_code == 0;
  })) << federation.Logs();
  EXPECT_EQ(federation.Synod({"run", "submit", federation.run_file(), "--id", id}).exit_code, 0);
  const ProgramRun list = federation.Synod({"run", "list", "--format", "json"});
  EXPECT_EQ(Json::parse(list.out)["data"]["runs"].size(), 1u);
  const ProgramRun other =
      federation.Synod({"run", "submit", federation.run_file(), "--id", id, "--sites", "site-a,site-b,site-c"});
  EXPECT_EQ(other.exit_code, 6) << other.both();
}

}  // namespace
}  // namespace synod::testing
