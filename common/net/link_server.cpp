#include "common/net/link_server.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "common/crypto/secret_random.h"
#include "common/net/link_connection.h"
#include "common/net/poller.h"
#include "common/net/tcp_listener.h"
#include "common/wire/limits.h"

namespace synod {
namespace {

// Of one call of Advance, so that it comes back to its owner.
constexpr int kMaxAcceptsAtOnce = 64;
// While this machine has no descriptor for one more connection.
constexpr double kAcceptPauseSeconds = 0.1;
// Of the poller; peers have their own numbers, from 1.
constexpr std::uint64_t kListenerKey = 0;

struct Peer {
  Peer(PeerId id_in, TcpSocket socket, std::shared_ptr<const TlsContext> tls, Link::Shared& shared, const Clock& clock)
      : id(id_in), connection(std::move(socket), std::move(tls), TlsSide::kServer, shared, clock) {}
  Link& link() { return connection.link(); }
  const Link& link() const { return connection.link(); }

  PeerId id;
  LinkConnection connection;
  Poller::Interest interest;  // as the poller knows it
};

// Programs and people of these roles may hold several links at once, each command its own.
bool MayHoldSeveralLinks(Role role) {
  return role == Role::kViewer || role == Role::kOperator || role == Role::kAdmin;
}

LinkInstance NewInstance() {
  LinkInstance instance;
  SecretRandom::FromOperatingSystem().Fill(instance);
  return instance;
}

}  // namespace

class LinkServer::State {
 public:
  State(TcpListener listener, Poller poller, Settings settings, std::shared_ptr<const TlsContext> tls,
        const Clock& clock)
      : clock_(clock),
        listener_(std::move(listener)),
        poller_(std::move(poller)),
        files_(std::move(settings.tls)),
        tls_(std::move(tls)),
        room_(limits::kReceiveBytes) {
    shared_.rules = std::move(settings.rules);
    shared_.instance = NewInstance();
    shared_.admit = [this](const Identity& identity, const Hello& hello) { return Admit(identity, hello); };
  }

  Status Start() {
    SYNOD_ASSIGN_OR_RETURN(port_, listener_.BoundPort());
    return poller_.Add(listener_.descriptor(), kListenerKey, {});
  }

  std::uint16_t port() const { return port_; }
  int descriptor() const { return poller_.descriptor(); }

  double next_timer() const { return events_.empty() ? next_timer_ : clock_.MonotonicSeconds(); }

  std::vector<LinkEvent> Advance() {
    for (const Poller::Ready& ready : poller_.TakeReady()) {
      if (ready.key == kListenerKey) {
        AcceptSome();
      } else if (Peer* peer = Find(ready.key)) {  // not cut by what another one said
        if (ready.read) peer->connection.Read(room_);
        Serve(*peer);
      }
    }
    if (next_timer_ <= clock_.MonotonicSeconds()) Tick();
    return std::exchange(events_, {});
  }

  Status Send(PeerId id, Envelope envelope) {
    Peer* peer = Find(id);
    if (peer == nullptr) return Error{ErrorCode::kConnection, "the peer is gone", ""};
    Status sent = peer->link().Send(std::move(envelope));
    Serve(*peer);
    return sent;
  }

  void Close(PeerId id, GoodbyeReason reason) {
    Peer* peer = Find(id);
    if (peer == nullptr) return;
    peer->link().Close(reason);
    Serve(*peer);
  }

  void CheckPeersAgain() {
    for (const PeerId id : Ids()) {
      Peer& peer = *Find(id);
      peer.link().CheckPeerAgain();
      Serve(peer);
    }
  }

  Status Reload() {
    SYNOD_ASSIGN_OR_RETURN(tls_, TlsContext::Load(files_, TlsSide::kServer));
    return {};
  }

  Statistics statistics() const {
    Statistics statistics;
    for (const auto& [id, peer] : peers_) {
      ++(peer->link().unauthenticated() ? statistics.unauthenticated_peers : statistics.open_peers);
    }
    statistics.bytes_received = bytes_received_;
    statistics.bytes_sent = bytes_sent_;
    for (const auto& [id, peer] : peers_) {
      statistics.bytes_received += peer->connection.bytes_received();
      statistics.bytes_sent += peer->connection.bytes_sent();
      statistics.unsent_bytes += peer->connection.unsent_bytes();
    }
    return statistics;
  }

 private:
  Peer* Find(PeerId id) {
    const auto found = peers_.find(id);
    return found == peers_.end() ? nullptr : found->second.get();
  }

  std::vector<PeerId> Ids() const {
    std::vector<PeerId> ids;
    for (const auto& [id, peer] : peers_) ids.push_back(id);
    return ids;
  }

  void AcceptSome() {
    for (int i = 0; i < kMaxAcceptsAtOnce; ++i) {
      Result<std::optional<TcpSocket>> accepted = listener_.Accept();
      if (!accepted.ok()) return PauseAccepting();
      if (!accepted->has_value()) return;
      Accept(std::move(**accepted));
    }
  }

  // The port stays readable as long as somebody waits there: it is left alone for a moment.
  void PauseAccepting() {
    MakeRoom(1);
    poller_.Change(listener_.descriptor(), kListenerKey, {false, false});
    accept_again_at_ = clock_.MonotonicSeconds() + kAcceptPauseSeconds;
    next_timer_ = std::min(next_timer_, accept_again_at_);
  }

  void Accept(TcpSocket socket) {
    MakeRoom(limits::kMaxUnauthenticatedPeers);
    const PeerId id = ++last_peer_;
    auto peer = std::make_unique<Peer>(id, std::move(socket), tls_, shared_, clock_);
    // A connection that cannot be watched is as good as lost.
    if (!poller_.Add(peer->connection.descriptor(), id, peer->interest).ok()) peer->link().ConnectionLost();
    Serve(*peers_.emplace(id, std::move(peer)).first->second);
  }

  // The oldest connection that has not got through its handshake gives way to a new one.
  void MakeRoom(std::size_t most) {
    std::size_t unauthenticated = 0;
    Peer* oldest = nullptr;
    for (const auto& [id, peer] : peers_) {
      if (!peer->link().unauthenticated()) continue;
      ++unauthenticated;
      if (oldest == nullptr) oldest = peer.get();
    }
    if (unauthenticated < most) return;
    oldest->link().Fail(std::nullopt, Error{ErrorCode::kConnection, "gave way: too many unfinished handshakes", ""});
    Cut(*oldest);
  }

  std::optional<GoodbyeReason> Admit(const Identity& identity, const Hello& hello) {
    std::size_t open = 0;
    std::size_t own = 0;
    Peer* same = nullptr;
    for (const auto& [id, peer] : peers_) {
      if (!peer->link().open()) continue;
      ++open;
      if (peer->link().identity() != identity) continue;
      ++own;
      same = peer.get();
    }
    if (same != nullptr && !MayHoldSeveralLinks(identity.role)) {
      if (same->link().peer_instance() != hello.instance) return GoodbyeReason::kDuplicateIdentity;
      same->link().Fail(std::nullopt, Error{ErrorCode::kConnection, "the peer connected again", ""});
      Cut(*same);
      return std::nullopt;
    }
    if (own >= limits::kMaxLinksOfOne || open >= limits::kMaxPeers) return GoodbyeReason::kTooManyLinks;
    return std::nullopt;
  }

  // After anything happened to a peer: what it says goes to the program, what it has to send goes out.
  void Serve(Peer& peer) {
    peer.connection.Write();
    Report(peer);
    if (peer.link().finished()) return Cut(peer);
    if (peer.interest != peer.connection.interest()) {
      peer.interest = peer.connection.interest();
      poller_.Change(peer.connection.descriptor(), peer.id, peer.interest);
    }
    next_timer_ = std::min(next_timer_, peer.link().next_timer());
  }

  void Report(Peer& peer) {
    for (LinkStep& step : peer.link().TakeSteps()) {
      if (auto* opened = std::get_if<LinkOpened>(&step)) {
        events_.emplace_back(PeerOpened{peer.id, opened->identity, std::move(opened->hello)});
      } else if (auto* envelope = std::get_if<Envelope>(&step)) {
        events_.emplace_back(PeerMessage{peer.id, std::move(*envelope)});
      } else {
        auto& closed = std::get<LinkClosed>(step);
        events_.emplace_back(PeerClosed{peer.id, closed.identity, closed.reason, std::move(closed.error)});
      }
    }
  }

  // Ends the connection; the peer is gone afterwards. Nothing late can come of it: its number is never used again.
  void Cut(Peer& peer) {
    Report(peer);
    bytes_received_ += peer.connection.bytes_received();
    bytes_sent_ += peer.connection.bytes_sent();
    peers_.erase(peer.id);
    next_timer_ = std::min(next_timer_, shared_.partial_payloads.next_drop());
  }

  void Tick() {
    const double now = clock_.MonotonicSeconds();
    shared_.partial_payloads.DropOld(now);
    next_timer_ = shared_.partial_payloads.next_drop();
    for (const PeerId id : Ids()) {
      Peer& peer = *Find(id);
      peer.link().Tick();
      Serve(peer);
    }
    if (accept_again_at_ <= now) {
      accept_again_at_ = INFINITY;
      poller_.Change(listener_.descriptor(), kListenerKey, {});
    }
    next_timer_ = std::min(next_timer_, accept_again_at_);
  }

  const Clock& clock_;
  TcpListener listener_;
  Poller poller_;
  TlsFiles files_;
  std::shared_ptr<const TlsContext> tls_;
  std::uint16_t port_ = 0;
  Bytes room_;  // for what is read, of one peer after the other
  Link::Shared shared_;
  PeerId last_peer_ = 0;
  std::map<PeerId, std::unique_ptr<Peer>> peers_;  // oldest first
  std::vector<LinkEvent> events_;
  double next_timer_ = INFINITY;
  double accept_again_at_ = INFINITY;
  std::uint64_t bytes_received_ = 0;  // of peers that are gone
  std::uint64_t bytes_sent_ = 0;
};

LinkServer::LinkServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
LinkServer::~LinkServer() = default;

Result<std::unique_ptr<LinkServer>> LinkServer::Listen(Settings settings, const Clock& clock) {
  SYNOD_ASSIGN_OR_RETURN(std::shared_ptr<const TlsContext> tls, TlsContext::Load(settings.tls, TlsSide::kServer));
  SYNOD_ASSIGN_OR_RETURN(TcpListener listener, TcpListener::Listen(settings.address));
  SYNOD_ASSIGN_OR_RETURN(Poller poller, Poller::Create());
  auto state =
      std::make_unique<State>(std::move(listener), std::move(poller), std::move(settings), std::move(tls), clock);
  SYNOD_RETURN_IF_ERROR(state->Start());
  return std::unique_ptr<LinkServer>(new LinkServer(std::move(state)));
}

std::uint16_t LinkServer::port() const {
  return state_->port();
}
int LinkServer::descriptor() const {
  return state_->descriptor();
}
double LinkServer::next_timer() const {
  return state_->next_timer();
}
std::vector<LinkEvent> LinkServer::Advance() {
  return state_->Advance();
}
Status LinkServer::Send(PeerId peer, Envelope envelope) {
  return state_->Send(peer, std::move(envelope));
}
void LinkServer::Close(PeerId peer, GoodbyeReason reason) {
  state_->Close(peer, reason);
}
void LinkServer::CheckPeersAgain() {
  state_->CheckPeersAgain();
}
Status LinkServer::Reload() {
  return state_->Reload();
}
LinkServer::Statistics LinkServer::statistics() const {
  return state_->statistics();
}

}  // namespace synod
