// Machines that misbehave while a run trains: full disks, a wrong clock, one identity twice. Each is named where its
// owner looks, and the run goes on when it is put right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/federation/training_federation.h"
#include "tests/support/shared_data.h"

namespace synod::testing {
namespace {

using ::testing::HasSubstr;

// A disk of its own for one folder, small enough to be filled. Mounting needs root.
class SmallDisk {
 public:
  explicit SmallDisk(std::string folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    mounted_ = mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=4m,mode=700") == 0;
    if (!mounted_) problem_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  const std::string& problem() const { return problem_; }
  void Fill() const {
    std::ofstream filler(folder_ + "/filler", std::ios::binary);
    const std::string block(4096, 'x');
    while (filler.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void Free() const { std::filesystem::remove(folder_ + "/filler"); }

 private:
  std::string folder_;
  bool mounted_ = false;
  std::string problem_;
};

std::string Why(const TrainingFederation& training) {
  return training.federation.Synod({"run", "why", training.run}).both();
}

TEST(BadMachines, ACoordinatorWhoseDiskIsFullSaysSoAndGoesOnWhenThereIsRoom) {
  TrainingFederation training;
  const SmallDisk disk(training.federation.kit_of(Federation::kCoordinator) + "/state");
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a small disk: " << disk.problem();
  training.Begin();
  disk.Fill();
  EXPECT_TRUE(Eventually([&] { return Why(training).find("the disk is full") != std::string::npos; }, 20.0))
      << Why(training) << training.federation.LogOf(Federation::kCoordinator);
  disk.Free();
  training.ExpectPublishedAndComplete();
}

TEST(BadMachines, ACoordinatorThatCannotStoreADecisionAsksAgainNowAndThen) {
  TrainingFederation training{FederationOptions()};
  Federation& federation = training.federation;
  const SmallDisk disk(federation.kit_of(Federation::kCoordinator) + "/state");
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a small disk: " << disk.problem();
  federation.Start(Federation::kCoordinator);
  training.run = federation.Submit();
  ASSERT_TRUE(federation.WaitFor(training.run, {"proposed"})) << federation.Logs();
  disk.Fill();
  for (const std::string& site : federation.options().sites) federation.Start(site);
  ASSERT_TRUE(Eventually([&] { return Why(training).find("the disk is full") != std::string::npos; })) << Why(training);
  // Two seconds of talk are a handful of proposals, not thousands.
  const auto received = [&] {
    return federation.SiteView("site-a", {"status"})
        .value(Json::json_pointer("/link/bytes_received"), std::uint64_t{0});
  };
  // Another site may have been the first to meet the full disk.
  std::uint64_t before = 0;
  ASSERT_TRUE(Eventually([&] { return (before = received()) > 0; })) << federation.LogOf("site-a");
  std::this_thread::sleep_for(std::chrono::seconds(2));
  EXPECT_LT(received(), before + 100'000);
  disk.Free();
  training.ExpectPublishedAndComplete();
}

TEST(BadMachines, ASiteWhoseDiskIsFullChargesNothingSaysSoAndAnswersWhenThereIsRoom) {
  TrainingFederation training;
  const SmallDisk disk(training.federation.kit_of("site-a") + "/state");
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a small disk: " << disk.problem();
  training.Begin();
  disk.Fill();
  EXPECT_TRUE(Eventually(
      [&] { return training.federation.SiteTool("site-a", {"status"}).out.find("full") != std::string::npos; }, 15.0))
      << training.federation.SiteTool("site-a", {"status"}).both() << training.federation.LogOf("site-a");
  disk.Free();
  training.ExpectPublishedAndComplete();
}

TEST(BadMachines, ASiteWhoseClockIsAnHourOffIsRefusedAndTheOperatorSeesWhy) {
  TrainingFederation training;
  training.Begin();
  Federation& federation = training.federation;
  federation.Kill("site-c");
  federation.Start("site-c", {"--clock-offset", "3600"});
  EXPECT_TRUE(Eventually([&] {
    return federation.SiteLine("site-c").value("last_close", "").find("clock") != std::string::npos;
  })) << federation.LogOf(Federation::kCoordinator);
  const Json line = federation.SiteLine("site-c");
  EXPECT_EQ(line.value("state", ""), "not_connected");
  EXPECT_THAT(line.value("last_close", ""), HasSubstr("s ahead of this one; 300 s are allowed"));
  EXPECT_THAT(federation.Synod({"site", "list"}).out, HasSubstr("300 s are allowed"));
  EXPECT_TRUE(Eventually([&] {
    return federation.SiteTool("site-c", {"status"}).out.find("clock") != std::string::npos;
  })) << federation.SiteTool("site-c", {"status"}).both();
  EXPECT_EQ(federation.Terminate("site-c"), 0);
  federation.Start("site-c");
  training.ExpectPublishedAndComplete();
}

TEST(BadMachines, ASecondDaemonOfTheSameKitEndsAtOnceAndTheFirstGoesOn) {
  TrainingFederation training;
  training.Begin();
  Federation& federation = training.federation;
  const std::string tests = std::string(SYNOD_BINARY_DIR) + "/tests/";
  const ProgramRun site =
      RunProgram(tests + "test_site", {"--kit", federation.kit_of("site-a"), "--worker", tests + "test_worker"});
  EXPECT_NE(site.exit_code, 0);
  EXPECT_THAT(site.err, HasSubstr("another process"));
  const ProgramRun coordinator =
      RunProgram(tests + "test_coordinator",
                 {"--kit", federation.kit_of(Federation::kCoordinator), "--worker", tests + "test_worker"});
  EXPECT_NE(coordinator.exit_code, 0);
  EXPECT_THAT(coordinator.err, HasSubstr("another process"));
  training.ExpectPublishedAndComplete();
  EXPECT_EQ(federation.SiteTool("site-a", {"audit", "verify"}).exit_code, 0);
}

TEST(BadMachines, ACopyOfAKitIsRefusedByNameAndTheFirstDaemonGoesOn) {
  TrainingFederation training;
  Federation& federation = training.federation;
  const std::string copy = federation.folder() + "/copy";
  std::filesystem::copy(federation.kit_of("site-a"), copy, std::filesystem::copy_options::recursive);
  training.Begin();
  const std::string tests = std::string(SYNOD_BINARY_DIR) + "/tests/";
  ChildProcess::Settings settings;
  settings.program = tests + "test_site";
  settings.arguments = {"--kit", copy, "--worker", tests + "test_worker"};
  settings.output_file = copy + "/output";
  Result<ChildProcess> second = ChildProcess::Start(settings);
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(Eventually([&] {
    return ReadText(settings.output_file).find("duplicate_identity") != std::string::npos;
  })) << ReadText(settings.output_file);
  EXPECT_THAT(federation.LogOf(Federation::kCoordinator), HasSubstr("duplicate_identity"));
  const Json line = federation.SiteLine("site-a");
  EXPECT_EQ(line.value("state", ""), "connected");
  EXPECT_THAT(line.value("last_close", ""), HasSubstr("duplicate_identity"));
  EXPECT_TRUE(second->Running()) << "it waits for its turn";
  second->Signal(SIGTERM);
  EXPECT_TRUE(second->WaitFor(10.0));
  EXPECT_EQ(second->exit_code(), 0);
  training.ExpectPublishedAndComplete();
}

}  // namespace
}  // namespace synod::testing
