// One connection from its first byte to its last: TLS, who the peer is, Hello, heartbeats, messages and payloads,
// credit, deadlines, goodbye. Bytes in, bytes and steps out: the owner has the socket.
//
//   Handshaking --TLS done, check_peer--> Introducing --Hello both ways--> Open
//   Open --Close--> Draining --queue empty--> Parting        any --rule broken--> Parting
//   Parting --other side gone, or a second--> Finished: the owner cuts the connection
//
// A client says Hello first; a server answers with its own only when it takes the client, so that a client that is open
// has been accepted. Threads: one.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "common/core/clock.h"
#include "common/net/inbox.h"
#include "common/net/link_events.h"
#include "common/net/outbox.h"
#include "common/net/partial_payloads.h"
#include "common/net/payload_digests.h"
#include "common/net/tls_step.h"
#include "common/wire/frame.h"

namespace synod {

struct LinkOpened {
  Identity identity;
  Hello hello;
};
struct LinkClosed {
  std::optional<Identity> identity;
  std::optional<GoodbyeReason> reason;
  Error error;
};
using LinkStep = std::variant<LinkOpened, Envelope, LinkClosed>;

using LinkInstance = std::array<std::uint8_t, 16>;

class Link {
 public:
  // Everything that links of one process share; outlives them.
  struct Shared {
    LinkRules rules;
    LinkInstance instance{};
    PayloadDigests digests;
    PartialPayloads partial_payloads;
    // Of a server: whether a peer that said Hello is taken, or why not.
    std::function<std::optional<GoodbyeReason>(const Identity&, const Hello&)> admit;
  };

  Link(std::shared_ptr<const TlsContext> tls, TlsSide side, Shared& shared, const Clock& clock);

  // The TCP connection stands.
  void Start();
  void Receive(ByteView bytes);
  // Drives heartbeats and deadlines.
  void Tick();
  // The TCP connection is gone, however it went.
  void ConnectionLost();
  // Fails while the link is not open. A full queue closes the link.
  Status Send(Envelope envelope);
  // Says goodbye when what is queued is out.
  void Close(GoodbyeReason reason);
  // Says goodbye at once.
  void Fail(std::optional<GoodbyeReason> reason, Error error);
  // Asks check_peer again.
  void CheckPeerAgain();

  // Replaces `out` by the next bytes for the socket; false if there are none now.
  bool NextOutput(Bytes& out);
  std::vector<LinkStep> TakeSteps();
  double next_timer() const;

  bool open() const { return state_ == State::kOpen; }
  bool finished() const { return state_ == State::kFinished; }
  // Has not got through the handshake, or did not.
  bool unauthenticated() const { return !opened_; }
  const std::optional<Identity>& identity() const { return identity_; }
  const LinkInstance& peer_instance() const { return peer_instance_; }
  double opened_seconds() const;  // how long it has been open; 0 if it never was
  std::uint64_t waiting_bytes() const { return outbox_.waiting_bytes(); }

 private:
  enum class State { kHandshaking, kIntroducing, kOpen, kDraining, kParting, kFinished };

  void Identify();
  void ReadFrames();
  Status TakeFrame(const FrameView& frame);
  Status TakeFrameOfTheLink(const FrameView& frame);
  Status TakeOwnMessage(const Control& control, ByteView bulk);
  void TakeHello(const Hello& hello);
  void TakeGoodbye(const Goodbye& goodbye);
  Hello OwnHello() const;
  void Part(std::optional<GoodbyeReason> goodbye);
  void Finish();
  void ReportClosed();
  void KeepPieces();
  bool WriteSome();

  Shared& shared_;
  const Clock& clock_;
  TlsSide side_;
  std::shared_ptr<const TlsContext> context_;
  TlsStep tls_;
  State state_ = State::kHandshaking;
  bool opened_ = false;
  std::optional<X509Certificate> leaf_;
  std::optional<Identity> identity_;
  LinkInstance peer_instance_{};

  FrameReader reader_;
  Inbox inbox_;
  Outbox outbox_;
  Outbox::Frame frame_;               // being written
  std::vector<ByteView> frame_rest_;  // of it, the next piece last
  bool ended_ = false;                // our end of the TLS session

  double started_at_;
  double opened_at_ = 0.0;
  double received_at_;
  double sent_at_;
  double parted_at_ = 0.0;
  std::size_t bytes_before_open_ = 0;
  std::uint64_t plain_bytes_ = 0;
  std::uint64_t credited_bytes_ = 0;

  std::optional<LinkClosed> closed_;  // why, until it is reported
  bool reported_ = false;
  bool rule_broken_ = false;
  std::vector<LinkStep> steps_;
};

}  // namespace synod
