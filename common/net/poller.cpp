#include "common/net/poller.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace synod {
namespace {

constexpr int kReadyAtOnce = 128;

epoll_event EventOf(std::uint64_t key, Poller::Interest interest) {
  epoll_event event{};
  if (interest.read) event.events |= EPOLLIN;
  if (interest.write) event.events |= EPOLLOUT;
  event.data.u64 = key;
  return event;
}

Error PollerError(const std::string& what) {
  return Failed(what + ": " + std::strerror(errno));
}

}  // namespace

Result<Poller> Poller::Create() {
  Poller poller(epoll_create1(EPOLL_CLOEXEC));
  if (poller.descriptor_.number() < 0) return PollerError("cannot watch sockets");
  return poller;
}

Status Poller::Add(int descriptor, std::uint64_t key, Interest interest) {
  epoll_event event = EventOf(key, interest);
  if (epoll_ctl(descriptor_.number(), EPOLL_CTL_ADD, descriptor, &event) != 0) return PollerError("cannot watch a socket");
  return {};
}

void Poller::Change(int descriptor, std::uint64_t key, Interest interest) {
  epoll_event event = EventOf(key, interest);
  SYNOD_CHECK(epoll_ctl(descriptor_.number(), EPOLL_CTL_MOD, descriptor, &event) == 0, "the descriptor is watched");
}

std::vector<Poller::Ready> Poller::TakeReady() {
  std::array<epoll_event, kReadyAtOnce> events;
  const int count = epoll_wait(descriptor_.number(), events.data(), kReadyAtOnce, 0);
  std::vector<Ready> ready;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    // Reading tells how a connection ended.
    ready.push_back(
        {event.data.u64, (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0, (event.events & EPOLLOUT) != 0});
  }
  return ready;
}

}  // namespace synod
