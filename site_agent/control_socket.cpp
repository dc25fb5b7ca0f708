#include "site_agent/control_socket.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include <cstring>
#include <vector>

#include "site_agent/site_commands.h"

namespace synod {
namespace {

Status CheckPathLength(const std::string& path) {
  if (path.size() < sizeof(sockaddr_un::sun_path)) return {};
  return BadInput(fmt::format("the path {} is longer than a local socket's may be ({} bytes)", path,
                              sizeof(sockaddr_un::sun_path) - 1),
                  "move the kit to a shorter path");
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A new file is for its owner alone while this lives.
class PrivateFiles {
 public:
  PrivateFiles() : before_(umask(0177)) {}
  ~PrivateFiles() { umask(before_); }
  PrivateFiles(const PrivateFiles&) = delete;
  PrivateFiles& operator=(const PrivateFiles&) = delete;

 private:
  mode_t before_;
};

// Closes a socket, or a context, at the end of a block.
struct Socket {
  explicit Socket(void* handle_in) : handle(handle_in) {}
  ~Socket() {
    if (handle != nullptr) zmq_close(handle);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  void* handle;
};

struct Context {
  Context() : handle(zmq_ctx_new()) {}
  ~Context() { zmq_ctx_term(handle); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  void* handle;
};

void SetOption(void* socket, int option, int value) {
  zmq_setsockopt(socket, option, &value, sizeof value);
}

// All parts of the next message; nothing where there is none (before a timeout that the socket has).
std::vector<std::string> ReceiveParts(void* socket, int flags) {
  std::vector<std::string> parts;
  for (int more = 1; more != 0;) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, socket, flags) < 0) {
      zmq_msg_close(&message);
      return {};
    }
    parts.emplace_back(static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message));
    more = zmq_msg_more(&message);
    zmq_msg_close(&message);
  }
  return parts;
}

void SendParts(void* socket, const std::vector<std::string>& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const int flags = ZMQ_DONTWAIT | (i + 1 < parts.size() ? ZMQ_SNDMORE : 0);
    if (zmq_send(socket, parts[i].data(), parts[i].size(), flags) < 0) return;  // who asked is gone
  }
}

Error SocketError(const std::string& path, std::string_view what) {
  return {ErrorCode::kConnection, fmt::format("{}: {}: {}", path, what, zmq_strerror(zmq_errno())), ""};
}

}  // namespace

std::string ControlSocketPath(const std::string& kit) {
  return kit + "/state/control.sock";
}

struct ControlServer::State {
  State(void* handle, std::string path_in, Handler handler_in)
      : socket(handle), path(std::move(path_in)), handler(std::move(handler_in)) {}
  Socket socket;
  std::string path;
  Handler handler;
};

ControlServer::ControlServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

ControlServer::~ControlServer() {
  unlink(state_->path.c_str());
}

Result<std::unique_ptr<ControlServer>> ControlServer::Listen(void* zmq_context, const std::string& kit,
                                                             Handler handler) {
  const std::string path = ControlSocketPath(kit);
  SYNOD_RETURN_IF_ERROR(CheckPathLength(path));
  if (DaemonListens(kit)) return Failed(fmt::format("another daemon of this kit listens on {}", path));
  unlink(path.c_str());
  auto state = std::make_unique<State>(zmq_socket(zmq_context, ZMQ_ROUTER), path, std::move(handler));
  if (state->socket.handle == nullptr) return SocketError(path, "cannot make the control socket");
  SetOption(state->socket.handle, ZMQ_LINGER, 0);
  const std::int64_t most = kMaxControlRequestBytes;
  zmq_setsockopt(state->socket.handle, ZMQ_MAXMSGSIZE, &most, sizeof most);
  const PrivateFiles private_files;
  if (zmq_bind(state->socket.handle, ("ipc://" + path).c_str()) != 0) return SocketError(path, "cannot listen");
  chmod(path.c_str(), 0600);
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(state)));
}

void* ControlServer::zmq_handle() const {
  return state_->socket.handle;
}

void ControlServer::Advance() {
  // Identity, an empty part, the request: what a REQ socket sends. Anything else is not answered.
  constexpr int kMostAtOnce = 16;
  for (int i = 0; i < kMostAtOnce; ++i) {
    const std::vector<std::string> parts = ReceiveParts(state_->socket.handle, ZMQ_DONTWAIT);
    if (parts.empty()) return;
    if (parts.size() != 3 || !parts[1].empty()) continue;
    const Result<Json> request = ParseJson(parts[2], kMaxControlRequestBytes, 8);
    const Json reply = request.ok() ? state_->handler(*request) : WrapReply(request.error());
    SendParts(state_->socket.handle, {parts[0], "", Dump(reply)});
  }
}

bool DaemonListens(const std::string& kit) {
  const std::string path = ControlSocketPath(kit);
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return false;
  const bool listens = connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(descriptor);
  return listens;
}

Result<Json> AskDaemon(const std::string& kit, const Json& request) {
  const std::string path = ControlSocketPath(kit);
  SYNOD_RETURN_IF_ERROR(CheckPathLength(path));
  const Context context;
  const Socket socket(zmq_socket(context.handle, ZMQ_REQ));
  if (socket.handle == nullptr) return SocketError(path, "cannot make a socket");
  SetOption(socket.handle, ZMQ_LINGER, 0);
  SetOption(socket.handle, ZMQ_RCVTIMEO, kControlReplySeconds * 1000);
  if (zmq_connect(socket.handle, ("ipc://" + path).c_str()) != 0) return SocketError(path, "cannot connect");
  SendParts(socket.handle, {Dump(request)});
  const std::vector<std::string> parts = ReceiveParts(socket.handle, 0);
  if (parts.size() != 1) {
    return Error{ErrorCode::kTimeout,
                 fmt::format("the site's daemon did not answer within {} seconds", kControlReplySeconds), ""};
  }
  SYNOD_ASSIGN_OR_RETURN(const Json envelope, ParseJson(parts[0], kMaxControlReplyBytes));
  return UnwrapReply(envelope);
}

}  // namespace synod
