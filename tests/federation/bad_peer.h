// Peers that are free to misbehave, at a real port: a plain TCP socket, and above it a TLS session with a member's (or
// anybody's) key, inside which a test says what it likes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/crypto/x509.h"
#include "common/net/link_events.h"
#include "common/net/tls_step.h"
#include "common/wire/chunk.h"
#include "common/wire/codec.h"
#include "common/wire/frame.h"

namespace synod::testing {

class BadSocket {
 public:
  static constexpr double kPatienceSeconds = 20.0;

  explicit BadSocket(std::uint16_t port, bool small_receive_buffer = false);
  ~BadSocket();
  BadSocket(const BadSocket&) = delete;
  BadSocket& operator=(const BadSocket&) = delete;

  bool connected() const { return connected_; }
  // Sends what the other side takes; false when it takes nothing for a second.
  bool Send(ByteView bytes);
  // What comes within `seconds`; empty if nothing does. Sets ended() when the other side has closed.
  Bytes Receive(double seconds);
  // Whether the other side closes within `seconds`.
  bool EndsWithin(double seconds = kPatienceSeconds);
  bool ended() const { return ended_; }

 private:
  int socket_;
  bool connected_ = false;
  bool ended_ = false;
};

class BadPeer {
 public:
  BadPeer(std::uint16_t port, const TlsFiles& files, bool small_receive_buffer = false);

  // TLS and Hello both ways: true when the link is open.
  bool Open() { return Open(OwnHello()); }
  bool Open(const Hello& hello);
  // TLS alone, as far as a client sees it.
  bool Handshake();
  // What the other side proved to hold; after Handshake.
  X509Certificate PeerLeaf() const { return *X509Certificate::FromDer(tls_->PeerLeafDer()); }
  static Hello OwnHello();

  void SendMessage(const Message& message) { SendFrame(FrameType(message), *EncodeControl(message), {}); }
  void SendFrame(std::uint16_t type, ByteView control, ByteView bulk);
  // A message that announces `payload`, with its first chunk as it is, or as `change` made it.
  void SendPayload(const Message& message, ByteView payload, const std::function<void(Bytes&)>& change = nullptr);
  // Bytes inside TLS, whatever they are. False when the other side takes no more.
  bool SendPlain(ByteView bytes);

  // Reads for as long as something comes within `seconds`, or until the link ends.
  void Read(double seconds);
  // Until the other side has closed the link: the reason that it gave, if it gave one.
  std::optional<GoodbyeReason> WaitForEnd();
  bool ended() const { return ended_; }
  const std::string& tls_error() const { return tls_error_; }
  const std::vector<Message>& messages() const { return messages_; }
  BadSocket& socket() { return socket_; }
  std::uint64_t next_sequence() const { return sequence_; }

 private:
  std::optional<GoodbyeReason> goodbye() const;
  void Flush();

  BadSocket socket_;
  std::shared_ptr<const TlsContext> context_;
  std::optional<TlsStep> tls_;
  FrameReader reader_;
  ChunkWriter writer_;
  std::vector<Message> messages_;
  std::uint64_t sequence_ = 0;
  std::uint64_t transfer_ = 0;
  bool ended_ = false;
  std::string tls_error_;
};

// The files of a kit.
TlsFiles FilesOf(const std::string& kit);

}  // namespace synod::testing
