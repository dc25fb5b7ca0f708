// The one link that a site or an operator keeps to its coordinator: connects out, and again after a loss, with
// exponential back-off and jitter. The peer must be the coordinator that the rules allow. Otherwise as LinkServer.
// PeerClosed comes for every attempt that failed and every link that ended; without `reconnect`, or after Close, it is
// the last event. Open means accepted: the coordinator has checked who we are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/core/clock.h"
#include "common/net/link_events.h"

namespace synod {

class LinkClient {
 public:
  struct Settings {
    std::string address;  // HOST:PORT
    TlsFiles tls;
    LinkRules rules;
    bool reconnect = true;  // an operator's command connects once
  };

  static Result<std::unique_ptr<LinkClient>> Create(Settings settings, const Clock& clock);
  ~LinkClient();
  LinkClient(const LinkClient&) = delete;
  LinkClient& operator=(const LinkClient&) = delete;

  int descriptor() const;  // the same one for the life of the client
  double next_timer() const;
  std::vector<LinkEvent> Advance();  // PeerId is a new one for every connection
  bool open() const;
  // Fails while there is no open link.
  Status Send(Envelope envelope);
  void Close(GoodbyeReason reason);
  // Asks check_peer again about the open link; call it when what check_peer knows has changed. False: the coordinator
  // may not be here any more; its link is closed with kRevoked, and nothing that is queued leaves. What was read before
  // may still come from Advance, in front of its PeerClosed.
  bool CheckPeerAgain();
  Status Reload();
  // Encrypted and queued bytes that have not left yet.
  std::size_t queued_bytes() const;
  struct Statistics {
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;
  };
  Statistics statistics() const;

 private:
  class State;
  explicit LinkClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace synod
