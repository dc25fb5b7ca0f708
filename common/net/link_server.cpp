#include "common/net/link_server.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "common/crypto/secret_random.h"
#include "common/net/link.h"
#include "common/net/stream_socket.h"
#include "common/wire/limits.h"

namespace synod {
namespace {

// Of one call of Advance, so that it comes back to its owner.
constexpr int kMaxPiecesAtOnce = 1024;
// There is no word when a full connection can be written again.
constexpr double kRetrySeconds = 0.002;
// After a connection was cut, a last piece of it may still be on its way through the socket.
constexpr double kTombstoneSeconds = 5.0;

struct Peer {
  Peer(PeerId id_in, std::string connection_in, std::shared_ptr<const TlsContext> tls, Link::Shared& shared,
       const Clock& clock)
      : id(id_in), connection(std::move(connection_in)), link(std::move(tls), TlsSide::kServer, shared, clock) {}

  PeerId id;
  std::string connection;
  Link link;
  Bytes output;  // encrypted, not yet taken by the socket
  double full_since = INFINITY;
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
  State(StreamSocket socket, Settings settings, std::shared_ptr<const TlsContext> tls, std::uint16_t port,
        const Clock& clock)
      : clock_(clock), socket_(std::move(socket)), files_(std::move(settings.tls)), tls_(std::move(tls)), port_(port) {
    shared_.rules = std::move(settings.rules);
    shared_.instance = NewInstance();
    shared_.admit = [this](const Identity& identity, const Hello& hello) { return Admit(identity, hello); };
  }

  std::uint16_t port() const { return port_; }
  void* handle() const { return socket_.handle(); }

  double next_timer() const { return events_.empty() ? next_timer_ : clock_.MonotonicSeconds(); }

  std::vector<LinkEvent> Advance() {
    StreamSocket::Piece piece;
    for (int i = 0; i < kMaxPiecesAtOnce && socket_.Receive(piece); ++i) {
      bytes_received_ += piece.bytes.size();
      Take(piece);
    }
    if (next_timer_ <= clock_.MonotonicSeconds()) Tick();
    return std::exchange(events_, {});
  }

  Status Send(PeerId id, Envelope envelope) {
    Peer* peer = Find(id);
    if (peer == nullptr) return Error{ErrorCode::kConnection, "the peer is gone", ""};
    Status sent = peer->link.Send(std::move(envelope));
    Serve(*peer);
    return sent;
  }

  void Close(PeerId id, GoodbyeReason reason) {
    Peer* peer = Find(id);
    if (peer == nullptr) return;
    peer->link.Close(reason);
    Serve(*peer);
  }

  void CheckPeersAgain() {
    for (const PeerId id : Ids()) {
      Peer& peer = *Find(id);
      peer.link.CheckPeerAgain();
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
      ++(peer->link.unauthenticated() ? statistics.unauthenticated_peers : statistics.open_peers);
    }
    statistics.bytes_received = bytes_received_;
    statistics.bytes_sent = bytes_sent_;
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

  void Take(const StreamSocket::Piece& piece) {
    const auto found = connections_.find(piece.connection);
    if (found != connections_.end()) {
      Peer& peer = *Find(found->second);
      if (piece.bytes.empty()) {
        peer.link.ConnectionLost();
      } else {
        peer.link.Receive(piece.bytes);
      }
      return Serve(peer);
    }
    if (piece.bytes.empty() && !tombstones_.contains(piece.connection)) Accept(piece.connection);
  }

  void Accept(const std::string& connection) {
    MakeRoom();
    const PeerId id = ++last_peer_;
    connections_[connection] = id;
    auto peer = std::make_unique<Peer>(id, connection, tls_, shared_, clock_);
    peer->link.Start();
    Peer& accepted = *peers_.emplace(id, std::move(peer)).first->second;
    Serve(accepted);
  }

  // The oldest connection that has not got through its handshake gives way to a new one.
  void MakeRoom() {
    std::size_t unauthenticated = 0;
    Peer* oldest = nullptr;
    for (const auto& [id, peer] : peers_) {
      if (!peer->link.unauthenticated()) continue;
      ++unauthenticated;
      if (oldest == nullptr) oldest = peer.get();
    }
    if (unauthenticated < limits::kMaxUnauthenticatedPeers) return;
    oldest->link.Fail(std::nullopt, Error{ErrorCode::kConnection, "gave way: too many unfinished handshakes", ""});
    Cut(*oldest);
  }

  std::optional<GoodbyeReason> Admit(const Identity& identity, const Hello& hello) {
    std::size_t open = 0;
    Peer* same = nullptr;
    for (const auto& [id, peer] : peers_) {
      if (!peer->link.open()) continue;
      ++open;
      if (peer->link.identity() == identity && !MayHoldSeveralLinks(identity.role)) same = peer.get();
    }
    if (same != nullptr) {
      if (same->link.peer_instance() != hello.instance) return GoodbyeReason::kDuplicateIdentity;
      same->link.Fail(std::nullopt, Error{ErrorCode::kConnection, "the peer connected again", ""});
      Cut(*same);
      return std::nullopt;
    }
    if (open >= limits::kMaxPeers) return GoodbyeReason::kNotAllowed;
    return std::nullopt;
  }

  // After anything happened to a peer: what it says goes to the program, what it has to send goes out.
  void Serve(Peer& peer) {
    Write(peer);
    Report(peer);
    if (peer.link.finished()) return Cut(peer);
    next_timer_ = std::min({next_timer_, peer.link.next_timer(), peer.full_since + kRetrySeconds});
  }

  void Write(Peer& peer) {
    while (!peer.output.empty() || peer.link.NextOutput(peer.output)) {
      switch (socket_.Send(peer.connection, peer.output)) {
        case StreamSocket::Sent::kTaken:
          bytes_sent_ += peer.output.size();
          peer.output.clear();
          peer.full_since = INFINITY;
          break;
        case StreamSocket::Sent::kFull:
          peer.full_since = clock_.MonotonicSeconds();
          return;
        case StreamSocket::Sent::kGone:
          peer.output.clear();
          peer.link.ConnectionLost();
          return;
      }
    }
  }

  void Report(Peer& peer) {
    for (LinkStep& step : peer.link.TakeSteps()) {
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

  // Ends the connection; the peer is gone afterwards.
  void Cut(Peer& peer) {
    Report(peer);
    CutConnection(peer.connection);
    connections_.erase(peer.connection);
    peers_.erase(peer.id);
  }

  void CutConnection(const std::string& connection) {
    const double now = clock_.MonotonicSeconds();
    tombstones_[connection] = {now + kTombstoneSeconds, socket_.Close(connection) == StreamSocket::Sent::kFull};
    next_timer_ = std::min(next_timer_, now + kTombstoneSeconds);
  }

  void Tick() {
    const double now = clock_.MonotonicSeconds();
    next_timer_ = INFINITY;
    for (const PeerId id : Ids()) {
      Peer& peer = *Find(id);
      peer.link.Tick();
      Serve(peer);
    }
    for (auto it = tombstones_.begin(); it != tombstones_.end();) {
      auto& [until, still_open] = it->second;
      if (until <= now && still_open) {
        still_open = socket_.Close(it->first) == StreamSocket::Sent::kFull;
        until = now + kTombstoneSeconds;
      }
      next_timer_ = std::min(next_timer_, until);
      it = until <= now ? tombstones_.erase(it) : std::next(it);
    }
  }

  struct Tombstone {
    double until;
    bool still_open;  // its queue was full: cut it later
  };

  const Clock& clock_;
  StreamSocket socket_;
  TlsFiles files_;
  std::shared_ptr<const TlsContext> tls_;
  std::uint16_t port_;
  Link::Shared shared_;
  PeerId last_peer_ = 0;
  std::map<PeerId, std::unique_ptr<Peer>> peers_;  // oldest first
  std::map<std::string, PeerId> connections_;
  std::map<std::string, Tombstone> tombstones_;
  std::vector<LinkEvent> events_;
  double next_timer_ = INFINITY;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
};

LinkServer::LinkServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
LinkServer::~LinkServer() = default;

Result<std::unique_ptr<LinkServer>> LinkServer::Listen(void* zmq_context, Settings settings, const Clock& clock) {
  SYNOD_ASSIGN_OR_RETURN(std::shared_ptr<const TlsContext> tls, TlsContext::Load(settings.tls, TlsSide::kServer));
  SYNOD_ASSIGN_OR_RETURN(StreamSocket socket, StreamSocket::Open(zmq_context));
  SYNOD_RETURN_IF_ERROR(socket.Bind(settings.address));
  SYNOD_ASSIGN_OR_RETURN(const std::uint16_t port, socket.BoundPort());
  return std::unique_ptr<LinkServer>(
      new LinkServer(std::make_unique<State>(std::move(socket), std::move(settings), std::move(tls), port, clock)));
}

std::uint16_t LinkServer::port() const {
  return state_->port();
}
void* LinkServer::zmq_handle() const {
  return state_->handle();
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
