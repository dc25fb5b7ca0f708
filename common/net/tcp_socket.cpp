#include "common/net/tcp_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/wire/limits.h"

namespace synod {
namespace {

Error SocketError(std::string_view what, int error) {
  std::string message(what);
  message += ": ";
  message += std::strerror(error);
  return Error{ErrorCode::kConnection, std::move(message), ""};
}

void SetOption(int descriptor, int level, int option, int value) {
  // Fails only for a connection that is gone already, which its next use says.
  static_cast<void>(setsockopt(descriptor, level, option, &value, sizeof value));
}

// What a call that moved no byte means.
std::int64_t Outcome(std::int64_t moved) {
  if (moved >= 0) return moved;
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : TcpSocket::kEnded;
}

}  // namespace

TcpSocket::TcpSocket(int descriptor) : descriptor_(descriptor) {
  SetOption(descriptor_.number(), IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(descriptor_.number(), IPPROTO_TCP, TCP_USER_TIMEOUT, limits::kUndeliveredMilliseconds);
  SetOption(descriptor_.number(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, static_cast<int>(limits::kUnsentBytes));
}

Result<TcpSocket> TcpSocket::Connect(const SocketAddress& address) {
  const int descriptor = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return SocketError("cannot open a socket", errno);
  TcpSocket made(descriptor);
  if (connect(descriptor, address.get(), address.size) != 0 && errno != EINPROGRESS) {
    return SocketError("cannot connect", errno);
  }
  return made;
}

Status TcpSocket::ConnectError() const {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(descriptor_.number(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return SocketError("cannot connect", error);
  return {};
}

std::int64_t TcpSocket::Receive(std::span<std::uint8_t> out) {
  const ssize_t count = recv(descriptor_.number(), out.data(), out.size(), 0);
  return count == 0 ? kEnded : Outcome(count);
}

std::int64_t TcpSocket::Send(ByteView bytes) {
  return Outcome(send(descriptor_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

}  // namespace synod
