#include "common/net/tcp_listener.h"

#include <netinet/in.h>

#include <cerrno>
#include <cstring>

namespace synod {
namespace {

constexpr int kBacklog = 512;

Error CannotListen(const std::string& address, int error) {
  return Error{ErrorCode::kConnection, "cannot listen on " + address + ": " + std::strerror(error), ""};
}

bool NoRoom(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Result<TcpListener> TcpListener::Listen(const std::string& address) {
  SYNOD_ASSIGN_OR_RETURN(const TcpAddress parsed, TcpAddress::Parse(address));
  const Result<std::vector<SocketAddress>> found = ResolveAddresses(parsed);
  if (!found.ok()) return found.error().Within("cannot listen on " + address);
  const SocketAddress& local = found->front();
  TcpListener listener(socket(local.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int descriptor = listener.descriptor();
  if (descriptor < 0) return CannotListen(address, errno);
  const int yes = 1;
  // A daemon that starts again must not wait for the connections of the one before to be forgotten.
  if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      bind(descriptor, local.get(), local.size) != 0 || listen(descriptor, kBacklog) != 0) {
    return CannotListen(address, errno);
  }
  return listener;
}

Result<std::uint16_t> TcpListener::BoundPort() const {
  SocketAddress bound;
  bound.size = sizeof bound.storage;
  if (getsockname(descriptor_.number(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.size) != 0) {
    return Error{ErrorCode::kConnection, std::string("port: ") + std::strerror(errno), ""};
  }
  if (bound.storage.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&bound.storage)->sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in*>(&bound.storage)->sin_port);
}

Result<std::optional<TcpSocket>> TcpListener::Accept() {
  const int descriptor = accept4(descriptor_.number(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor >= 0) return std::optional<TcpSocket>(TcpSocket(descriptor));
  if (NoRoom(errno)) return Refused(std::string("no room for a connection: ") + std::strerror(errno));
  // Nothing waits, or what waited has ended: if more wait, the port stays readable.
  return std::optional<TcpSocket>();
}

}  // namespace synod
