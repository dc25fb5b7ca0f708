// A site's daemon as its administrator lives with it: commands with and without it, what it maps, how it ends, a full
// disk, a person's word in the middle of a run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "common/consortium/consortium_folder.h"
#include "common/core/clock.h"
#include "common/core/file.h"
#include "tests/federation/federation.h"
#include "tests/support/shared_data.h"

namespace synod::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Both outputs are in `out`: a command prints to one of them.
ProgramRun SynodSite(const Federation& federation, std::vector<std::string> arguments,
                     const std::string& site = "site-a") {
  arguments.insert(arguments.end(), {"--kit", federation.kit_of(site)});
  const std::string output = TemporaryFolder() + "/out";
  Result<ChildProcess> child =
      ChildProcess::Start({std::string(SYNOD_BINARY_DIR) + "/bin/synod-site", arguments, output, {}});
  if (!child.ok() || !child->WaitFor(30.0)) return {};
  return {child->exit_code().value_or(-1), ReadText(output), ""};
}

Json DataOf(const ProgramRun& run) {
  const Result<Json> json = ParseJson(run.out, 64u << 20);
  return json.ok() && json->contains("data") ? json->at("data") : Json();
}

bool Connected(const Federation& federation, const std::string& site = "site-a") {
  const Json status = DataOf(SynodSite(federation, {"status", "--format", "json"}, site));
  return status.is_object() && status["link"]["open"] == true;
}

FederationOptions LongRun() {
  FederationOptions options;
  options.rounds = 400;
  options.slot_seconds = 0.02;
  return options;
}

TEST(SiteDaemonProcess, AnswersItsAdministratorAndTheFilesDoWhereItIsStopped) {
  Federation federation;
  federation.StartAll();
  const std::string run = federation.Submit();
  ASSERT_TRUE(federation.WaitFor(run, {"published"})) << federation.Logs();
  // The site hears of it a moment after the coordinator says so.
  ASSERT_TRUE(Eventually([&] {
    return SynodSite(federation, {"requests", "--all"}).out.find("published") != std::string::npos;
  })) << federation.Logs();
  const Json running = DataOf(SynodSite(federation, {"ledger", "show", "--format", "json"}));
  EXPECT_GE(running["rows"], 12);
  EXPECT_EQ(SynodSite(federation, {"ledger", "verify"}).exit_code, 0);
  EXPECT_EQ(SynodSite(federation, {"policy", "check"}).exit_code, 0);
  EXPECT_THAT(SynodSite(federation, {"explain", run.substr(0, 6)}).out, HasSubstr("column_histograms"));
  EXPECT_EQ(SynodSite(federation, {"explain", "ffff"}).exit_code, 4);
  EXPECT_EQ(federation.Terminate("site-a"), 0);
  EXPECT_EQ(DataOf(SynodSite(federation, {"ledger", "show", "--format", "json"}))["head"], running["head"]);
  EXPECT_EQ(SynodSite(federation, {"ledger", "verify"}).exit_code, 0);
  EXPECT_EQ(SynodSite(federation, {"audit", "verify"}).exit_code, 0);
  EXPECT_THAT(SynodSite(federation, {"requests", "--all"}).out, HasSubstr("published"));
  EXPECT_EQ(SynodSite(federation, {"status"}).exit_code, 2);
  EXPECT_EQ(SynodSite(federation, {"approve", run}).exit_code, 2);
}

TEST(SiteDaemonProcess, KeepsItsStateAndSocketForItsOwnerAlone) {
  Federation federation;
  federation.Start("site-a");
  const std::string socket = federation.kit_of("site-a") + "/state/control.sock";
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(socket); })) << federation.Logs();
  struct stat facts {};
  ASSERT_EQ(stat(socket.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  ASSERT_EQ(stat((federation.kit_of("site-a") + "/state").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0700U);
  ASSERT_EQ(stat((federation.kit_of("site-a") + "/state/site.db").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
}

TEST(SiteDaemonProcess, APersonApprovesAndMayStopTheRunLater) {
  FederationOptions options = LongRun();
  options.approval = "person";
  options.rounds = 1000;
  Federation federation(options);
  federation.StartAll();
  const std::string run = federation.Submit();
  for (const char* site : {"site-a", "site-b", "site-c"}) {
    ASSERT_TRUE(Eventually([&] {
      return SynodSite(federation, {"approve", run}, site).exit_code == 0;
    })) << SynodSite(federation, {"status"}, site).both()
        << federation.Logs();
  }
  ASSERT_TRUE(federation.WaitFor(run, {"running"})) << federation.Logs();
  EXPECT_EQ(SynodSite(federation, {"deny", run, "--reason", "a word of the board"}).exit_code, 0);
  const Json before = DataOf(SynodSite(federation, {"ledger", "show", "--format", "json"}));
  ASSERT_TRUE(federation.WaitFor(run, {"published", "failed"})) << federation.Synod({"run", "why", run}).both();
  const Json after = DataOf(SynodSite(federation, {"ledger", "show", "--format", "json"}));
  EXPECT_EQ(before["rows"], after["rows"]) << "nothing was charged after the denial";
  EXPECT_THAT(federation.Logs(), Not(HasSubstr("a word of the board"))) << "the note stays at the site";
}

TEST(SiteDaemonProcess, ARevokedCoordinatorLosesItsOpenLinkAfterAHangUp) {
  Federation federation;
  federation.Start(Federation::kCoordinator);
  federation.Start("site-a");
  ASSERT_TRUE(Eventually([&] { return Connected(federation); })) << federation.Logs();
  {
    Result<ConsortiumFolder> folder = ConsortiumFolder::Open(federation.kits().consortium);
    ASSERT_TRUE(folder.ok()) << folder.error().message;
    ASSERT_TRUE(
        folder->Revoke({"test", Role::kCoordinator, Federation::kCoordinator}, SystemClock().UnixSeconds()).ok());
    const std::string bundle = federation.kit_of("site-a") + "/trust/bundle.json";
    ASSERT_TRUE(WriteFileAtomically(bundle, AsBytes(folder->bundle().ToJsonText())).ok());
  }
  federation.Signal("site-a", SIGHUP);
  EXPECT_TRUE(Eventually([&] { return !Connected(federation); })) << federation.Logs();
  EXPECT_TRUE(Eventually([&] {
    return federation.LogOf("site-a").find("synod://test/coordinator/coordinator is revoked since") !=
           std::string::npos;
  })) << federation.Logs();
  EXPECT_TRUE(Eventually([&] {
    return federation.LogOf(Federation::kCoordinator).find("\"reason\":\"revoked") != std::string::npos;
  })) << federation.Logs();
}

TEST(SiteDaemonProcess, ANewPolicyCountsAfterAHangUp) {
  Federation federation;
  federation.StartAll();
  ASSERT_TRUE(Eventually([&] { return Connected(federation); })) << federation.Logs();
  const std::string policy = federation.kit_of("site-a") + "/local/policy.toml";
  const std::string allowed = ReadText(policy);
  ASSERT_TRUE(WriteFileAtomically(policy, AsBytes("this is no policy")).ok());
  federation.Signal("site-a", SIGHUP);
  ASSERT_TRUE(Eventually([&] { return SynodSite(federation, {"status"}).out.find("Problem: ") != std::string::npos; }))
      << "a broken file is named, and the old policy stays";
  const std::string first = federation.Submit();
  EXPECT_TRUE(federation.WaitFor(first, {"published"})) << federation.Logs();
  ASSERT_TRUE(WriteFileAtomically(policy, AsBytes(allowed.substr(0, allowed.find("[[allow]]")))).ok());
  federation.Signal("site-a", SIGHUP);
  ASSERT_TRUE(Eventually([&] { return SynodSite(federation, {"status"}).out.find("Problem: ") == std::string::npos; }));
  const std::string second = federation.Submit();
  EXPECT_TRUE(federation.WaitFor(second, {"refused"})) << federation.StateOf(second) << federation.Logs();
}

TEST(SiteDaemonProcess, RecordsThatAreMissingAreSilenceAndAreNamedAtTheSite) {
  FederationOptions options;
  options.deadline_seconds = 60.0;
  Federation federation(options);
  const std::string table = federation.table_of("site-a");
  std::filesystem::rename(table, table + ".away");
  federation.StartAll();
  const std::string run = federation.Submit();
  ASSERT_TRUE(federation.WaitFor(run, {"running"})) << federation.Logs();
  ASSERT_TRUE(Eventually([&] { return SynodSite(federation, {"status"}).out.find("Problem: ") != std::string::npos; }))
      << federation.Logs();
  std::filesystem::rename(table + ".away", table);
  EXPECT_TRUE(federation.WaitFor(run, {"published"})) << "opened again within the query's time" << federation.Logs();
}

}  // namespace
}  // namespace synod::testing
