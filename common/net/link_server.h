// The coordinator's one port: TLS 1.3 with client certificates over TCP.
//
// Nothing here blocks: the owner waits until `descriptor()` can be read, no longer than until `next_timer()`, and calls
// Advance. Peers take turns: each is read and written by a bounded amount at a time (limits.h). Sends are queued per
// peer, bounded (limits.h), and flow by credit; a peer whose queue is full, or that takes nothing for kSilenceSeconds,
// is closed with kTooSlow. Messages to one peer arrive in order, except that one whose payload is larger than a chunk
// may be overtaken by later ones.
//
// A second link of a site with another instance is refused (kDuplicateIdentity) while the first one is alive; the same
// instance again replaces the old link. People (viewer, operator, admin) may hold several links, one for each command,
// but no more than kMaxLinksOfOne each (kTooManyLinks): nobody takes the place of the others, and as every queue is
// bounded, so is what waits for one of them. A connection that has not got through its handshake gives way when there
// are too many of them, the oldest first. PeerClosed comes once for every connection, also for one that never opened.
// Threads: one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/core/clock.h"
#include "common/net/link_events.h"

namespace synod {

class LinkServer {
 public:
  struct Settings {
    std::string address;  // HOST:PORT; port 0: any free one
    TlsFiles tls;
    LinkRules rules;
  };

  static Result<std::unique_ptr<LinkServer>> Listen(Settings settings, const Clock& clock);
  ~LinkServer();
  LinkServer(const LinkServer&) = delete;
  LinkServer& operator=(const LinkServer&) = delete;

  std::uint16_t port() const;
  int descriptor() const;     // the same one for the life of the server
  double next_timer() const;  // Clock::MonotonicSeconds of the next thing that must be done

  // Reads what arrived, drives handshakes, heartbeats, deadlines and queues.
  std::vector<LinkEvent> Advance();
  // Queues for an open peer; an unknown or closed one is an error, and so is a full queue (the peer is closed).
  Status Send(PeerId peer, Envelope envelope);
  // Says goodbye and closes when what is queued is out, at the latest after a second; PeerClosed comes then.
  void Close(PeerId peer, GoodbyeReason reason);
  // Checks every open peer again (after a revocation) and closes those that may not stay.
  void CheckPeersAgain();
  // New handshakes use the files as they are now; open links stay.
  Status Reload();

  struct Statistics {
    std::size_t open_peers = 0;
    std::size_t unauthenticated_peers = 0;
    std::uint64_t bytes_received = 0;  // of TCP payload
    std::uint64_t bytes_sent = 0;
    std::uint64_t unsent_bytes = 0;  // encrypted, and not taken by the system yet
  };
  Statistics statistics() const;

 private:
  class State;
  explicit LinkServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace synod
