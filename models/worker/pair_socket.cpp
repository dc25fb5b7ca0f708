#include "models/worker/pair_socket.h"

#include <fmt/format.h>
#include <sys/un.h>
#include <zmq.h>

#include <cstring>

namespace synod {
namespace {

// The end of a Unix socket's name that the system's structure holds, its zero included.
constexpr std::size_t kMaxPathBytes = sizeof(sockaddr_un::sun_path) - 1;

struct Message {
  Message() { zmq_msg_init(&message); }
  ~Message() { zmq_msg_close(&message); }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ByteView bytes() { return {static_cast<const std::uint8_t*>(zmq_msg_data(&message)), zmq_msg_size(&message)}; }
  zmq_msg_t message{};
};

Error Broken(const std::string& path, std::string_view what) {
  return Failed(fmt::format("the worker's socket {}: {}: {}", path, what, zmq_strerror(zmq_errno())));
}

constexpr char kEvents[] = "inproc://synod.pair.events";
constexpr int kWatched = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED;
constexpr long kForever = -1;

// The next event of a watched connection; 0 if there is none.
int NextEvent(void* events) {
  Message what;
  Message where;
  if (events == nullptr || zmq_msg_recv(&what.message, events, ZMQ_DONTWAIT) < 0) return 0;
  zmq_msg_recv(&where.message, events, ZMQ_DONTWAIT);
  std::uint16_t event = 0;  // then the event's value and, as a part of its own, the address
  std::memcpy(&event, what.bytes().data(), sizeof event);
  return event;
}

void FreeBytes(void*, void* bytes) {
  delete static_cast<Bytes*>(bytes);
}

}  // namespace

struct PairSocket::State {
  void* socket = nullptr;
  void* events = nullptr;  // what happens to the connection; of a connected end
  std::string path;
  ~State() {
    if (events != nullptr) {
      zmq_socket_monitor(socket, nullptr, 0);
      zmq_close(events);
    }
    if (socket != nullptr) zmq_close(socket);
  }
};

PairSocket::PairSocket(std::unique_ptr<State> state) : state_(std::move(state)) {}
PairSocket::~PairSocket() = default;

Result<std::unique_ptr<PairSocket>> PairSocket::Open(void* zmq_context, const std::string& path) {
  if (path.empty() || path.size() > kMaxPathBytes) {
    return BadInput(
        fmt::format("the path of the worker's socket has {} bytes; 1 to {} work", path.size(), kMaxPathBytes),
        "move the folder to a shorter path");
  }
  auto state = std::make_unique<State>();
  state->path = path;
  state->socket = zmq_socket(zmq_context, ZMQ_PAIR);
  if (state->socket == nullptr) return Broken(path, "cannot be made");
  const int no_limit = 0;  // what waits is bounded by the exchange: a daemon asks, its worker replies
  const int no_linger = 0;
  const int never = -1;
  const auto largest = static_cast<std::int64_t>(kMaxWorkerPayloadBytes);
  const bool set = zmq_setsockopt(state->socket, ZMQ_SNDHWM, &no_limit, sizeof no_limit) == 0 &&
                   zmq_setsockopt(state->socket, ZMQ_RCVHWM, &no_limit, sizeof no_limit) == 0 &&
                   zmq_setsockopt(state->socket, ZMQ_LINGER, &no_linger, sizeof no_linger) == 0 &&
                   zmq_setsockopt(state->socket, ZMQ_RECONNECT_IVL, &never, sizeof never) == 0 &&
                   zmq_setsockopt(state->socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest) == 0;
  if (!set) return Broken(path, "cannot be set up");
  return std::unique_ptr<PairSocket>(new PairSocket(std::move(state)));
}

Result<std::unique_ptr<PairSocket>> PairSocket::Bind(void* zmq_context, const std::string& path) {
  SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<PairSocket> pair, Open(zmq_context, path));
  if (zmq_bind(pair->handle(), ("ipc://" + path).c_str()) != 0) return Broken(path, "cannot listen");
  return pair;
}

Result<std::unique_ptr<PairSocket>> PairSocket::Connect(void* zmq_context, const std::string& path) {
  SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<PairSocket> pair, Open(zmq_context, path));
  State& state = *pair->state_;
  state.events = zmq_socket(zmq_context, ZMQ_PAIR);
  // Watched before it connects: no event is missed.
  const bool watched = state.events != nullptr && zmq_socket_monitor(state.socket, kEvents, kWatched) == 0 &&
                       zmq_connect(state.events, kEvents) == 0;
  if (!watched) return Broken(path, "cannot be watched");
  if (zmq_connect(state.socket, ("ipc://" + path).c_str()) != 0) return Broken(path, "cannot connect");
  zmq_pollitem_t item{state.events, 0, ZMQ_POLLIN, 0};
  zmq_poll(&item, 1, static_cast<long>(1000 * kConnectSeconds));
  if (NextEvent(state.events) != ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
    return Error{ErrorCode::kConnection, fmt::format("nobody listens at the worker's socket {}", path), ""};
  }
  return pair;
}

void* PairSocket::handle() const {
  return state_->socket;
}

bool PairSocket::AwaitMessage() {
  zmq_pollitem_t items[] = {{state_->socket, 0, ZMQ_POLLIN, 0}, {state_->events, 0, ZMQ_POLLIN, 0}};
  zmq_poll(items, state_->events == nullptr ? 1 : 2, kForever);
  // What was sent before the end is still read.
  return (items[0].revents & ZMQ_POLLIN) != 0 || NextEvent(state_->events) == 0;
}

Status PairSocket::Send(WorkerParts parts) {
  if (zmq_send(state_->socket, parts.header.data(), parts.header.size(), ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0) {
    return Broken(state_->path, "cannot send");
  }
  Message payload;
  auto bytes = std::make_unique<Bytes>(std::move(parts.payload));
  // The bytes move into the message: a payload may be as large as a model.
  if (zmq_msg_init_data(&payload.message, bytes->data(), bytes->size(), &FreeBytes, bytes.get()) != 0) {
    return Broken(state_->path, "cannot send");
  }
  static_cast<void>(bytes.release());
  if (zmq_msg_send(&payload.message, state_->socket, ZMQ_DONTWAIT) < 0) return Broken(state_->path, "cannot send");
  return {};
}

Result<std::optional<WorkerParts>> PairSocket::Receive() {
  Message header;
  if (zmq_msg_recv(&header.message, state_->socket, ZMQ_DONTWAIT) < 0) {
    if (zmq_errno() == EAGAIN || zmq_errno() == EINTR) return std::optional<WorkerParts>();
    return Broken(state_->path, "cannot receive");
  }
  if (zmq_msg_more(&header.message) == 0) return BadInput("a worker's message has one part");
  Message payload;
  // All parts of a message come together.
  if (zmq_msg_recv(&payload.message, state_->socket, ZMQ_DONTWAIT) < 0) return Broken(state_->path, "cannot receive");
  const bool two_parts = zmq_msg_more(&payload.message) == 0;
  const ByteView bytes = payload.bytes();
  WorkerParts parts{std::string(AsText(header.bytes())), Bytes(bytes.begin(), bytes.end())};
  while (zmq_msg_more(&payload.message) != 0) {
    if (zmq_msg_recv(&payload.message, state_->socket, ZMQ_DONTWAIT) < 0) return Broken(state_->path, "cannot receive");
  }
  if (!two_parts) return BadInput("a worker's message has more than two parts");
  return std::optional<WorkerParts>(std::move(parts));
}

}  // namespace synod
