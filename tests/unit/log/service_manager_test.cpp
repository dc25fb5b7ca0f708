#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "common/log/event_log.h"
#include "tests/support/shared_data.h"

namespace synod {
namespace {

// What systemd would receive.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& path) : descriptor_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';
    unlink(path.c_str());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    bound_ = bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), length) == 0;
  }
  ~NotifySocket() { close(descriptor_); }
  bool bound() const { return bound_; }
  std::string Next() const {
    char buffer[256];
    const ssize_t size = recv(descriptor_, buffer, sizeof(buffer), 0);
    return size < 0 ? "" : std::string(buffer, static_cast<std::size_t>(size));
  }

 private:
  int descriptor_;
  bool bound_ = false;
};

class ServiceManagerTest : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }
};

TEST_F(ServiceManagerTest, SaysReadyReloadingStoppingAndStatus) {
  const std::string path = testing::TemporaryFolder() + "/notify";
  const NotifySocket socket(path);
  ASSERT_TRUE(socket.bound());
  setenv("NOTIFY_SOCKET", path.c_str(), 1);
  const ServiceManager manager = ServiceManager::FromEnvironment();
  manager.Ready();
  EXPECT_EQ(socket.Next(), "READY=1");
  manager.Reloading();
  EXPECT_EQ(socket.Next().rfind("RELOADING=1\nMONOTONIC_USEC=", 0), 0u);
  manager.StatusText("one line\nREADY=1");
  EXPECT_EQ(socket.Next(), "STATUS=one line");
  manager.Stopping();
  EXPECT_EQ(socket.Next(), "STOPPING=1");
}

TEST_F(ServiceManagerTest, FindsASocketOfTheAbstractNameSpace) {
  const std::string path = "@synod-notify-test-" + std::to_string(getpid());
  const NotifySocket socket(path);
  ASSERT_TRUE(socket.bound());
  setenv("NOTIFY_SOCKET", path.c_str(), 1);
  ServiceManager::FromEnvironment().Watchdog();
  EXPECT_EQ(socket.Next(), "WATCHDOG=1");
}

TEST_F(ServiceManagerTest, WithoutASocketNothingHappens) {
  const ServiceManager manager = ServiceManager::FromEnvironment();
  manager.Ready();
  EXPECT_TRUE(std::isinf(manager.watchdog_seconds()));
}

TEST_F(ServiceManagerTest, SendsWatchdogMessagesTwiceAsOftenAsAskedFor) {
  setenv("NOTIFY_SOCKET", "/nowhere", 1);
  setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_DOUBLE_EQ(ServiceManager::FromEnvironment().watchdog_seconds(), 15.0);
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_TRUE(std::isinf(ServiceManager::FromEnvironment().watchdog_seconds())) << "meant for another process";
  unsetenv("WATCHDOG_PID");
  setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_TRUE(std::isinf(ServiceManager::FromEnvironment().watchdog_seconds()));
}

TEST_F(ServiceManagerTest, ASocketThatIsGoneIsNoFailure) {
  setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
  ServiceManager::FromEnvironment().Ready();
}

}  // namespace
}  // namespace synod
