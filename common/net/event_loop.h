// The one loop of a daemon: waits for ZeroMQ sockets, descriptors, signals and the next timer, and calls back. Nothing
// that is called may block. Signals come through a signalfd, never through a handler that runs in the middle of
// something. A program that starts children unblocks the signals in them: the mask is inherited. Threads: one.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "common/core/clock.h"
#include "common/core/result.h"

namespace synod {

class EventLoop {
 public:
  // Blocks `signals` for the whole process (before any thread starts) and watches them.
  // Destruction gives the mask back.
  static Result<std::unique_ptr<EventLoop>> Create(const Clock& clock, std::initializer_list<int> signals);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Calls `ready` when the ZeroMQ socket or the descriptor can be read. Watch and Unwatch may be called from callbacks.
  void Watch(void* zmq_handle, std::function<void()> ready);
  void Watch(int descriptor, std::function<void()> ready);
  void Unwatch(void* zmq_handle);
  void Unwatch(int descriptor);
  // Asked before every wait: MonotonicSeconds by which `due` must be called; infinity for never. Timers stay until the
  // loop is destroyed.
  void AddTimer(std::function<double()> next, std::function<void()> due);
  void OnSignal(std::function<void(int signal)> handler);

  // Until Stop is called from a callback.
  Status Run();
  void Stop();

 private:
  struct State;
  explicit EventLoop(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace synod
