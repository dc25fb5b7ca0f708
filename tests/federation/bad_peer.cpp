#include "tests/federation/bad_peer.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "common/core/clock.h"
#include "common/core/version.h"
#include "common/crypto/sha256.h"
#include "common/wire/limits.h"

namespace synod::testing {
namespace {

bool Ready(int socket, short events, double seconds) {
  pollfd descriptor{socket, events, 0};
  return poll(&descriptor, 1, static_cast<int>(seconds * 1000.0)) > 0;
}

}  // namespace

BadSocket::BadSocket(std::uint16_t port, bool small_receive_buffer)
    : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int size = 4096;
  if (small_receive_buffer) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connected_ = connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

BadSocket::~BadSocket() {
  close(socket_);
}

bool BadSocket::Send(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    } else if (errno != EAGAIN || !Ready(socket_, POLLOUT, 1.0)) {
      return false;
    }
  }
  return true;
}

Bytes BadSocket::Receive(double seconds) {
  if (ended_ || !Ready(socket_, POLLIN, seconds)) return {};
  Bytes bytes(1u << 16);
  const ssize_t count = recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count == 0 || (count < 0 && errno != EAGAIN)) ended_ = true;
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

bool BadSocket::EndsWithin(double seconds) {
  const SystemClock clock;
  const double end = clock.MonotonicSeconds() + seconds;
  while (!ended_ && clock.MonotonicSeconds() < end) static_cast<void>(Receive(0.1));
  return ended_;
}

BadPeer::BadPeer(std::uint16_t port, const TlsFiles& files, bool small_receive_buffer)
    : socket_(port, small_receive_buffer) {
  auto context = TlsContext::Load(files, TlsSide::kClient);
  if (!context.ok()) {
    ADD_FAILURE() << context.error().message;
    return;
  }
  context_ = *context;
  tls_.emplace(*context_);
  EXPECT_TRUE(tls_->Start().ok());
  Flush();
}

bool BadPeer::Handshake() {
  const SystemClock clock;
  const double end = clock.MonotonicSeconds() + BadSocket::kPatienceSeconds;
  while (!tls_->established() && !ended_ && clock.MonotonicSeconds() < end) Read(0.1);
  return tls_->established() && !ended_;
}

bool BadPeer::Open(const Hello& hello) {
  if (!Handshake()) return false;
  SendMessage(hello);
  const SystemClock clock;
  const double end = clock.MonotonicSeconds() + BadSocket::kPatienceSeconds;
  while (messages_.empty() && !ended_ && clock.MonotonicSeconds() < end) Read(0.1);
  return !messages_.empty() && std::holds_alternative<Hello>(messages_[0]);
}

Hello BadPeer::OwnHello() {
  return {limits::kProtocolVersion, kVersion, SystemClock().UnixSeconds(), {9, 9}, 0, 0};
}

void BadPeer::SendFrame(std::uint16_t type, ByteView control, ByteView bulk) {
  Bytes frame;
  AppendFrame(type, sequence_++, control, bulk, frame);
  SendPlain(frame);
}

void BadPeer::SendPayload(const Message& message, ByteView payload, const std::function<void(Bytes&)>& change) {
  const PayloadHeader header{transfer_, payload.size()};
  const ByteView first = payload.first(std::min(payload.size(), limits::kChunkBytes));
  const ByteView chunk = writer_.Write({transfer_++, 0, payload.size(), first, Sha256(payload)});
  Bytes bulk(chunk.begin(), chunk.end());
  if (change) change(bulk);
  SendFrame(FrameType(message), *EncodeControl(Control{message, header}), bulk);
}

bool BadPeer::SendPlain(ByteView bytes) {
  if (ended_ || !tls_->Write(bytes).ok()) return false;
  const bool sent = socket_.Send(tls_->output());
  tls_->output().clear();
  return sent;
}

void BadPeer::Read(double seconds) {
  const Bytes bytes = socket_.Receive(seconds);
  if (socket_.ended()) ended_ = true;
  if (bytes.empty()) return;
  Bytes plain;
  const Status received = tls_->Receive(bytes, plain);
  if (!received.ok() && tls_error_.empty()) tls_error_ = received.error().message;
  Flush();
  reader_.Feed(plain);
  for (;;) {
    const auto frame = reader_.Next();
    if (!frame.ok() || !frame->has_value()) break;
    if ((*frame)->type == kCreditFrame || (*frame)->type == kChunkFrame) continue;
    const auto control = DecodeControl((*frame)->type, (*frame)->control);
    if (control.ok()) messages_.push_back(control->message);
  }
  if (!received.ok() || tls_->peer_ended()) ended_ = true;
}

std::optional<GoodbyeReason> BadPeer::goodbye() const {
  for (const Message& message : messages_) {
    if (const auto* goodbye = std::get_if<Goodbye>(&message)) return goodbye->reason;
  }
  return std::nullopt;
}

std::optional<GoodbyeReason> BadPeer::WaitForEnd() {
  const SystemClock clock;
  const double end = clock.MonotonicSeconds() + BadSocket::kPatienceSeconds;
  while (!ended_ && clock.MonotonicSeconds() < end) Read(0.1);
  EXPECT_TRUE(ended_) << "the link was not closed";
  return goodbye();
}

void BadPeer::Flush() {
  static_cast<void>(socket_.Send(tls_->output()));
  tls_->output().clear();
}

TlsFiles FilesOf(const std::string& kit) {
  return {kit + "/trust/ca.pem", kit + "/trust/own.crt", kit + "/trust/own.key"};
}

}  // namespace synod::testing
