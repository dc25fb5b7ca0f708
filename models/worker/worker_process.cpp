#include "models/worker/worker_process.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <chrono>

#include "common/core/child_process.h"
#include "models/worker/pair_socket.h"
#include "models/worker/worker_greeting.h"

namespace synod {
namespace {

constexpr long kPollMilliseconds = 20;
constexpr int kFirstSignalCode = 128;

// Who may enter the folder of the socket may talk to the worker.
Status CheckFolder(const std::string& socket_path) {
  const std::size_t slash = socket_path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : socket_path.substr(0, slash);
  struct stat found {};
  if (stat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) {
    return BadInput(fmt::format("there is no folder {} for the worker's socket", folder));
  }
  if (found.st_uid != geteuid() || (found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return BadInput(fmt::format("others may enter the folder {} of the worker's socket", folder),
                    fmt::format("chmod 700 {}", folder));
  }
  return {};
}

std::string EndText(const ChildProcess& child) {
  const int code = child.exit_code().value_or(0);
  return code > kFirstSignalCode ? fmt::format("the worker was ended by signal {}", code - kFirstSignalCode)
                                 : fmt::format("the worker ended with exit code {}", code);
}

// The worker's first message, or why there is none.
Status AwaitGreeting(PairSocket& pair, ChildProcess& child) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(WorkerProcess::kStartSeconds);
  while (std::chrono::steady_clock::now() < end) {
    zmq_pollitem_t item{pair.handle(), 0, ZMQ_POLLIN, 0};
    zmq_poll(&item, 1, kPollMilliseconds);
    SYNOD_ASSIGN_OR_RETURN(const std::optional<WorkerParts> parts, pair.Receive());
    if (parts) return CheckWorkerGreeting(parts->header, child.process_id());
    if (!child.Running()) return Failed(EndText(child) + " before it was ready");
  }
  return Failed(fmt::format("the worker was not ready within {} s", WorkerProcess::kStartSeconds));
}

}  // namespace

struct WorkerProcess::State {
  ChildProcess child;
  std::unique_ptr<PairSocket> pair;
  std::string socket_path;
  std::size_t waiting = 0;
};

WorkerProcess::WorkerProcess(std::unique_ptr<State> state) : state_(std::move(state)) {}

WorkerProcess::~WorkerProcess() {
  Kill();
}

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(void* zmq_context, Settings settings) {
  SYNOD_RETURN_IF_ERROR(CheckFolder(settings.socket_path));
  SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<PairSocket> pair, PairSocket::Bind(zmq_context, settings.socket_path));
  ChildProcess::Settings child_settings;
  child_settings.program = settings.program;
  child_settings.arguments = {"--socket", settings.socket_path, "--threads", fmt::format("{}", settings.threads),
                              "--device", settings.device};
  child_settings.arguments.insert(child_settings.arguments.end(), settings.extra_arguments.begin(),
                                  settings.extra_arguments.end());
  // Threads of OpenMP that wait must sleep: the processes of one machine slow each other down otherwise.
  child_settings.environment = {"OMP_WAIT_POLICY=passive"};
  SYNOD_ASSIGN_OR_RETURN(ChildProcess child, ChildProcess::Start(child_settings));
  const Status greeted = AwaitGreeting(*pair, child);
  auto state = std::make_unique<State>(State{std::move(child), std::move(pair), settings.socket_path});
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess(std::move(state)));
  if (!greeted.ok()) return greeted.error();
  return worker;
}

void* WorkerProcess::zmq_handle() const {
  return state_->pair->handle();
}

Status WorkerProcess::Send(const WorkerRequest& request) {
  if (!Running()) return Failed(EndText(state_->child));
  SYNOD_RETURN_IF_ERROR(state_->pair->Send(EncodeRequest(request)));
  ++state_->waiting;
  return {};
}

Result<std::optional<WorkerReply>> WorkerProcess::Receive() {
  // Asked before the socket is: what the child said before its end is there then.
  const bool running = Running();
  SYNOD_ASSIGN_OR_RETURN(const std::optional<WorkerParts> parts, state_->pair->Receive());
  if (!parts) {
    if (!running) return Failed(EndText(state_->child));
    return std::optional<WorkerReply>();
  }
  if (state_->waiting == 0) return Failed("the worker replied without being asked");
  --state_->waiting;
  SYNOD_ASSIGN_OR_RETURN(WorkerReply reply, DecodeReply(parts->header, parts->payload));
  return std::optional<WorkerReply>(std::move(reply));
}

bool WorkerProcess::Running() {
  return state_->child.Running();
}

void WorkerProcess::Kill() {
  state_->child.Kill();
  state_->waiting = 0;
  unlink(state_->socket_path.c_str());
}

std::int64_t WorkerProcess::process_id() const {
  return state_->child.process_id();
}

std::size_t WorkerProcess::waiting() const {
  return state_->waiting;
}

std::string WorkerProgramBesideThis() {
  constexpr std::size_t kMaxPathBytes = 4096;
  std::string path(kMaxPathBytes, '\0');
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  path.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return path.substr(0, path.rfind('/') + 1) + "synod-worker";
}

}  // namespace synod
