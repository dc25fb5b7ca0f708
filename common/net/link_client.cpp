#include "common/net/link_client.h"

#include <algorithm>
#include <cmath>

#include "common/crypto/secret_random.h"
#include "common/net/link_connection.h"
#include "common/net/name_lookup.h"
#include "common/net/poller.h"
#include "common/wire/limits.h"

namespace synod {
namespace {

// While a name is looked up, it is asked for this often.
constexpr double kLookupPollSeconds = 0.02;

constexpr char kUnreachableHint[] =
    "is the coordinator running there, and do name service and firewalls let this machine reach it?";

}  // namespace

class LinkClient::State {
 public:
  State(Poller poller, Settings settings, std::shared_ptr<const TlsContext> tls, const Clock& clock)
      : clock_(clock),
        poller_(std::move(poller)),
        settings_(std::move(settings)),
        tls_(std::move(tls)),
        random_(SecretRandom::FromOperatingSystem()),
        due_at_(clock.MonotonicSeconds()),
        room_(limits::kReceiveBytes) {
    shared_.rules = settings_.rules;
    random_.Fill(shared_.instance);
  }

  int descriptor() const { return poller_.descriptor(); }
  bool open() const { return connection_ && connection_->link().open(); }

  Statistics statistics() const {
    Statistics statistics = past_;
    if (connection_) {
      statistics.bytes_received += connection_->bytes_received();
      statistics.bytes_sent += connection_->bytes_sent();
    }
    return statistics;
  }

  double next_timer() const {
    if (!events_.empty()) return clock_.MonotonicSeconds();
    return std::min(NextOfPhase(), shared_.partial_payloads.next_drop());
  }

  std::vector<LinkEvent> Advance() {
    shared_.partial_payloads.DropOld(clock_.MonotonicSeconds());
    if (phase_ == Phase::kWaiting && clock_.MonotonicSeconds() >= due_at_) LookUp();
    if (phase_ == Phase::kLookingUp) TakeAddresses();
    for (const Poller::Ready& ready : poller_.TakeReady()) {
      if (ready.key != peer_) continue;
      if (phase_ == Phase::kConnecting) TakeConnection();
      if (phase_ == Phase::kLinked && ready.read) connection_->Read(room_);
    }
    const bool connecting = phase_ == Phase::kLookingUp || phase_ == Phase::kConnecting;
    if (connecting && clock_.MonotonicSeconds() >= due_at_) {
      AttemptFailed({ErrorCode::kTimeout, "no connection to " + settings_.address + " in time", kUnreachableHint});
    }
    if (connection_) {
      connection_->link().Tick();
      Serve();
    }
    return std::exchange(events_, {});
  }

  Status Send(Envelope envelope) {
    if (!open()) return Error{ErrorCode::kConnection, "not connected to " + settings_.address, ""};
    Status sent = connection_->link().Send(std::move(envelope));
    Serve();
    return sent;
  }

  void Close(GoodbyeReason reason) {
    settings_.reconnect = false;
    if (connection_) {
      connection_->link().Close(reason);
      return Serve();
    }
    socket_.reset();
    phase_ = Phase::kStopped;
  }

  bool CheckPeerAgain() {
    if (!connection_) return true;
    const bool was_open = open();
    connection_->link().CheckPeerAgain();
    const bool refused = was_open && !open();
    Serve();
    return !refused;
  }

  Status Reload() {
    SYNOD_ASSIGN_OR_RETURN(tls_, TlsContext::Load(settings_.tls, TlsSide::kClient));
    return {};
  }

  std::size_t queued_bytes() const {
    return connection_ ? connection_->unsent_bytes() + connection_->link().waiting_bytes() : 0;
  }

 private:
  enum class Phase { kWaiting, kLookingUp, kConnecting, kLinked, kStopped };

  double NextOfPhase() const {
    switch (phase_) {
      case Phase::kWaiting:
      case Phase::kConnecting:
        return due_at_;
      case Phase::kLookingUp:
        return std::min(due_at_, poll_at_);
      case Phase::kLinked:
        return connection_->link().next_timer();
      case Phase::kStopped:
        break;
    }
    return INFINITY;
  }

  // A lookup of an attempt before that is still under way is waited for: there is never more than one.
  void LookUp() {
    ++peer_;
    phase_ = Phase::kLookingUp;
    due_at_ = clock_.MonotonicSeconds() + limits::kHandshakeSeconds;
    if (lookup_) return;
    const Result<TcpAddress> address = TcpAddress::Parse(settings_.address);
    if (!address.ok()) return AttemptFailed(address.error());
    lookup_.emplace(*address);
  }

  void TakeAddresses() {
    // A moment that stays until it is here: who waits for it compares it with the clock.
    poll_at_ = clock_.MonotonicSeconds() + kLookupPollSeconds;
    std::optional<Result<std::vector<SocketAddress>>> found = lookup_->Take();
    if (!found) return;
    lookup_.reset();
    if (!found->ok()) return AttemptFailed(Unreachable(found->error()));
    addresses_ = std::move(**found);
    std::reverse(addresses_.begin(), addresses_.end());
    phase_ = Phase::kConnecting;
    ConnectToNext(Error{ErrorCode::kConnection, "the name has no address", ""});
  }

  // To the next address of the host, if it has one more; `why` the one before failed.
  void ConnectToNext(Error why) {
    socket_.reset();
    while (!addresses_.empty()) {
      const SocketAddress address = addresses_.back();
      addresses_.pop_back();
      Result<TcpSocket> socket = TcpSocket::Connect(address);
      Status watched = socket.ok() ? poller_.Add(socket->descriptor(), peer_, {false, true}) : socket.error();
      if (watched.ok()) {
        socket_ = std::move(*socket);
        return;
      }
      why = watched.error();
    }
    AttemptFailed(Unreachable(why));
  }

  void TakeConnection() {
    const Status connected = socket_->ConnectError();
    if (!connected.ok()) return ConnectToNext(connected.error());
    interest_ = {};
    poller_.Change(socket_->descriptor(), peer_, interest_);
    connection_ = std::make_unique<LinkConnection>(std::move(*socket_), tls_, TlsSide::kClient, shared_, clock_);
    socket_.reset();
    phase_ = Phase::kLinked;
  }

  Error Unreachable(const Error& why) const {
    return {ErrorCode::kConnection, "cannot connect to " + settings_.address + " (" + why.message + ")",
            kUnreachableHint};
  }

  void AttemptFailed(Error error) {
    events_.emplace_back(PeerClosed{peer_, std::nullopt, std::nullopt, std::move(error)});
    Stop();
  }

  void Serve() {
    connection_->Write();
    Report();
    if (connection_->link().finished()) {
      if (connection_->link().opened_seconds() >= limits::kSteadySeconds) failures_ = 0;
      past_ = statistics();
      connection_.reset();
      return Stop();
    }
    if (interest_ == connection_->interest()) return;
    interest_ = connection_->interest();
    poller_.Change(connection_->descriptor(), peer_, interest_);
  }

  void Report() {
    for (LinkStep& step : connection_->link().TakeSteps()) {
      if (auto* opened = std::get_if<LinkOpened>(&step)) {
        events_.emplace_back(PeerOpened{peer_, opened->identity, std::move(opened->hello)});
      } else if (auto* envelope = std::get_if<Envelope>(&step)) {
        events_.emplace_back(PeerMessage{peer_, std::move(*envelope)});
      } else {
        auto& closed = std::get<LinkClosed>(step);
        events_.emplace_back(PeerClosed{peer_, closed.identity, closed.reason, std::move(closed.error)});
      }
    }
  }

  // This connection is over; another attempt after a pause that doubles, with jitter, so that many sites do not come
  // back in the same moment.
  void Stop() {
    socket_.reset();
    addresses_.clear();
    if (!settings_.reconnect) {
      phase_ = Phase::kStopped;
      return;
    }
    const double pause = std::min(limits::kMaxReconnectSeconds, std::ldexp(limits::kFirstReconnectSeconds, failures_));
    if (pause < limits::kMaxReconnectSeconds) ++failures_;
    const double jitter = 0.5 + 0.5 * std::ldexp(static_cast<double>(random_.NextWord64() >> 11), -53);
    due_at_ = clock_.MonotonicSeconds() + pause * jitter;
    phase_ = Phase::kWaiting;
  }

  const Clock& clock_;
  Poller poller_;
  Settings settings_;
  std::shared_ptr<const TlsContext> tls_;
  SecretRandom random_;
  Link::Shared shared_;
  Phase phase_ = Phase::kWaiting;
  double due_at_;         // waiting: of the next attempt; connecting: of its end
  double poll_at_ = 0.0;  // looking up: of the next question
  int failures_ = 0;
  PeerId peer_ = 0;
  std::optional<NameLookup> lookup_;
  std::vector<SocketAddress> addresses_;  // not tried yet, the next one last
  std::optional<TcpSocket> socket_;       // connecting
  std::unique_ptr<LinkConnection> connection_;
  Poller::Interest interest_;  // as the poller knows it
  Bytes room_;                 // for what is read
  std::vector<LinkEvent> events_;
  Statistics past_;  // of connections that are gone
};

LinkClient::LinkClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
LinkClient::~LinkClient() = default;

Result<std::unique_ptr<LinkClient>> LinkClient::Create(Settings settings, const Clock& clock) {
  SYNOD_ASSIGN_OR_RETURN(std::shared_ptr<const TlsContext> tls, TlsContext::Load(settings.tls, TlsSide::kClient));
  SYNOD_ASSIGN_OR_RETURN(Poller poller, Poller::Create());
  return std::unique_ptr<LinkClient>(
      new LinkClient(std::make_unique<State>(std::move(poller), std::move(settings), std::move(tls), clock)));
}

int LinkClient::descriptor() const {
  return state_->descriptor();
}
double LinkClient::next_timer() const {
  return state_->next_timer();
}
std::vector<LinkEvent> LinkClient::Advance() {
  return state_->Advance();
}
bool LinkClient::open() const {
  return state_->open();
}
Status LinkClient::Send(Envelope envelope) {
  return state_->Send(std::move(envelope));
}
void LinkClient::Close(GoodbyeReason reason) {
  state_->Close(reason);
}
bool LinkClient::CheckPeerAgain() {
  return state_->CheckPeerAgain();
}
Status LinkClient::Reload() {
  return state_->Reload();
}
std::size_t LinkClient::queued_bytes() const {
  return state_->queued_bytes();
}
LinkClient::Statistics LinkClient::statistics() const {
  return state_->statistics();
}

}  // namespace synod
