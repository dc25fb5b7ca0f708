// What every TLS session of a process shares: root, own certificate, own key, and the one way in which we speak TLS.
//
// TLS 1.3 alone, both sides with a certificate issued directly by the consortium's root, no session tickets, no
// renegotiation, no early data, AES-256-GCM or ChaCha20-Poly1305, X25519 or P-256, ECDSA P-256 with SHA-256. Dates of
// certificates are not judged here: LinkRules::check_peer does, with the allowed clock skew.
// Threads: immutable; sessions of several threads may share it.
#pragma once

#include <memory>

#include "common/core/result.h"
#include "common/net/link_events.h"

namespace synod {

enum class TlsSide { kClient, kServer };

class TlsContext {
 public:
  // Errors name the file.
  static Result<std::shared_ptr<const TlsContext>> Load(const TlsFiles& files, TlsSide side);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  struct State;
  const State& state() const { return *state_; }  // for the .cpp files of this module

 private:
  explicit TlsContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace synod
