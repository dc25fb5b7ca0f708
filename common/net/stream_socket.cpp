#include "common/net/stream_socket.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstring>
#include <utility>
#include <zmq.hpp>

#include "common/wire/limits.h"

namespace synod {
namespace {

// ZeroMQ must not reconnect by itself: the same name would stand for another connection. A day is as good as never, and
// each attempt is ended by Disconnect.
constexpr int kNoReconnectMilliseconds = 86'400'000;
// Sent bytes that TCP cannot deliver for this long end the connection, also where the other side's window is shut.
constexpr int kUndeliveredMilliseconds = 30'000;
constexpr int kBacklog = 512;
// Pieces that wait in ZeroMQ for one connection, each way. Sent ones are about kSendBytes, received ones 8 KiB.
constexpr int kSendPieces = static_cast<int>(limits::kMaxQueuedBytes / limits::kSendBytes);
constexpr int kReceivePieces = 128;

Error SocketError(const std::string& what) {
  return Error{ErrorCode::kConnection, what + ": " + zmq_strerror(zmq_errno()), ""};
}

void SetOption(void* socket, int option, int value) {
  SYNOD_CHECK(zmq_setsockopt(socket, option, &value, sizeof value) == 0, "ZeroMQ knows the option");
}

Result<std::string> Endpoint(void* socket, const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return BadInput("address '" + address + "' is not HOST:PORT");
  unsigned port = 0;
  const char* end = address.data() + address.size();
  const auto parsed = std::from_chars(address.data() + colon + 1, end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end || port > 65535) {
    return BadInput("address '" + address + "' is not HOST:PORT");
  }
  SetOption(socket, ZMQ_IPV6, address.front() == '[' ? 1 : 0);
  return "tcp://" + address;
}

}  // namespace

Result<StreamSocket> StreamSocket::Open(void* zmq_context) {
  void* socket = zmq_socket(zmq_context, ZMQ_STREAM);
  if (socket == nullptr) return SocketError("cannot open a socket");
  SetOption(socket, ZMQ_LINGER, 0);
  SetOption(socket, ZMQ_STREAM_NOTIFY, 1);
  SetOption(socket, ZMQ_SNDHWM, kSendPieces);
  SetOption(socket, ZMQ_RCVHWM, kReceivePieces);
  SetOption(socket, ZMQ_BACKLOG, kBacklog);
  SetOption(socket, ZMQ_RECONNECT_IVL, kNoReconnectMilliseconds);
  SetOption(socket, ZMQ_TCP_MAXRT, kUndeliveredMilliseconds);
  return StreamSocket(zmq_context, socket);
}

Status StreamSocket::WatchConnects() {
  if (monitor_ != nullptr) return {};
  monitor_ = zmq_socket(context_, ZMQ_PAIR);
  if (monitor_ == nullptr) return SocketError("cannot open a socket");
  SetOption(monitor_, ZMQ_LINGER, 0);
  const std::string name = fmt::format("inproc://synod-stream-{}", socket_);
  if (zmq_socket_monitor(socket_, name.c_str(), ZMQ_EVENT_CLOSED | ZMQ_EVENT_CONNECT_RETRIED) != 0 ||
      zmq_connect(monitor_, name.c_str()) != 0) {
    return SocketError("cannot watch a socket");
  }
  return {};
}

StreamSocket::StreamSocket(StreamSocket&& other) noexcept
    : context_(other.context_),
      socket_(std::exchange(other.socket_, nullptr)),
      monitor_(std::exchange(other.monitor_, nullptr)) {}

StreamSocket& StreamSocket::operator=(StreamSocket&& other) noexcept {
  if (this == &other) return *this;
  CloseSockets();
  context_ = other.context_;
  socket_ = std::exchange(other.socket_, nullptr);
  monitor_ = std::exchange(other.monitor_, nullptr);
  return *this;
}

StreamSocket::~StreamSocket() {
  CloseSockets();
}

void StreamSocket::CloseSockets() {
  if (socket_ != nullptr) {
    zmq_socket_monitor(socket_, nullptr, 0);
    zmq_close(socket_);
  }
  if (monitor_ != nullptr) zmq_close(monitor_);
}

Status StreamSocket::Bind(const std::string& address) {
  SYNOD_ASSIGN_OR_RETURN(const std::string endpoint, Endpoint(socket_, address));
  if (zmq_bind(socket_, endpoint.c_str()) != 0) return SocketError("cannot listen on " + address);
  return {};
}

Result<std::uint16_t> StreamSocket::BoundPort() const {
  std::array<char, 256> text{};
  std::size_t size = text.size();
  if (zmq_getsockopt(socket_, ZMQ_LAST_ENDPOINT, text.data(), &size) != 0) return SocketError("port");
  const std::string endpoint = text.data();
  std::uint16_t port = 0;
  const char* end = endpoint.data() + endpoint.size();
  const auto parsed = std::from_chars(endpoint.data() + endpoint.rfind(':') + 1, end, port);
  if (parsed.ec != std::errc()) return Failed("cannot tell the port of " + endpoint);
  return port;
}

Status StreamSocket::Connect(const std::string& address) {
  SYNOD_ASSIGN_OR_RETURN(const std::string endpoint, Endpoint(socket_, address));
  Piece stale;
  while (Receive(stale)) {
  }
  SYNOD_RETURN_IF_ERROR(WatchConnects());
  ConnectFailed();
  if (zmq_connect(socket_, endpoint.c_str()) != 0) return SocketError("cannot connect to " + address);
  return {};
}

void StreamSocket::Disconnect(const std::string& address) {
  zmq_disconnect(socket_, ("tcp://" + address).c_str());  // not there any more: just as well
}

bool StreamSocket::Receive(Piece& piece) {
  zmq::message_t connection;
  if (zmq_msg_recv(connection.handle(), socket_, ZMQ_DONTWAIT) < 0) return false;
  zmq::message_t bytes;
  if (zmq_msg_recv(bytes.handle(), socket_, ZMQ_DONTWAIT) < 0) return false;
  piece.connection.assign(connection.data<char>(), connection.size());
  piece.bytes.assign(bytes.data<std::uint8_t>(), bytes.data<std::uint8_t>() + bytes.size());
  return true;
}

StreamSocket::Sent StreamSocket::Send(const std::string& connection, ByteView bytes) {
  // The first part says whether the connection is there and takes a piece; the second is then always taken.
  if (zmq_send(socket_, connection.data(), connection.size(), ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0) {
    return zmq_errno() == EAGAIN ? Sent::kFull : Sent::kGone;
  }
  const int sent = zmq_send(socket_, bytes.data(), bytes.size(), ZMQ_DONTWAIT);
  return sent < 0 ? Sent::kGone : Sent::kTaken;
}

StreamSocket::Sent StreamSocket::Close(const std::string& connection) {
  return Send(connection, {});
}

bool StreamSocket::ConnectFailed() {
  bool failed = false;
  if (monitor_ == nullptr) return failed;
  for (;;) {
    zmq::message_t part;
    if (zmq_msg_recv(part.handle(), monitor_, ZMQ_DONTWAIT) < 0) return failed;
    failed = true;
  }
}

}  // namespace synod
