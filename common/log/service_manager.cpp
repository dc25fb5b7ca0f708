#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <limits>

#include "common/log/event_log.h"

namespace synod {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Nothing where the text is no number.
std::uint64_t NumberOr(const std::string& text, std::uint64_t other) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? number : other;
}

std::uint64_t MonotonicMicroseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

}  // namespace

ServiceManager ServiceManager::FromEnvironment() {
  ServiceManager manager;
  manager.socket_ = Environment("NOTIFY_SOCKET");
  manager.watchdog_seconds_ = std::numeric_limits<double>::infinity();
  const std::uint64_t microseconds = NumberOr(Environment("WATCHDOG_USEC"), 0);
  const std::uint64_t process = NumberOr(Environment("WATCHDOG_PID"), static_cast<std::uint64_t>(getpid()));
  if (!manager.socket_.empty() && microseconds > 0 && process == static_cast<std::uint64_t>(getpid())) {
    manager.watchdog_seconds_ = static_cast<double>(microseconds) * 1e-6 / 2.0;
  }
  return manager;
}

void ServiceManager::Ready() const {
  Notify("READY=1");
}
void ServiceManager::Reloading() const {
  Notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", MonotonicMicroseconds()));
}
void ServiceManager::Stopping() const {
  Notify("STOPPING=1");
}
void ServiceManager::Watchdog() const {
  Notify("WATCHDOG=1");
}
void ServiceManager::StatusText(std::string_view text) const {
  Notify(fmt::format("STATUS={}", text.substr(0, text.find('\n'))));
}

// The protocol of sd_notify(3): one datagram to the socket; a leading @ means the abstract name space.
void ServiceManager::Notify(std::string_view text) const {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof(address.sun_path)) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  // A service manager that is gone or busy is no reason to fail.
  if (sendto(descriptor, text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length) <
      0) {
    errno = 0;
  }
  close(descriptor);
}

}  // namespace synod
