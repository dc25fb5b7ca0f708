#include "common/net/link_client.h"

#include <algorithm>
#include <cmath>

#include "common/crypto/secret_random.h"
#include "common/net/link.h"
#include "common/net/stream_socket.h"
#include "common/wire/limits.h"

namespace synod {
namespace {

constexpr int kMaxPiecesAtOnce = 1024;
constexpr double kRetrySeconds = 0.002;
// While it connects, the socket is asked this often whether the attempt has failed.
constexpr double kConnectPollSeconds = 0.02;

constexpr char kUnreachableHint[] =
    "is the coordinator running there, and do name service and firewalls let this machine reach it?";

}  // namespace

class LinkClient::State {
 public:
  State(StreamSocket socket, Settings settings, std::shared_ptr<const TlsContext> tls, const Clock& clock)
      : clock_(clock),
        socket_(std::move(socket)),
        settings_(std::move(settings)),
        tls_(std::move(tls)),
        random_(SecretRandom::FromOperatingSystem()),
        due_at_(clock.MonotonicSeconds()) {
    shared_.rules = settings_.rules;
    random_.Fill(shared_.instance);
  }

  void* handle() const { return socket_.handle(); }
  bool open() const { return link_ && link_->open(); }
  Statistics statistics() const { return statistics_; }

  double next_timer() const {
    if (!events_.empty()) return clock_.MonotonicSeconds();
    switch (phase_) {
      case Phase::kWaiting:
        return due_at_;
      case Phase::kConnecting:
        return poll_at_;
      case Phase::kLinked:
        return std::min(link_->next_timer(), full_since_ + kRetrySeconds);
      case Phase::kStopped:
        break;
    }
    return INFINITY;
  }

  std::vector<LinkEvent> Advance() {
    if (phase_ == Phase::kWaiting && clock_.MonotonicSeconds() >= due_at_) Connect();
    StreamSocket::Piece piece;
    for (int i = 0; i < kMaxPiecesAtOnce && socket_.Receive(piece); ++i) Take(piece);
    if (phase_ == Phase::kConnecting) {
      // A moment that stays until it is here: who waits for it compares it with the clock.
      poll_at_ = clock_.MonotonicSeconds() + kConnectPollSeconds;
      CheckConnecting();
    }
    if (link_) {
      link_->Tick();
      Serve();
    }
    return std::exchange(events_, {});
  }

  Status Send(Envelope envelope) {
    if (!open()) return Error{ErrorCode::kConnection, "not connected to " + settings_.address, ""};
    Status sent = link_->Send(std::move(envelope));
    Serve();
    return sent;
  }

  void Close(GoodbyeReason reason) {
    settings_.reconnect = false;
    if (link_) {
      link_->Close(reason);
      return Serve();
    }
    if (phase_ == Phase::kConnecting) socket_.Disconnect(settings_.address);
    phase_ = Phase::kStopped;
  }

  Status Reload() {
    SYNOD_ASSIGN_OR_RETURN(tls_, TlsContext::Load(settings_.tls, TlsSide::kClient));
    return {};
  }

  std::size_t queued_bytes() const { return link_ ? output_.size() + link_->waiting_bytes() : 0; }

 private:
  enum class Phase { kWaiting, kConnecting, kLinked, kStopped };

  void Connect() {
    ++peer_;
    connection_.clear();
    output_.clear();
    full_since_ = INFINITY;
    phase_ = Phase::kConnecting;
    due_at_ = clock_.MonotonicSeconds() + limits::kHandshakeSeconds;
    const Status connecting = socket_.Connect(settings_.address);
    if (!connecting.ok()) ConnectFailed(connecting.error());
  }

  void CheckConnecting() {
    if (socket_.ConnectFailed()) {
      ConnectFailed({ErrorCode::kConnection, "cannot connect to " + settings_.address, kUnreachableHint});
    } else if (clock_.MonotonicSeconds() >= due_at_) {
      ConnectFailed({ErrorCode::kTimeout, "no connection to " + settings_.address + " in time", kUnreachableHint});
    }
  }

  void ConnectFailed(Error error) {
    events_.emplace_back(PeerClosed{peer_, std::nullopt, std::nullopt, std::move(error)});
    Stop();
  }

  void Take(const StreamSocket::Piece& piece) {
    statistics_.bytes_received += piece.bytes.size();
    if (phase_ == Phase::kConnecting && piece.bytes.empty()) {
      connection_ = piece.connection;
      phase_ = Phase::kLinked;
      link_ = std::make_unique<Link>(tls_, TlsSide::kClient, shared_, clock_);
      link_->Start();
    } else if (phase_ != Phase::kLinked || piece.connection != connection_) {
      return;  // of an earlier connection
    } else if (piece.bytes.empty()) {
      link_->ConnectionLost();
    } else {
      link_->Receive(piece.bytes);
    }
    Serve();
  }

  void Serve() {
    Write();
    Report();
    if (!link_->finished()) return;
    if (link_->opened_seconds() >= limits::kSteadySeconds) failures_ = 0;
    link_.reset();
    Stop();
  }

  void Write() {
    while (!output_.empty() || link_->NextOutput(output_)) {
      switch (socket_.Send(connection_, output_)) {
        case StreamSocket::Sent::kTaken:
          statistics_.bytes_sent += output_.size();
          output_.clear();
          full_since_ = INFINITY;
          break;
        case StreamSocket::Sent::kFull:
          full_since_ = clock_.MonotonicSeconds();
          return;
        case StreamSocket::Sent::kGone:
          output_.clear();
          link_->ConnectionLost();
          return;
      }
    }
  }

  void Report() {
    for (LinkStep& step : link_->TakeSteps()) {
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
    socket_.Disconnect(settings_.address);
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
  StreamSocket socket_;
  Settings settings_;
  std::shared_ptr<const TlsContext> tls_;
  SecretRandom random_;
  Link::Shared shared_;
  Phase phase_ = Phase::kWaiting;
  double due_at_;         // waiting: of the next attempt; connecting: of its end
  double poll_at_ = 0.0;  // connecting: of the next look at the socket
  int failures_ = 0;
  PeerId peer_ = 0;
  std::string connection_;
  std::unique_ptr<Link> link_;
  Bytes output_;  // encrypted, not yet taken by the socket
  double full_since_ = INFINITY;
  std::vector<LinkEvent> events_;
  Statistics statistics_;
};

LinkClient::LinkClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
LinkClient::~LinkClient() = default;

Result<std::unique_ptr<LinkClient>> LinkClient::Create(void* zmq_context, Settings settings, const Clock& clock) {
  SYNOD_ASSIGN_OR_RETURN(std::shared_ptr<const TlsContext> tls, TlsContext::Load(settings.tls, TlsSide::kClient));
  SYNOD_ASSIGN_OR_RETURN(StreamSocket socket, StreamSocket::Open(zmq_context));
  return std::unique_ptr<LinkClient>(
      new LinkClient(std::make_unique<State>(std::move(socket), std::move(settings), std::move(tls), clock)));
}

void* LinkClient::zmq_handle() const {
  return state_->handle();
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
