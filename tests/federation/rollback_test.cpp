// A site whose state folder is put back to an earlier copy between runs: it is noticed by whoever remembers, the site
// takes part in nothing, and goes on only after its administrator had the loss counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/federation/federation.h"

namespace synod::testing {
namespace {

using ::testing::HasSubstr;

class Wards {
 public:
  Wards() { federation.StartAll(); }

  void Backup() {
    // A process that has just begun does not know yet how to end.
    ASSERT_TRUE(Eventually([&] { return federation.SiteLine("site-b").value("state", "") == "connected"; }));
    EXPECT_EQ(federation.Terminate("site-b"), 0);
    std::filesystem::copy(State(), federation.folder() + "/backup", std::filesystem::copy_options::recursive);
    federation.Start("site-b");
  }
  // Leaves the site stopped.
  void PutBack() {
    EXPECT_EQ(federation.Terminate("site-b"), 0);
    std::filesystem::remove_all(State());
    std::filesystem::copy(federation.folder() + "/backup", State(), std::filesystem::copy_options::recursive);
    std::filesystem::permissions(State(), std::filesystem::perms::owner_all);
  }
  void RunOnce() {
    const std::string run = federation.Submit();
    ASSERT_TRUE(federation.WaitFor(run, {"published", "failed", "refused"})) << federation.Logs();
    ASSERT_EQ(federation.StateOf(run), "published")
        << federation.Synod({"run", "why", run}).both() << federation.Logs();
  }
  bool Refuses() {
    return Eventually([&] { return federation.SiteView("site-b", {"status"}).value("rolled_back", false); });
  }
  // Of site-b's ledger, as `witness` was shown it last.
  std::uint64_t RowsKnownTo(const std::string& witness) {
    std::uint64_t rows = 0;
    for (const Json& head : federation.SiteView(witness, {"status"}).value("witnessed_heads", Json::array())) {
      if (head.at("site") == "site-b") rows = std::max(rows, head.at("rows").get<std::uint64_t>());
    }
    return rows;
  }
  double HeldShare() {
    return federation.SiteView("site-b", {"dataset", "list"})["datasets"][0]["lifetime"]["share_held"].get<double>();
  }

  Federation federation;

 private:
  std::string State() const { return federation.kit_of("site-b") + "/state"; }
};

TEST(FederationRollback, IsRefusedCountedAndTheNextRunIsWithinWhatIsLeft) {
  Wards wards;
  Federation& federation = wards.federation;
  wards.RunOnce();
  wards.Backup();
  const double before = wards.HeldShare();
  wards.RunOnce();
  const double both = wards.HeldShare();
  wards.PutBack();
  federation.Start("site-b");
  ASSERT_TRUE(wards.Refuses()) << federation.Logs();
  EXPECT_THAT(federation.SiteTool("site-b", {"status"}).out, HasSubstr("the site's ledger was rolled back"));
  EXPECT_EQ(federation.SiteTool("site-b", {"ledger", "verify"}).exit_code, 8);
  EXPECT_GE(federation.SiteLine("site-b")["ledger"]["evidence"].size(), 1u);
  EXPECT_THAT(federation.Synod({"site", "list"}).out, HasSubstr("put back to an earlier state"));
  const std::string refused = federation.Submit();
  ASSERT_TRUE(federation.WaitFor(refused, {"refused"})) << federation.Logs();
  EXPECT_THAT(federation.Synod({"run", "show", refused, "--format", "json"}).out, HasSubstr("unavailable"));

  EXPECT_EQ(federation.SiteTool("site-b", {"ledger", "restore"}).exit_code, 6) << "it asks to be accepted";
  const ProgramRun restored = federation.SiteTool("site-b", {"ledger", "restore", "--accept"});
  EXPECT_EQ(restored.exit_code, 0) << restored.both();
  EXPECT_EQ(federation.SiteTool("site-b", {"ledger", "restore", "--accept"}).exit_code, 6) << "nothing is wrong now";
  EXPECT_EQ(federation.SiteTool("site-b", {"ledger", "verify"}).exit_code, 0);
  EXPECT_THAT(federation.SiteTool("site-b", {"ledger", "show"}).out, HasSubstr("a copy was lost"));
  EXPECT_THAT(federation.SiteTool("site-b", {"ledger", "export"}).out, HasSubstr("\"restored\""));
  EXPECT_GE(wards.HeldShare(), before + both) << "what the lost copy held, on top of what this one holds";
  wards.RunOnce();
  EXPECT_GT(wards.HeldShare(), before + both);
}

TEST(FederationRollback, ACoordinatorThatLostItsDatabaseLearnsOfItFromTheOtherSites) {
  Wards wards;
  Federation& federation = wards.federation;
  wards.Backup();
  wards.RunOnce();
  // What the others were shown when the run began was an empty ledger; its end reaches them a moment after it is
  // published.
  for (const char* witness : {"site-a", "site-c"}) {
    EXPECT_TRUE(Eventually([&] { return wards.RowsKnownTo(witness) > 0; })) << federation.Logs();
  }
  EXPECT_EQ(federation.Terminate(Federation::kCoordinator), 0);
  for (const auto& file : std::filesystem::directory_iterator(federation.kit_of(Federation::kCoordinator) + "/state")) {
    std::filesystem::remove_all(file.path());
  }
  wards.PutBack();
  federation.Start("site-b");
  federation.Start(Federation::kCoordinator);
  EXPECT_TRUE(wards.Refuses()) << federation.Logs();
}

}  // namespace
}  // namespace synod::testing
