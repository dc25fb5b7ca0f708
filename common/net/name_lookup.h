// The addresses of a host, asked for without waiting: a name server that takes its time must not stop a daemon's loop.
// Threads: one calls; a name (a number does not) is looked up in a thread of its own, which may outlive this object and
// touches nothing but its own result.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/net/tcp_address.h"

namespace synod {

class NameLookup {
 public:
  explicit NameLookup(const TcpAddress& address);

  // Nothing as long as it is not known.
  std::optional<Result<std::vector<SocketAddress>>> Take();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace synod
