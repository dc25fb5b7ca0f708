// A peer that is free to misbehave: a plain TCP socket, and above it a TLS session and frames when a test wants them.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "common/core/version.h"
#include "common/net/tls_step.h"
#include "common/wire/chunk.h"
#include "common/wire/codec.h"
#include "common/wire/frame.h"
#include "common/wire/limits.h"
#include "tests/unit/net/net_party.h"

namespace synod {

class RawSocket {
 public:
  explicit RawSocket(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    fcntl(socket_, F_SETFL, O_NONBLOCK);
  }
  ~RawSocket() { close(socket_); }
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  // How many of them went; none of them once the other side has closed.
  std::size_t Send(ByteView bytes) {
    const ssize_t count = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) broken_ = true;
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  bool broken() const { return broken_; }
  // What is there now. Sets ended() when the other side has closed.
  Bytes Receive() {
    Bytes bytes(1u << 16);
    const ssize_t count = recv(socket_, bytes.data(), bytes.size(), 0);
    if (count == 0 || (count < 0 && errno != EAGAIN)) ended_ = true;
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  bool ended() const { return ended_; }
  void ShrinkReceiveBuffer() {
    const int size = 4096;
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }

 private:
  int socket_;
  bool ended_ = false;
  bool broken_ = false;
};

// Holds a member's key and speaks TLS properly; what it says inside is up to the test.
class RawPeer {
 public:
  RawPeer(Party& party, const TlsFiles& files)
      : party_(party), socket_(party.server.server->port()), context_(Context(files)), tls_(*context_) {
    EXPECT_TRUE(tls_.Start().ok());
    Flush();
  }

  // TLS and, if wanted, Hello both ways.
  void Open(bool hello = true) {
    ASSERT_TRUE(party_.Until([&] { return Read(), tls_.established() || socket_.ended(); }));
    if (!hello) return;
    SendMessage(OwnHello());
    ASSERT_TRUE(party_.Until([&] { return Read(), !frames_.empty() || socket_.ended(); }));
  }
  Hello OwnHello() const { return {limits::kProtocolVersion, kVersion, SystemClock().UnixSeconds(), {9, 9}, 3, 1}; }

  void SendMessage(const Message& message) { SendFrame(FrameType(message), *EncodeControl(message), {}); }
  void SendFrame(std::uint16_t type, ByteView control, ByteView bulk) {
    Bytes frame;
    AppendFrame(type, sequence_++, control, bulk, frame);
    SendPlain(frame);
  }
  // Bytes inside TLS, whatever they are.
  void SendPlain(ByteView bytes) {
    EXPECT_TRUE(tls_.Write(bytes).ok());
    Flush();
  }
  // A message that announces a payload, with its first chunk.
  void SendPayloadStart(const Message& message, const PayloadHeader& header, const ChunkView& chunk) {
    SendFrame(FrameType(message), *EncodeControl(Control{message, header}), writer_.Write(chunk));
  }
  void SendChunk(const ChunkView& chunk) { SendFrame(kChunkFrame, {}, writer_.Write(chunk)); }

  // Takes what the server sent; keeps messages.
  void Read() {
    const Bytes bytes = socket_.Receive();
    if (bytes.empty()) return;
    Bytes plain;
    tls_error = tls_.Receive(bytes, plain).ok() ? tls_error : "TLS ended";
    Flush();
    reader_.Feed(plain);
    for (;;) {
      const auto frame = reader_.Next();
      if (!frame.ok() || !frame->has_value()) return;
      if ((*frame)->type == kResumeFrame) {
        const auto resume = DecodeResume((*frame)->control);
        EXPECT_TRUE(resume.ok());
        if (resume.ok()) resumes_.push_back(*resume);
      }
      const auto control = DecodeControl((*frame)->type, (*frame)->control);
      if (control.ok()) frames_.push_back(control->message);
    }
  }
  // Until the server has closed the connection; returns what it said goodbye with.
  std::optional<GoodbyeReason> WaitForEnd() {
    EXPECT_TRUE(party_.Until([&] { return Read(), socket_.ended() || Goodbye_().has_value(); }));
    return Goodbye_();
  }
  RawSocket& socket() { return socket_; }
  // Of TCP, in all.
  std::uint64_t sent_bytes() const { return sent_bytes_; }
  TlsStep& tls() { return tls_; }
  const std::vector<Message>& messages() const { return frames_; }
  const std::vector<Resume>& resumes() const { return resumes_; }
  std::string tls_error;

 private:
  static std::shared_ptr<const TlsContext> Context(const TlsFiles& files) {
    auto context = TlsContext::Load(files, TlsSide::kClient);
    EXPECT_TRUE(context.ok());
    return *context;
  }
  std::optional<GoodbyeReason> Goodbye_() const {
    for (const Message& message : frames_) {
      if (const auto* goodbye = std::get_if<Goodbye>(&message)) return goodbye->reason;
    }
    return std::nullopt;
  }
  void Flush() {
    ByteView rest(tls_.output());
    while (!rest.empty() && !socket_.broken()) {
      const std::size_t sent = socket_.Send(rest);
      rest = rest.subspan(sent);
      if (sent == 0) party_.Step();
    }
    sent_bytes_ += tls_.output().size();
    tls_.output().clear();
  }

  Party& party_;
  RawSocket socket_;
  std::shared_ptr<const TlsContext> context_;
  TlsStep tls_;
  FrameReader reader_;
  ChunkWriter writer_;
  std::vector<Message> frames_;
  std::vector<Resume> resumes_;
  std::uint64_t sequence_ = 0;
  std::uint64_t sent_bytes_ = 0;
};

}  // namespace synod
