// HOST:PORT, and the addresses that a host name stands for. An IPv6 host is in brackets; `*` is every IPv4 address of
// this machine. Threads: values.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/core/result.h"

namespace synod {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

struct TcpAddress {
  std::string text;  // as it was given
  std::string host;  // without brackets; empty: every address
  std::uint16_t port = 0;
  int family = AF_INET;

  // BadInput: not of the form HOST:PORT.
  static Result<TcpAddress> Parse(const std::string& text);
};

// Never asks anyone: an error if the host is a name.
Result<std::vector<SocketAddress>> NumericAddresses(const TcpAddress& address);
// May ask name servers, and wait for them.
Result<std::vector<SocketAddress>> ResolveAddresses(const TcpAddress& address);

}  // namespace synod
