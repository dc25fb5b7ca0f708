// One TCP connection. Nothing here blocks, and no child process inherits it. Threads: one.
#pragma once

#include <cstdint>
#include <span>

#include "common/core/bytes.h"
#include "common/core/descriptor.h"
#include "common/core/result.h"
#include "common/net/tcp_address.h"

namespace synod {

// Closed when it is destroyed; what was sent before still goes out.
class TcpSocket {
 public:
  // A connected descriptor that does not block.
  explicit TcpSocket(int descriptor);
  // Begins to connect: the socket becomes writable when that is done, or has failed (ConnectError).
  static Result<TcpSocket> Connect(const SocketAddress& address);

  // Of a socket that has become writable after Connect.
  Status ConnectError() const;

  // More than 0: so many bytes; 0: nothing yet; kEnded: the connection is over, in whatever way.
  static constexpr std::int64_t kEnded = -1;
  std::int64_t Receive(std::span<std::uint8_t> out);
  std::int64_t Send(ByteView bytes);

  int descriptor() const { return descriptor_.number(); }

 private:
  Descriptor descriptor_;
};

}  // namespace synod
