// A port that takes connections. Nothing here blocks. Threads: one.
#pragma once

#include <cstdint>
#include <optional>

#include "common/core/descriptor.h"
#include "common/core/result.h"
#include "common/net/tcp_socket.h"

namespace synod {

class TcpListener {
 public:
  // HOST:PORT; port 0: any free one.
  static Result<TcpListener> Listen(const std::string& address);

  Result<std::uint16_t> BoundPort() const;
  // The next connection that waits; nothing if there is none. Refused: this machine has no room for one more now.
  Result<std::optional<TcpSocket>> Accept();

  int descriptor() const { return descriptor_.number(); }

 private:
  explicit TcpListener(int descriptor) : descriptor_(descriptor) {}
  Descriptor descriptor_;
};

}  // namespace synod
