// Every fail point of the table, killed in turn: the run finishes, and what it publishes is what an undisturbed
// federation with the same streams publishes.
#include <gtest/gtest.h>

#include <filesystem>

#include "common/core/fail_points.h"
#include "tests/federation/federation.h"

namespace synod::testing {
namespace {

// Trained once, without a disturbance.
const std::string& UndisturbedContent() {
  static const std::string kContent = [] {
    Federation federation;
    federation.StartAll();
    const std::string run = federation.Submit();
    EXPECT_TRUE(federation.WaitFor(run, {"published"})) << federation.Logs();
    return federation.ContentOf(federation.Fetch(run));
  }();
  return kContent;
}

// Where in the run: the first pass of what happens once, the third of what happens again and again.
unsigned CountOf(std::string_view point) {
  for (const char* again : {"charge", "answer", "query_sent", "sum_stored", "trained", "head_sent"}) {
    if (point.find(again) != std::string_view::npos) return 3;
  }
  return 1;
}

std::vector<std::string> KillArguments(std::string_view point, const std::string& marker) {
  return {"--kill-at", std::string(point), "--kill-count", std::to_string(CountOf(point)), "--kill-marker", marker};
}

class FederationKill : public ::testing::TestWithParam<FailPoint> {};

TEST_P(FederationKill, IsSurvivedBitForBit) {
  const std::string_view point = FailPointName(GetParam());
  FederationOptions options;
  options.rounds = 60;  // enough for a checkpoint
  const bool checkpoint = point.find("checkpoint") != std::string_view::npos;
  Federation federation(checkpoint ? options : FederationOptions{});
  const std::string marker = federation.folder() + "/killed";
  const bool of_coordinator = point.starts_with("coordinator");
  const bool of_worker = point.starts_with("worker");
  const std::string victim = of_coordinator || point.find("trained") != std::string_view::npos
                                 ? std::string(Federation::kCoordinator)
                                 : federation.options().sites[1];
  std::vector<std::string> arguments = KillArguments(point, marker);
  if (of_worker) {
    for (std::string& argument : arguments) argument.insert(0, "--worker-argument=");
  }
  for (const std::string& site : federation.options().sites) {
    if (site != victim) federation.Start(site);
  }
  if (victim != Federation::kCoordinator) federation.Start(Federation::kCoordinator);
  federation.Start(victim, arguments);
  const std::string id(32, 'b');
  // A submission whose coordinator dies is sent again, under its id.
  ASSERT_TRUE(Eventually([&] {
    federation.Revive();
    return federation.Synod({"run", "submit", federation.run_file(), "--id", id}).exit_code == 0;
  })) << federation.Logs();
  ASSERT_TRUE(federation.WaitFor(id, {"published"}, /*revive=*/true))
      << federation.Synod({"run", "why", id}).both() << federation.Logs();
  EXPECT_TRUE(std::filesystem::exists(marker)) << "nobody was killed";
  ASSERT_TRUE(Eventually([&] {
    federation.Revive();
    return federation.Show(id).value("complete", false);
  })) << federation.Synod({"run", "why", id}).both()
      << federation.Logs();
  const std::string file = federation.Fetch(id);
  if (!checkpoint) {
    EXPECT_EQ(federation.ContentOf(file), UndisturbedContent());
  }
  const ProgramRun verified = RunTool({"verify", file, "--trust", federation.kits().first_operator + "/trust/ca.pem"});
  EXPECT_EQ(verified.exit_code, 0) << verified.both();
  const Json plan = federation.Show(id)["plan"];
  EXPECT_EQ(plan["answers_needed"], plan["sites"]) << "so every answer of every site was needed";
}

std::vector<FailPoint> AllFailPoints() {
  std::vector<FailPoint> points;
  for (std::size_t i = 0; i < kFailPoints; ++i) points.push_back(static_cast<FailPoint>(i));
  return points;
}

INSTANTIATE_TEST_SUITE_P(At, FederationKill, ::testing::ValuesIn(AllFailPoints()),
                         [](const ::testing::TestParamInfo<FailPoint>& point) {
                           return std::string(FailPointName(point.param));
                         });

}  // namespace
}  // namespace synod::testing
