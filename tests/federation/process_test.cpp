// What the processes are, hold and do when their owner speaks to them by signals: the programs as they are installed,
// each with its own worker.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "tests/federation/bad_peer.h"
#include "tests/federation/proc_files.h"
#include "tests/federation/root_keeper.h"
#include "tests/federation/training_federation.h"

namespace synod::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

FederationOptions Installed(FederationOptions options = LongRun()) {
  options.installed = true;
  return options;
}

bool HasOpen(std::int64_t process, const std::string& path) {
  const std::vector<std::string> files = OpenFilesOf(process);
  return std::find(files.begin(), files.end(), path) != files.end();
}

TEST(Processes, RecordsAreOpenInTheWorkerAloneWhichHasNoInternetSocket) {
  TrainingFederation training(Installed());
  Federation& federation = training.federation;
  // The table comes through a pipe, and lasts as long as the test wants.
  const std::string table = federation.table_of("site-a");
  const std::string rows = ReadText(table);
  std::filesystem::remove(table);
  ASSERT_EQ(mkfifo(table.c_str(), 0600), 0);
  federation.StartAll();
  training.run = federation.Submit();
  int pipe = -1;
  ASSERT_TRUE(Eventually([&] { return (pipe = open(table.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) >= 0; }))
      << federation.Logs();
  const std::int64_t site = federation.ProcessId("site-a");
  const std::int64_t coordinator = federation.ProcessId(Federation::kCoordinator);
  const std::vector<std::int64_t> workers = ChildrenOf(site);
  ASSERT_EQ(workers.size(), 1u);
  EXPECT_TRUE(Eventually([&] { return HasOpen(workers[0], std::filesystem::canonical(table)); }));
  EXPECT_FALSE(HasOpen(site, std::filesystem::canonical(table)));
  EXPECT_EQ(InternetSocketsOf(workers[0]), 0u);
  EXPECT_GE(InternetSocketsOf(site), 1u);
  for (const std::int64_t daemon : {site, coordinator}) {
    EXPECT_THAT(MapsOf(daemon), Not(HasSubstr("libtorch")));
    EXPECT_THAT(MapsOf(daemon), Not(HasSubstr("libc10")));
    EXPECT_THAT(MapsOf(daemon), HasSubstr(daemon == site ? "synod-site" : "synod-coordinator"));
  }
  for (const std::int64_t worker : ChildrenOf(coordinator)) EXPECT_EQ(InternetSocketsOf(worker), 0u);
  fcntl(pipe, F_SETFL, 0);
  EXPECT_EQ(write(pipe, rows.data(), rows.size()), static_cast<ssize_t>(rows.size()));
  close(pipe);
  training.WaitUntilItTrains();
  EXPECT_FALSE(HasOpen(site, std::filesystem::canonical(table)));
  training.ExpectPublishedAndComplete();
}

std::uint64_t RowsOf(const Federation& federation, const std::string& site) {
  const Json verified = federation.SiteView(site, {"ledger", "verify"});
  return verified.value("rows", std::uint64_t{0});
}

TEST(Processes, ASiteThatIsToldToEndWhileItComputesEndsUnchargedAndTheRunGoesOnLater) {
  TrainingFederation training(Installed());
  Federation& federation = training.federation;
  training.Begin();
  // Its worker stands still: a computation that never ends.
  const std::vector<std::int64_t> workers = ChildrenOf(federation.ProcessId("site-a"));
  ASSERT_EQ(workers.size(), 1u);
  kill(static_cast<pid_t>(workers[0]), SIGSTOP);
  ASSERT_TRUE(Eventually([&] {
    const Json status = federation.SiteView("site-a", {"status"});
    return status.contains("worker") && status["worker"].value("busy", false);
  })) << federation.LogOf("site-a");
  const std::uint64_t before = RowsOf(federation, "site-a");
  EXPECT_GT(before, 0u);
  EXPECT_EQ(federation.Terminate("site-a"), 0);
  EXPECT_NE(kill(static_cast<pid_t>(workers[0]), 0), 0) << "the worker is still there";
  EXPECT_EQ(RowsOf(federation, "site-a"), before);
  federation.Start("site-a");
  training.ExpectPublishedAndComplete();
  // One answer a query, each charged once: being ended cost nothing.
  EXPECT_EQ(RowsOf(federation, "site-a"), RowsOf(federation, "site-b"));
}

TEST(Processes, ACoordinatorThatIsToldToEndWhileItTrainsEndsAndTheRunGoesOnLater) {
  TrainingFederation training(Installed());
  Federation& federation = training.federation;
  training.Begin();
  const std::vector<std::int64_t> workers = ChildrenOf(federation.ProcessId(Federation::kCoordinator));
  ASSERT_FALSE(workers.empty());
  for (const std::int64_t worker : workers) kill(static_cast<pid_t>(worker), SIGSTOP);
  EXPECT_EQ(federation.Terminate(Federation::kCoordinator), 0);
  for (const std::int64_t worker : workers) EXPECT_NE(kill(static_cast<pid_t>(worker), 0), 0);
  federation.Start(Federation::kCoordinator);
  training.ExpectPublishedAndComplete();
  for (const char* site : {"site-b", "site-c"}) {
    EXPECT_EQ(RowsOf(federation, site), RowsOf(federation, "site-a"));
  }
}

TEST(Processes, AReloadedPolicyDecidesAboutARunThatWaits) {
  FederationOptions options = Installed(FederationOptions());
  options.approval = "person";
  TrainingFederation training(options);
  Federation& federation = training.federation;
  federation.StartAll();
  training.run = federation.Submit();
  ASSERT_TRUE(Eventually([&] {
    return federation.Synod({"run", "why", training.run}).out.find("person") != std::string::npos;
  })) << federation.Logs();
  const std::string policy_file = federation.kit_of("site-a") + "/local/policy.toml";
  const std::string policy = ReadText(policy_file);
  // One that cannot be read changes nothing, and says so.
  WriteText(policy_file, policy + "[[allow\n");
  federation.Signal("site-a", SIGHUP);
  EXPECT_TRUE(Eventually([&] { return federation.LogOf("site-a").find("not_reloaded") != std::string::npos; }));
  EXPECT_THAT(federation.SiteTool("site-a", {"status"}).out, HasSubstr("Problem: "));
  for (const std::string& site : options.sites) {
    std::string automatic = policy;
    automatic.replace(automatic.find("\"person\""), 8, "\"automatic\"");
    WriteText(federation.kit_of(site) + "/local/policy.toml", automatic);
    federation.Signal(site, SIGHUP);
  }
  training.ExpectPublishedAndComplete();
}

TEST(Processes, RenewedCertificatesAreUsedAfterAReload) {
  TrainingFederation training(Installed());
  Federation& federation = training.federation;
  training.Begin();
  RootKeeper keeper(federation);
  const std::string serial = keeper.Renew(federation.kit_of(Federation::kCoordinator));
  federation.Signal(Federation::kCoordinator, SIGHUP);
  EXPECT_TRUE(Eventually([&] {
    BadPeer peer(federation.port(), FilesOf(federation.kits().first_operator));
    return peer.Handshake() && peer.PeerLeaf().facts().serial_hex == serial;
  })) << federation.LogOf(Federation::kCoordinator);
  const std::string before = federation.SiteView("site-a", {"status"}).value("certificate_ends", "");
  keeper.Renew(federation.kit_of("site-a"));
  federation.Signal("site-a", SIGHUP);
  EXPECT_TRUE(Eventually([&] {
    const std::string now = federation.SiteView("site-a", {"status"}).value("certificate_ends", "");
    return !now.empty() && now != before;
  })) << federation.LogOf("site-a");
  training.ExpectPublishedAndComplete();
}

// The service manager's end of sd_notify(3).
class NotifySocket {
 public:
  explicit NotifySocket(std::string path)
      : path_(std::move(path)), socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~NotifySocket() { close(socket_); }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  std::vector<std::string> Environment() const { return {"NOTIFY_SOCKET=" + path_, "WATCHDOG_USEC=400000"}; }
  // The kernel keeps a few messages, and drops what comes beyond them: makes room.
  void Drain() const {
    char message[4096];
    while (recv(socket_, message, sizeof message, MSG_DONTWAIT) >= 0) {
    }
  }
  // Until a message begins with `text`.
  bool Hears(const std::string& text) {
    return Eventually(
        [&] {
          pollfd descriptor{socket_, POLLIN, 0};
          while (poll(&descriptor, 1, 0) > 0) {
            char message[4096];
            const ssize_t size = recv(socket_, message, sizeof message, MSG_DONTWAIT);
            if (size < 0) return false;
            if (std::string(message, static_cast<std::size_t>(size)).rfind(text, 0) == 0) return true;
          }
          return false;
        },
        20.0);
  }

 private:
  std::string path_;
  int socket_;
};

TEST(Processes, TheServiceManagerHearsOfEveryStep) {
  TrainingFederation training(Installed(FederationOptions()));
  Federation& federation = training.federation;
  std::map<std::string, std::unique_ptr<NotifySocket>> sockets;
  for (const std::string& name : {std::string(Federation::kCoordinator), std::string("site-a")}) {
    sockets[name] = std::make_unique<NotifySocket>(federation.folder() + "/" + name + ".notify");
    federation.Start(name, {}, sockets[name]->Environment());
    EXPECT_TRUE(sockets[name]->Hears("READY=1")) << name << federation.LogOf(name);
  }
  EXPECT_TRUE(sockets["site-a"]->Hears("STATUS=connected to coordinator"));
  for (const auto& [name, socket] : sockets) {
    EXPECT_TRUE(socket->Hears("WATCHDOG=1")) << name;
    EXPECT_TRUE(socket->Hears("WATCHDOG=1")) << name;
    socket->Drain();
    federation.Signal(name, SIGHUP);
    EXPECT_TRUE(socket->Hears("RELOADING=1\nMONOTONIC_USEC=")) << name;
    EXPECT_TRUE(socket->Hears("READY=1")) << name;
  }
  training.Begin();
  training.ExpectPublishedAndComplete();
  for (const auto& [name, socket] : sockets) {
    socket->Drain();
    EXPECT_EQ(federation.Terminate(name), 0);
    EXPECT_TRUE(socket->Hears("STOPPING=1")) << name;
  }
}

TEST(Processes, AnIdleSiteIsSmallAndHasNoWorker) {
  Federation federation(Installed(FederationOptions()));
  federation.Start(Federation::kCoordinator);
  federation.Start("site-a");
  ASSERT_TRUE(Eventually([&] { return federation.SiteLine("site-a").value("state", "") == "connected"; }));
  EXPECT_TRUE(ChildrenOf(federation.ProcessId("site-a")).empty());
  const double site = ResidentMegabytes(federation.ProcessId("site-a"));
  const double coordinator = ResidentMegabytes(federation.ProcessId(Federation::kCoordinator));
  std::printf("resident: idle site %.1f MB, idle coordinator %.1f MB\n", site, coordinator);
  EXPECT_GT(site, 0.0);
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(site, 40.0);
#endif
}

}  // namespace
}  // namespace synod::testing
