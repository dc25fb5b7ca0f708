// One end of the local pair between a daemon and its worker: messages of two parts over ZeroMQ, never blocking,
// bounded. Threads: one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/core/result.h"
#include "models/worker/worker_messages.h"

namespace synod {

class PairSocket {
 public:
  // `zmq_context`: a zmq::context_t's handle, which must outlive the socket.
  static Result<std::unique_ptr<PairSocket>> Bind(void* zmq_context, const std::string& path);
  // Waits until the other end is there, at most kConnectSeconds; it must be bound already.
  static constexpr double kConnectSeconds = 10.0;
  static Result<std::unique_ptr<PairSocket>> Connect(void* zmq_context, const std::string& path);
  ~PairSocket();

  void* handle() const;
  // Waits until there is something to receive. False: the other end is gone (known to a connected end alone: a PAIR
  // socket itself keeps silent about its peer).
  bool AwaitMessage();
  // Fails where nobody is connected.
  Status Send(WorkerParts parts);
  // A message if there is one; one of another form is BadInput.
  Result<std::optional<WorkerParts>> Receive();

 private:
  struct State;
  explicit PairSocket(std::unique_ptr<State> state);
  static Result<std::unique_ptr<PairSocket>> Open(void* zmq_context, const std::string& path);
  std::unique_ptr<State> state_;
};

}  // namespace synod
