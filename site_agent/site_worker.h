// The worker process on the daemon's loop: started at the first request, its replies and its end reported to the agent.
// Threads: one.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/net/event_loop.h"
#include "models/worker/worker_process.h"
#include "site_agent/compute_queue.h"

namespace synod {

class SiteWorker final : public WorkerPort {
 public:
  // Kept alive by the owner, longer than this.
  struct Ports {
    void* zmq_context;
    EventLoop& loop;
    std::function<void(WorkerReply)> on_reply;
    std::function<void(const Error&)> on_lost;
  };

  SiteWorker(WorkerProcess::Settings settings, Ports ports);
  ~SiteWorker() override;

  // Blocks until a new process runs (some milliseconds).
  Status Send(const WorkerRequest& request) override;
  void End() override;

  // Reads replies, notices an end: on SIGCHLD and now and then.
  void Look();
  std::int64_t process_id() const { return process_ == nullptr ? 0 : process_->process_id(); }

 private:
  void Lose(const Error& error);

  WorkerProcess::Settings settings_;
  Ports ports_;
  std::unique_ptr<WorkerProcess> process_;
};

}  // namespace synod
