#include "models/worker/worker_main.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "models/module/compute_module.h"
#include "models/worker/pair_socket.h"
#include "models/worker/worker.h"
#include "models/worker/worker_greeting.h"

namespace synod {
namespace {

// The daemon's end is the worker's: it holds records. No core file holds them either.
void TieToParent() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

int Complain(const Error& error) {
  fmt::print(stderr, "synod-worker: {}\n", error.message);
  return static_cast<int>(error.code);
}

unsigned ThreadsOf(unsigned wanted) {
  return wanted > 0 ? wanted : std::max(1U, std::thread::hardware_concurrency());
}

// One request to its end, with the points where a test may end the process.
WorkerReply Serve(Worker& worker, const WorkerParts& parts) {
  const Result<WorkerRequest> request = DecodeRequest(parts.header, parts.payload);
  return request.ok() ? worker.Handle(*request) : WorkerReply(FailedReply{request.error()});
}

Status Reply(PairSocket& pair, const WorkerReply& reply, FailPoints& fail_points) {
  const bool answer = std::holds_alternative<AnswerReply>(reply);
  const bool trained = std::holds_alternative<TrainReply>(reply);
  if (answer) fail_points.At(FailPoint::kWorkerBeforeAnswer);
  if (trained) fail_points.At(FailPoint::kWorkerBeforeTrained);
  SYNOD_RETURN_IF_ERROR(pair.Send(EncodeReply(reply)));
  if (answer) fail_points.At(FailPoint::kWorkerAfterAnswer);
  if (trained) fail_points.At(FailPoint::kWorkerAfterTrained);
  return {};
}

// Until the daemon closes the pair or ends.
Status Loop(PairSocket& pair, Worker& worker, FailPoints& fail_points) {
  while (pair.AwaitMessage()) {
    SYNOD_ASSIGN_OR_RETURN(const std::optional<WorkerParts> parts, pair.Receive());
    if (parts) SYNOD_RETURN_IF_ERROR(Reply(pair, Serve(worker, *parts), fail_points));
  }
  return {};
}

Status Run(void* context, const WorkerSettings& settings, SecretStreams& streams, FailPoints& fail_points) {
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<PairSocket> pair, PairSocket::Connect(context, settings.socket_path));
  SYNOD_RETURN_IF_ERROR(pair->Send({WorkerGreeting(getpid()), {}}));
  const ComputeSettings compute{ThreadsOf(settings.threads), settings.device};
  Worker worker(streams, compute.threads, [compute] { return LoadComputeModule(compute); });
  return Loop(*pair, worker, fail_points);
}

}  // namespace

int RunWorker(const WorkerSettings& settings, SecretStreams& streams, FailPoints& fail_points) {
  TieToParent();
  void* context = zmq_ctx_new();
  const Status status = Run(context, settings, streams, fail_points);
  zmq_ctx_term(context);
  return status.ok() ? 0 : Complain(status.error());
}

}  // namespace synod
