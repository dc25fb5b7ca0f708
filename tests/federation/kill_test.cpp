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
  if (point.find("head_sent") != std::string_view::npos) return 2;  // when it connects, and with its approval
  for (const char* again : {"charge", "answer", "query_sent", "sum_stored", "trained"}) {
    if (point.find(again) != std::string_view::npos) return 3;
  }
  return 1;
}

std::vector<std::string> KillArguments(std::string_view point, const std::string& marker) {
  return {"--kill-at", std::string(point), "--kill-count", std::to_string(CountOf(point)), "--kill-marker", marker};
}

bool Within(std::string_view point, std::string_view part) {
  return point.find(part) != std::string_view::npos;
}

std::string VictimOf(std::string_view point, const Federation& federation) {
  const bool coordinator = point.starts_with("coordinator") || Within(point, "trained");
  return coordinator ? std::string(Federation::kCoordinator) : federation.options().sites[1];
}

// Trains with a process that dies at `point`, once; whatever ended is started again. The path of the published file.
std::string FileOfARunKilledAt(std::string_view point, Federation& federation) {
  const std::string marker = federation.folder() + "/killed";
  const std::string victim = VictimOf(point, federation);
  std::vector<std::string> arguments = KillArguments(point, marker);
  if (point.starts_with("worker")) {
    for (std::string& argument : arguments) argument.insert(0, "--worker-argument=");
  }
  for (const std::string& site : federation.options().sites) {
    if (site != victim) federation.Start(site);
  }
  if (victim != Federation::kCoordinator) federation.Start(Federation::kCoordinator);
  federation.Start(victim, arguments);
  const std::string id(32, 'b');
  // A submission whose coordinator dies is sent again, under its id.
  EXPECT_TRUE(Eventually([&] {
    federation.Revive();
    return federation.Synod({"run", "submit", federation.run_file(), "--id", id}).exit_code == 0;
  })) << federation.Logs();
  EXPECT_TRUE(federation.WaitFor(id, {"published"}, /*revive=*/true))
      << federation.Synod({"run", "why", id}).both() << federation.Logs();
  EXPECT_TRUE(std::filesystem::exists(marker)) << "nobody was killed";
  return federation.FetchVerified(id);
}

class FederationKill : public ::testing::TestWithParam<FailPoint> {};

TEST_P(FederationKill, IsSurvivedBitForBit) {
  const std::string_view point = FailPointName(GetParam());
  FederationOptions options;
  const bool checkpoint = Within(point, "checkpoint");
  if (checkpoint) options.rounds = 60;  // enough for one
  Federation federation(options);
  const std::string file = FileOfARunKilledAt(point, federation);
  if (::testing::Test::HasFailure()) return;
  if (!checkpoint) {
    EXPECT_EQ(federation.ContentOf(file), UndisturbedContent());
  }
  const Json plan = federation.Show(std::string(32, 'b'))["plan"];
  EXPECT_EQ(plan["answers_needed"], plan["sites"]) << "so every answer of every site was needed";
}

// Masks die with their process: the run goes on without the site, or with the next attempt, so that its result is
// another one; and no ledger is broken.
class MaskedFederationKill : public ::testing::TestWithParam<FailPoint> {};

TEST_P(MaskedFederationKill, IsSurvived) {
  const std::string_view point = FailPointName(GetParam());
  FederationOptions options;
  options.sites = {"site-a", "site-b", "site-c", "site-d"};
  options.aggregation = "secure";
  options.deadline_seconds = 20.0;
  if (Within(point, "checkpoint")) options.rounds = 60;
  Federation federation(options);
  FileOfARunKilledAt(point, federation);
  federation.ExpectWholeLedgers();
}

std::vector<FailPoint> AllFailPoints() {
  std::vector<FailPoint> points;
  for (std::size_t i = 0; i < kFailPoints; ++i) points.push_back(static_cast<FailPoint>(i));
  return points;
}

std::vector<FailPoint> FailPointsWithoutMasks() {
  std::vector<FailPoint> points = AllFailPoints();
  std::erase_if(points, [](FailPoint point) {
    return Within(FailPointName(point), "promise") || Within(FailPointName(point), "step");
  });
  return points;
}

INSTANTIATE_TEST_SUITE_P(At, FederationKill, ::testing::ValuesIn(FailPointsWithoutMasks()),
                         [](const ::testing::TestParamInfo<FailPoint>& point) {
                           return std::string(FailPointName(point.param));
                         });

INSTANTIATE_TEST_SUITE_P(At, MaskedFederationKill, ::testing::ValuesIn(AllFailPoints()),
                         [](const ::testing::TestParamInfo<FailPoint>& point) {
                           return std::string(FailPointName(point.param));
                         });

}  // namespace
}  // namespace synod::testing
