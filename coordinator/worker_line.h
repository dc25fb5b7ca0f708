// A worker process on an event loop: started when there is something to do, started again after it ended, with a
// growing pause. What was asked of a worker that ended is lost; its owner hears of it and asks again.
// Threads: one.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "common/core/clock.h"
#include "common/net/event_loop.h"
#include "models/worker/worker_process.h"

namespace synod {

class WorkerLine {
 public:
  static constexpr double kFirstPauseSeconds = 0.2;
  static constexpr double kMaxPauseSeconds = 10.0;

  struct Ports {
    void* zmq_context;
    EventLoop& loop;
    const Clock& clock;
    std::function<void(WorkerReply)> on_reply;
    // The worker ended without being told to, could not be started, or said something that cannot be read.
    std::function<void(const Error&)> on_lost;
  };

  WorkerLine(WorkerProcess::Settings settings, Ports ports);
  ~WorkerLine();
  WorkerLine(const WorkerLine&) = delete;
  WorkerLine& operator=(const WorkerLine&) = delete;

  // Starts the worker where it does not run; waits where a pause is on.
  void Send(WorkerRequest request);
  // Ends the worker at once, on purpose: nobody is told, and there is no pause before the next one.
  void Kill();
  bool running() const { return process_ != nullptr; }
  std::int64_t process_id() const { return process_ == nullptr ? 0 : process_->process_id(); }
  // Called some times a second: starts what waits, notices an end.
  void Tick();

 private:
  void Flush();
  void OnReadable();
  void Drop();
  void Lose(const Error& error);

  WorkerProcess::Settings settings_;
  Ports ports_;
  std::unique_ptr<WorkerProcess> process_;
  std::deque<WorkerRequest> waiting_;
  double pause_seconds_ = 0.0;
  double not_before_ = 0.0;
};

}  // namespace synod
