// One TLS 1.3 session as a step: bytes in, bytes out. No socket, no clock. The bytes that come in are from a peer that
// may send anything. Threads: one.
#pragma once

#include <cstdint>
#include <memory>

#include "common/core/bytes.h"
#include "common/core/result.h"
#include "common/net/tls_context.h"

namespace synod {

class TlsStep {
 public:
  // AES-GCM keys are changed long before the 2^24.5 records that RFC 8446 section 5.5 allows.
  static constexpr std::uint64_t kKeyUpdateBytes = std::uint64_t{1} << 36;

  explicit TlsStep(const TlsContext& context, std::uint64_t key_update_bytes = kKeyUpdateBytes);
  ~TlsStep();
  TlsStep(const TlsStep&) = delete;
  TlsStep& operator=(const TlsStep&) = delete;

  // A client's first bytes. A server has none.
  Status Start();
  // Takes bytes of the other side and appends what they say to `plain`. An error ends the session for good; what is in
  // `output` then (an alert) may still be sent.
  Status Receive(ByteView bytes, Bytes& plain);
  // Encrypts; only in an established session.
  Status Write(ByteView plain);
  // Says that nothing follows.
  void End();

  bool established() const;   // the peer proved to hold the key of a certificate that the root issued
  bool peer_ended() const;    // the other side said that nothing follows
  Bytes PeerLeafDer() const;  // of an established session
  // Encrypted bytes for the other side; the owner takes them out.
  Bytes& output();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace synod
