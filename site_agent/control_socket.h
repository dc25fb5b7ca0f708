// The local socket of a site's daemon: KIT/state/control.sock, mode 0600 in a folder of mode 0700, so that whoever may
// read the site's state may speak to it. JSON in, JSON out, one reply to a request. Threads: one.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/core/canonical_json.h"
#include "common/core/result.h"

namespace synod {

inline constexpr std::size_t kMaxControlRequestBytes = 64u << 10;
inline constexpr std::size_t kMaxControlReplyBytes = 64u << 20;
inline constexpr int kControlReplySeconds = 30;

std::string ControlSocketPath(const std::string& kit);

class ControlServer {
 public:
  using Handler = std::function<Json(const Json& request)>;
  // `zmq_context`: a zmq::context_t's handle, which must outlive the server. A socket that a former process left is
  // replaced; one that a process listens on is an error.
  static Result<std::unique_ptr<ControlServer>> Listen(void* zmq_context, const std::string& kit, Handler handler);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  void* zmq_handle() const;
  // Answers what arrived.
  void Advance();

 private:
  struct State;
  explicit ControlServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Whether a process listens on the kit's socket.
bool DaemonListens(const std::string& kit);
// Asks the daemon and waits for its reply, kControlReplySeconds at most.
Result<Json> AskDaemon(const std::string& kit, const Json& request);

}  // namespace synod
