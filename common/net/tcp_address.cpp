#include "common/net/tcp_address.h"

#include <netdb.h>

#include <charconv>
#include <cstring>
#include <memory>

namespace synod {
namespace {

Result<std::vector<SocketAddress>> Resolve(const TcpAddress& address, int flags) {
  addrinfo hints{};
  hints.ai_family = address.family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV | (address.host.empty() ? AI_PASSIVE : 0);
  addrinfo* list = nullptr;
  const char* host = address.host.empty() ? nullptr : address.host.c_str();
  const int failed = getaddrinfo(host, std::to_string(address.port).c_str(), &hints, &list);
  if (failed != 0) return Error{ErrorCode::kConnection, address.host + ": " + gai_strerror(failed), ""};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    SocketAddress found;
    std::memcpy(&found.storage, entry->ai_addr, entry->ai_addrlen);
    found.size = entry->ai_addrlen;
    addresses.push_back(found);
  }
  return addresses;
}

}  // namespace

Result<TcpAddress> TcpAddress::Parse(const std::string& text) {
  const Error wrong = BadInput("address '" + text + "' is not HOST:PORT");
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return wrong;
  TcpAddress address;
  address.text = text;
  address.host = text.substr(0, colon);
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, address.port);
  if (parsed.ec != std::errc() || parsed.ptr != end) return wrong;
  if (address.host.front() == '[') {
    if (address.host.size() < 3 || address.host.back() != ']') return wrong;
    address.host = address.host.substr(1, address.host.size() - 2);
    address.family = AF_INET6;
  } else if (address.host == "*") {
    address.host.clear();
  } else if (address.host.find(':') != std::string::npos) {
    return wrong;
  }
  return address;
}

Result<std::vector<SocketAddress>> NumericAddresses(const TcpAddress& address) {
  return Resolve(address, AI_NUMERICHOST);
}

Result<std::vector<SocketAddress>> ResolveAddresses(const TcpAddress& address) {
  return Resolve(address, 0);
}

}  // namespace synod
