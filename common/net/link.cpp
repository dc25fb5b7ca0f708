#include "common/net/link.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "common/core/version.h"
#include "common/wire/limits.h"

namespace synod {
namespace {

Error ConnectionError(std::string message) {
  return Error{ErrorCode::kConnection, std::move(message), ""};
}

Error TimeoutError(std::string message) {
  return Error{ErrorCode::kTimeout, std::move(message), ""};
}

// What the other side said when it closed the link.
Error SaidGoodbye(GoodbyeReason reason) {
  return ConnectionError(fmt::format("the other side closed the link: {}", GoodbyeReasonName(reason)));
}

bool IsOfTheLink(const Message& message) {
  return std::holds_alternative<Hello>(message) || std::holds_alternative<Heartbeat>(message) ||
         std::holds_alternative<Goodbye>(message);
}

}  // namespace

Link::Link(std::shared_ptr<const TlsContext> tls, TlsSide side, Shared& shared, const Clock& clock)
    : shared_(shared),
      clock_(clock),
      side_(side),
      context_(std::move(tls)),
      tls_(*context_),
      inbox_([this](const Message& message) { return shared_.rules.payload_limit(*identity_, message); },
             [this](const Message& message, std::uint64_t total_bytes) {
               const auto name = PartialPayloads::NameOf(*identity_, message, total_bytes);
               return shared_.partial_payloads.Take(name, clock_.MonotonicSeconds());
             }),
      started_at_(clock.MonotonicSeconds()),
      received_at_(started_at_),
      sent_at_(started_at_) {}

void Link::Start() {
  const Status started = tls_.Start();
  if (!started.ok()) Fail(std::nullopt, started.error());
}

void Link::Receive(ByteView bytes) {
  if (state_ == State::kParting || state_ == State::kFinished) return;
  received_at_ = clock_.MonotonicSeconds();
  Bytes& plain = reader_.Intake();
  const std::size_t size_before = plain.size();
  const Status received = tls_.Receive(bytes, plain);
  if (!received.ok()) return Fail(std::nullopt, received.error());
  plain_bytes_ += plain.size() - size_before;
  if (state_ == State::kHandshaking && tls_.established()) Identify();
  ReadFrames();
  if (!opened_) {
    bytes_before_open_ += bytes.size();
    if (bytes_before_open_ > limits::kMaxUnauthenticatedBytes) {
      return Fail(std::nullopt, ConnectionError("too many bytes before the link was open"));
    }
  }
  if (plain_bytes_ - credited_bytes_ >= limits::kCreditBytes) {
    outbox_.PushCredit(plain_bytes_);
    credited_bytes_ = plain_bytes_;
  }
  if (tls_.peer_ended()) ConnectionLost();
}

// Called once the peer has proved to hold the key of a certificate that the root issued, before its first byte is read.
void Link::Identify() {
  state_ = State::kIntroducing;
  Result<X509Certificate> leaf = X509Certificate::FromDer(tls_.PeerLeafDer());
  if (!leaf.ok()) return Fail(GoodbyeReason::kNotAllowed, leaf.error().Within("certificate of the other side"));
  identity_ = leaf->facts().identity;
  leaf_ = std::move(*leaf);
  const Status allowed = shared_.rules.check_peer(*leaf_);
  if (!allowed.ok()) return Fail(GoodbyeReason::kNotAllowed, allowed.error());
  if (side_ == TlsSide::kClient) outbox_.PushOwn(OwnHello());
}

void Link::ReadFrames() {
  while (state_ == State::kIntroducing || state_ == State::kOpen || state_ == State::kDraining) {
    const Result<std::optional<FrameView>> frame = reader_.Next();
    if (!frame.ok()) return Fail(GoodbyeReason::kProtocol, frame.error());
    if (!frame->has_value()) return;
    const Status taken = TakeFrame(**frame);
    if (!taken.ok()) return Fail(GoodbyeReason::kProtocol, taken.error());
  }
}

Status Link::TakeFrame(const FrameView& frame) {
  const bool introduced = state_ == State::kOpen || state_ == State::kDraining;
  if (frame.type == kCreditFrame || frame.type == kResumeFrame) {
    const bool credit = frame.type == kCreditFrame;
    if (!introduced) return BadInput(credit ? "credit before Hello" : "a resume before Hello");
    if (!frame.bulk.empty()) return BadInput(credit ? "credit with bulk" : "a resume with bulk");
    return TakeFrameOfTheLink(frame);
  }
  if (frame.type == kChunkFrame) {
    if (!introduced) return BadInput("a chunk before Hello");
    if (state_ == State::kDraining) return {};
    SYNOD_ASSIGN_OR_RETURN(std::optional<Envelope> whole, inbox_.TakeChunk(frame));
    if (whole) steps_.emplace_back(std::move(*whole));
    return {};
  }
  SYNOD_ASSIGN_OR_RETURN(Control control, DecodeControl(frame.type, frame.control));
  if (IsOfTheLink(control.message)) return TakeOwnMessage(control, frame.bulk);
  if (!introduced) return BadInput("a message before Hello");
  if (state_ == State::kDraining) return {};
  SYNOD_ASSIGN_OR_RETURN(std::optional<Envelope> whole, inbox_.TakeMessage(std::move(control), frame.bulk));
  if (whole) steps_.emplace_back(std::move(*whole));
  if (const std::optional<Resume> resume = inbox_.TakeResume()) outbox_.PushResume(*resume);
  return {};
}

Status Link::TakeFrameOfTheLink(const FrameView& frame) {
  if (frame.type == kResumeFrame) {
    SYNOD_ASSIGN_OR_RETURN(const Resume resume, DecodeResume(frame.control));
    return outbox_.GoOnBehind(resume);
  }
  SYNOD_ASSIGN_OR_RETURN(const Credit credit, DecodeCredit(frame.control));
  return outbox_.Acknowledge(credit.received_bytes, received_at_);
}

Status Link::TakeOwnMessage(const Control& control, ByteView bulk) {
  if (control.payload || !bulk.empty()) return BadInput("a message of the link with a payload");
  if (const auto* goodbye = std::get_if<Goodbye>(&control.message)) {
    TakeGoodbye(*goodbye);
    return {};
  }
  if (const auto* heartbeat = std::get_if<Heartbeat>(&control.message)) {
    if (state_ == State::kIntroducing) return BadInput("a heartbeat before Hello");
    // Due like any other heartbeat, only sooner: however many ask, one answers.
    if (heartbeat->reply_wanted) sent_at_ = -INFINITY;
    return {};
  }
  if (state_ != State::kIntroducing) return BadInput("a second Hello");
  TakeHello(std::get<Hello>(control.message));
  return {};
}

void Link::TakeHello(const Hello& hello) {
  if (hello.protocol_version != limits::kProtocolVersion) {
    return Fail(GoodbyeReason::kOtherVersion,
                ConnectionError(fmt::format("the other side speaks protocol version {}, this one {}",
                                            hello.protocol_version, limits::kProtocolVersion)));
  }
  const double skew = static_cast<double>(hello.unix_seconds) - static_cast<double>(clock_.UnixSeconds());
  if (std::abs(skew) > static_cast<double>(limits::kClockSkewSeconds)) {
    return Fail(
        GoodbyeReason::kClock,
        ConnectionError(fmt::format("the other side's clock is {:.0f} s {} this one; {} s are allowed", std::abs(skew),
                                    skew > 0 ? "ahead of" : "behind", limits::kClockSkewSeconds)));
  }
  peer_instance_ = hello.instance;
  if (side_ == TlsSide::kServer) {
    const std::optional<GoodbyeReason> refused = shared_.admit(*identity_, hello);
    if (refused) {
      return Fail(*refused, ConnectionError(fmt::format("not taken: {}", GoodbyeReasonName(*refused))));
    }
    outbox_.PushOwn(OwnHello());
  }
  state_ = State::kOpen;
  opened_ = true;
  opened_at_ = clock_.MonotonicSeconds();
  steps_.emplace_back(LinkOpened{*identity_, hello});
}

void Link::TakeGoodbye(const Goodbye& goodbye) {
  if (!closed_) closed_ = LinkClosed{identity_, goodbye.reason, SaidGoodbye(goodbye.reason)};
  Finish();
}

Hello Link::OwnHello() const {
  const auto [manifest_number, revocations_number] = shared_.rules.trust_numbers();
  return {limits::kProtocolVersion, kVersion,        clock_.UnixSeconds(),
          shared_.instance,         manifest_number, revocations_number};
}

Status Link::Send(Envelope envelope) {
  if (state_ != State::kOpen) return ConnectionError("the link is not open");
  std::shared_ptr<PayloadDigest> digest = envelope.payload ? shared_.digests.Of(envelope.payload) : nullptr;
  Status pushed = outbox_.Push(std::move(envelope), std::move(digest));
  if (!pushed.ok() && pushed.error().code == ErrorCode::kRefused) Fail(GoodbyeReason::kTooSlow, pushed.error());
  return pushed;
}

void Link::Close(GoodbyeReason reason) {
  if (state_ == State::kDraining || state_ == State::kParting || state_ == State::kFinished) return;
  closed_ = LinkClosed{identity_, reason, ConnectionError(fmt::format("closed: {}", GoodbyeReasonName(reason)))};
  if (state_ != State::kOpen) return Part(reason);
  state_ = State::kDraining;
  parted_at_ = clock_.MonotonicSeconds();
}

void Link::Fail(std::optional<GoodbyeReason> reason, Error error) {
  if (state_ == State::kParting || state_ == State::kFinished) return;
  rule_broken_ = reason == GoodbyeReason::kProtocol;
  if (!closed_) closed_ = LinkClosed{identity_, reason, std::move(error)};
  ReportClosed();
  outbox_.Drop();
  Part(reason);
}

void Link::Part(std::optional<GoodbyeReason> goodbye) {
  if (goodbye && tls_.established()) outbox_.PushOwn(Goodbye{*goodbye});
  if (state_ != State::kDraining) parted_at_ = clock_.MonotonicSeconds();
  state_ = State::kParting;
}

void Link::ConnectionLost() {
  if (state_ == State::kFinished) return;
  if (!closed_) closed_ = LinkClosed{identity_, std::nullopt, ConnectionError("the connection was lost")};
  Finish();
}

void Link::Finish() {
  ReportClosed();
  state_ = State::kFinished;
}

void Link::ReportClosed() {
  if (reported_ || !closed_) return;
  reported_ = true;
  steps_.emplace_back(*closed_);
  KeepPieces();
}

// Of payloads under way, for when their message comes again. Nothing of who broke a rule, or says that we did: whatever
// was wrong is not repeated.
void Link::KeepPieces() {
  if (!opened_ || rule_broken_ || closed_->reason == GoodbyeReason::kProtocol) return;
  const double now = clock_.MonotonicSeconds();
  for (Inbox::Piece& piece : inbox_.TakePieces()) {
    auto name = PartialPayloads::NameOf(*identity_, piece.message, piece.total_bytes);
    shared_.partial_payloads.Keep(std::move(name), std::move(piece.payload), now);
  }
}

void Link::CheckPeerAgain() {
  if (state_ != State::kIntroducing && state_ != State::kOpen) return;
  const Status allowed = shared_.rules.check_peer(*leaf_);
  if (!allowed.ok()) Fail(GoodbyeReason::kRevoked, allowed.error());
}

void Link::Tick() {
  const double now = clock_.MonotonicSeconds();
  if (state_ == State::kHandshaking || state_ == State::kIntroducing) {
    if (now - started_at_ < limits::kHandshakeSeconds) return;
    return Fail(std::nullopt, TimeoutError("the handshake was not done in time"));
  }
  if (state_ == State::kDraining || state_ == State::kParting) {
    if (now - parted_at_ >= limits::kPartingSeconds) Finish();
    return;
  }
  if (state_ == State::kFinished) return;
  if (now - received_at_ >= limits::kSilenceSeconds) {
    return Fail(std::nullopt, TimeoutError("nothing was heard from the other side for too long"));
  }
  if (now - outbox_.waiting_for_credit_since() >= limits::kSilenceSeconds) {
    return Fail(GoodbyeReason::kTooSlow, TimeoutError("the other side takes nothing of what is sent"));
  }
  if (now - sent_at_ >= limits::kHeartbeatSeconds) {
    sent_at_ = now;
    if (outbox_.has_own()) return;
    const auto [manifest_number, revocations_number] = shared_.rules.trust_numbers();
    outbox_.PushOwn(Heartbeat{clock_.UnixSeconds(), manifest_number, revocations_number, false});
  }
}

double Link::next_timer() const {
  switch (state_) {
    case State::kHandshaking:
    case State::kIntroducing:
      return started_at_ + limits::kHandshakeSeconds;
    case State::kOpen:
      return std::min({received_at_ + limits::kSilenceSeconds, sent_at_ + limits::kHeartbeatSeconds,
                       outbox_.waiting_for_credit_since() + limits::kSilenceSeconds});
    case State::kDraining:
    case State::kParting:
      return parted_at_ + limits::kPartingSeconds;
    case State::kFinished:
      break;
  }
  return INFINITY;
}

// Encrypts the next piece of a frame; false if nothing may go.
bool Link::WriteSome() {
  if (frame_rest_.empty()) {
    frame_.payload.reset();
    if (!outbox_.NextFrame(clock_.MonotonicSeconds(), frame_)) return false;
    frame_rest_ = {frame_.tail, frame_.data, frame_.head};
  }
  ByteView& rest = frame_rest_.back();
  const ByteView piece = rest.first(std::min(rest.size(), limits::kSendBytes));
  rest = rest.subspan(piece.size());
  if (rest.empty()) frame_rest_.pop_back();
  const Status written = tls_.Write(piece);
  if (written.ok()) return true;
  Fail(std::nullopt, written.error());
  return false;
}

bool Link::NextOutput(Bytes& out) {
  Bytes& encrypted = tls_.output();
  while (state_ != State::kFinished && tls_.established() && !ended_ && encrypted.size() < limits::kSendBytes) {
    if (WriteSome()) continue;
    if (state_ == State::kDraining && outbox_.empty()) {
      Part(closed_->reason);
      continue;
    }
    if (state_ == State::kParting) {
      tls_.End();
      ended_ = true;
    }
    break;
  }
  if (encrypted.empty()) return false;
  sent_at_ = clock_.MonotonicSeconds();
  out.clear();
  std::swap(out, encrypted);
  return true;
}

std::vector<LinkStep> Link::TakeSteps() {
  return std::exchange(steps_, {});
}

double Link::opened_seconds() const {
  return opened_ ? clock_.MonotonicSeconds() - opened_at_ : 0.0;
}

}  // namespace synod
