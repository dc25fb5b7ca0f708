// What a program sees of its links: peers that opened, complete messages, peers that closed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/core/identity.h"
#include "common/core/result.h"
#include "common/crypto/x509.h"
#include "common/wire/messages.h"

namespace synod {

// Names one link of a process; never used again.
using PeerId = std::uint64_t;

struct PeerOpened {
  PeerId peer = 0;
  Identity identity;  // of the certificate whose key the peer proved to hold
  Hello hello;
};

// Complete: the payload, if the message has one, arrived whole and its digest is right.
struct PeerMessage {
  PeerId peer = 0;
  Envelope envelope;
};

struct PeerClosed {
  PeerId peer = 0;
  std::optional<Identity> identity;     // nothing if it never got through the handshake
  std::optional<GoodbyeReason> reason;  // what the other side said, or what we closed it for
  Error error;                          // for the log: names the rule, never content
};

using LinkEvent = std::variant<PeerOpened, PeerMessage, PeerClosed>;

// What decides about peers and payloads: given by the program.
struct LinkRules {
  // Whether the holder of this certificate may connect (Trust::CheckPeer).
  std::function<Status(const X509Certificate& leaf)> check_peer;
  // How many bytes of payload are taken with this message from this peer; 0: none. Asked before anything is allocated.
  std::function<std::uint64_t(const Identity& peer, const Message& message)> payload_limit;
  // Our own numbers for Hello and Heartbeat.
  std::function<std::pair<std::uint64_t, std::uint64_t>()> trust_numbers;
};

// Files of the kit's trust folder; read again by Reload.
struct TlsFiles {
  std::string root_file;
  std::string certificate_file;
  std::string key_file;
};

}  // namespace synod
