// A worker as its daemon sees it: a child process on the other end of a local pair. Started with posix_spawn (never
// fork: LibTorch's threads would hang), OMP_WAIT_POLICY=passive, without any inherited descriptor but its standard
// error.
//
// Nothing blocks but Start (until the child runs and has said its version, kStartSeconds at most) and Kill (until it is
// reaped). Threads: one, and it must outlive the child: Linux ends a worker with the thread that started it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/core/result.h"
#include "models/worker/worker_messages.h"

namespace synod {

class WorkerProcess {
 public:
  static constexpr double kStartSeconds = 30.0;

  struct Settings {
    std::string program;      // path of synod-worker
    std::string socket_path;  // of the pair, in a folder of mode 0700
    unsigned threads = 0;     // of LibTorch and noise; 0: all cores
    std::string device = "auto";
    std::vector<std::string> extra_arguments;  // for the tests' own worker
  };

  // `zmq_context`: a zmq::context_t's handle. BadInput where others may enter the folder of the socket.
  static Result<std::unique_ptr<WorkerProcess>> Start(void* zmq_context, Settings settings);
  ~WorkerProcess();  // kills

  // Poll for reading. The end of the child does not wake it up: ask Running() on SIGCHLD, or now and then.
  void* zmq_handle() const;
  // Queues a request; replies come in order.
  Status Send(const WorkerRequest& request);
  // One reply if there is one. A malformed one is an error, and so is the end of the child: what it had said before is
  // given first.
  Result<std::optional<WorkerReply>> Receive();
  bool Running();  // reaps a child that ended
  void Kill();     // SIGKILL
  std::int64_t process_id() const;
  std::size_t waiting() const;  // requests without their reply

 private:
  struct State;
  explicit WorkerProcess(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The program next to this one: DIR/synod-worker for DIR/synod-site.
std::string WorkerProgramBesideThis();

}  // namespace synod
