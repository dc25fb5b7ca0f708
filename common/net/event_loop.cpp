#include "common/net/event_loop.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <vector>
#include <zmq.hpp>

namespace synod {
namespace {

// A wait never lasts longer: a clock that was set under us is noticed after this time at the latest.
constexpr double kLongestWaitSeconds = 10.0;

struct Watched {
  void* handle;    // nullptr: a descriptor
  int descriptor;  // -1: a ZeroMQ socket
  std::function<void()> ready;
};

struct Timer {
  std::function<double()> next;
  std::function<void()> due;
};

long WaitMilliseconds(double seconds) {
  if (!(seconds > 0.0)) return 0;
  return std::lround(std::ceil(1e3 * std::min(seconds, kLongestWaitSeconds)));
}

}  // namespace

struct EventLoop::State {
  explicit State(const Clock& clock_in) : clock(clock_in) {}
  ~State() {
    if (signal_fd < 0) return;
    close(signal_fd);
    pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  const Clock& clock;
  int signal_fd = -1;
  sigset_t mask_before{};
  // Shared, so that a callback may add or remove entries while it runs.
  std::vector<std::shared_ptr<Watched>> watched;
  std::vector<std::shared_ptr<Timer>> timers;
  std::function<void(int)> on_signal;
  bool running = false;

  double SecondsToNextTimer() const {
    double next = INFINITY;
    for (const auto& timer : timers) next = std::min(next, timer->next());
    return next - clock.MonotonicSeconds();
  }

  void ReadSignals() {
    signalfd_siginfo info{};
    while (read(signal_fd, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (on_signal) on_signal(static_cast<int>(info.ssi_signo));
    }
  }

  void CallDueTimers() {
    const auto now_timers = timers;
    for (const auto& timer : now_timers) {
      if (running && timer->next() <= clock.MonotonicSeconds()) timer->due();
    }
  }

  void CallReady(const std::vector<std::shared_ptr<Watched>>& polled, const std::vector<zmq_pollitem_t>& items) {
    for (std::size_t i = 0; i < polled.size(); ++i) {
      const bool still_watched = std::find(watched.begin(), watched.end(), polled[i]) != watched.end();
      if (running && still_watched && (items[i + 1].revents & ZMQ_POLLIN) != 0) polled[i]->ready();
    }
  }
};

EventLoop::EventLoop(std::unique_ptr<State> state) : state_(std::move(state)) {}
EventLoop::~EventLoop() = default;

Result<std::unique_ptr<EventLoop>> EventLoop::Create(const Clock& clock, std::initializer_list<int> signals) {
  auto state = std::make_unique<State>(clock);
  sigset_t mask;
  sigemptyset(&mask);
  for (const int signal : signals) sigaddset(&mask, signal);
  sigset_t before;
  if (pthread_sigmask(SIG_BLOCK, &mask, &before) != 0) return Failed("cannot block signals");
  state->signal_fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
  if (state->signal_fd < 0) {
    const int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return Failed(std::string("cannot watch signals: ") + std::strerror(error));
  }
  state->mask_before = before;
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(state)));
}

void EventLoop::Watch(void* zmq_handle, std::function<void()> ready) {
  Unwatch(zmq_handle);
  state_->watched.push_back(std::make_shared<Watched>(Watched{zmq_handle, -1, std::move(ready)}));
}

void EventLoop::Watch(int descriptor, std::function<void()> ready) {
  Unwatch(descriptor);
  state_->watched.push_back(std::make_shared<Watched>(Watched{nullptr, descriptor, std::move(ready)}));
}

void EventLoop::Unwatch(void* zmq_handle) {
  std::erase_if(state_->watched, [&](const auto& watched) { return watched->handle == zmq_handle; });
}

void EventLoop::Unwatch(int descriptor) {
  std::erase_if(state_->watched,
                [&](const auto& watched) { return watched->handle == nullptr && watched->descriptor == descriptor; });
}

void EventLoop::AddTimer(std::function<double()> next, std::function<void()> due) {
  state_->timers.push_back(std::make_shared<Timer>(Timer{std::move(next), std::move(due)}));
}

void EventLoop::OnSignal(std::function<void(int)> handler) {
  state_->on_signal = std::move(handler);
}

Status EventLoop::Run() {
  state_->running = true;
  while (state_->running) {
    const auto polled = state_->watched;
    std::vector<zmq_pollitem_t> items = {{nullptr, state_->signal_fd, ZMQ_POLLIN, 0}};
    for (const auto& watched : polled) items.push_back({watched->handle, watched->descriptor, ZMQ_POLLIN, 0});
    const long wait = WaitMilliseconds(state_->SecondsToNextTimer());
    if (zmq_poll(items.data(), static_cast<int>(items.size()), wait) < 0) {
      if (zmq_errno() == EINTR) continue;
      return Failed(std::string("waiting for events: ") + zmq_strerror(zmq_errno()));
    }
    if ((items[0].revents & ZMQ_POLLIN) != 0) state_->ReadSignals();
    state_->CallReady(polled, items);
    state_->CallDueTimers();
  }
  return {};
}

void EventLoop::Stop() {
  state_->running = false;
}

}  // namespace synod
