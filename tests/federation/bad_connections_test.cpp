// Whoever floods, starves or confuses the coordinator's port keeps no run from going on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <random>

#include "common/core/hex.h"
#include "common/crypto/openssl_handles.h"
#include "tests/federation/bad_peer.h"
#include "tests/federation/proc_files.h"
#include "tests/federation/training_federation.h"

namespace synod::testing {
namespace {

using ::testing::HasSubstr;

class BadConnections : public ::testing::Test {
 protected:
  void SetUp() override { training_.Begin(); }
  void TearDown() override { training_.ExpectPublishedAndComplete(); }

  Federation& federation() { return training_.federation; }
  std::string log() { return federation().LogOf(Federation::kCoordinator); }
  void ExpectInLog(const std::string& text) {
    EXPECT_TRUE(Eventually([&] { return log().find(text) != std::string::npos; })) << text << log();
  }

  TrainingFederation training_;
};

TEST_F(BadConnections, PlainHttpIsClosedAndNamed) {
  BadSocket socket(federation().port());
  socket.Send(AsBytes("GET / HTTP/1.1\r\nHost: coordinator\r\n\r\n"));
  EXPECT_TRUE(socket.EndsWithin());
  ExpectInLog("http request");
}

TEST_F(BadConnections, Tls12IsNotSpoken) {
  const TlsFiles files = FilesOf(federation().kit_of("site-a"));
  const OpensslHandle<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  ASSERT_EQ(SSL_CTX_use_certificate_file(context.get(), files.certificate_file.c_str(), SSL_FILETYPE_PEM), 1);
  ASSERT_EQ(SSL_CTX_use_PrivateKey_file(context.get(), files.key_file.c_str(), SSL_FILETYPE_PEM), 1);
  const OpensslHandle<SSL, SSL_free> ssl(SSL_new(context.get()));
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), in, out);
  SSL_set_connect_state(ssl.get());
  EXPECT_LE(SSL_do_handshake(ssl.get()), 0);
  Bytes hello(4096);
  const int size = BIO_read(out, hello.data(), static_cast<int>(hello.size()));
  ASSERT_GT(size, 0);
  BadSocket socket(federation().port());
  socket.Send(ByteView(hello).first(static_cast<std::size_t>(size)));
  const Bytes alert = socket.Receive(BadSocket::kPatienceSeconds);
  ASSERT_FALSE(alert.empty());
  BIO_write(in, alert.data(), static_cast<int>(alert.size()));
  EXPECT_LE(SSL_do_handshake(ssl.get()), 0);
  const char* reason = ERR_reason_error_string(ERR_get_error());
  EXPECT_THAT(reason == nullptr ? "" : reason, HasSubstr("protocol version"));
  EXPECT_TRUE(socket.EndsWithin());
  ExpectInLog("unsupported protocol");
}

TEST_F(BadConnections, TwoHundredConnectionsOfGarbage) {
  std::mt19937 random(1);
  std::vector<std::unique_ptr<BadSocket>> sockets;
  for (int i = 0; i < 200; ++i) {
    sockets.push_back(std::make_unique<BadSocket>(federation().port()));
    Bytes garbage(1 + random() % 20'000);
    for (std::uint8_t& byte : garbage) byte = static_cast<std::uint8_t>(random());
    static_cast<void>(sockets.back()->Send(garbage));
  }
  // A handshake's time is ten seconds: then all are gone, also those whose few bytes could have become something.
  for (const auto& socket : sockets) EXPECT_TRUE(socket->EndsWithin());
}

TEST_F(BadConnections, ThreeHundredIdleOnesAndAHalfOpenHandshakeKeepNobodyOut) {
  const auto context = TlsContext::Load(FilesOf(federation().kit_of("site-a")), TlsSide::kClient);
  ASSERT_TRUE(context.ok());
  TlsStep tls(**context);
  ASSERT_TRUE(tls.Start().ok());
  BadSocket half_open(federation().port());
  half_open.Send(tls.output());
  std::vector<std::unique_ptr<BadSocket>> sockets;
  for (int i = 0; i < 300; ++i) sockets.push_back(std::make_unique<BadSocket>(federation().port()));
  EXPECT_TRUE(std::all_of(sockets.begin(), sockets.end(), [](const auto& socket) { return socket->connected(); }));
  // A site that comes back now gets in, and so does an operator.
  federation().Kill("site-b");
  federation().Start("site-b");
  EXPECT_EQ(federation().Synod({"run", "list"}).exit_code, 0);
  EXPECT_TRUE(Eventually([&] { return federation().SiteLine("site-b").value("state", "") == "connected"; }));
  EXPECT_TRUE(half_open.EndsWithin());
}

TEST_F(BadConnections, AnOperatorThatNeverReadsLosesItsLinkAndCostsBoundedMemory) {
  const double before = ResidentMegabytes(federation().ProcessId(Federation::kCoordinator));
  BadPeer peer(federation().port(), FilesOf(federation().kits().first_operator), /*small_receive_buffer=*/true);
  ASSERT_TRUE(peer.Open());
  const OperatorRequest show{1, OperatorVerb::kRunShow, {*FixedFromHex<16>(training_.run)}};
  // Each reply is thousands of bytes; nothing of it is ever read.
  for (int i = 0; i < 20'000; ++i) {
    Bytes frame;
    AppendFrame(FrameType(show), static_cast<std::uint64_t>(i) + 1, *EncodeControl(Message(show)), {}, frame);
    if (!peer.SendPlain(frame)) break;
  }
  EXPECT_TRUE(Eventually([&] { return log().find("too_slow") != std::string::npos; }, 40.0)) << log();
  const double after = ResidentMegabytes(federation().ProcessId(Federation::kCoordinator));
  RecordProperty("resident_megabytes_before", std::to_string(before));
  RecordProperty("resident_megabytes_after", std::to_string(after));
#if defined(__SANITIZE_ADDRESS__)
  constexpr double kGrowthMegabytes = 128.0 + 384.0;  // the sanitizer keeps 256 MB of what was freed, and its own notes
#else
  constexpr double kGrowthMegabytes = 128.0;
#endif
  EXPECT_LT(after, before + kGrowthMegabytes);
}

}  // namespace
}  // namespace synod::testing
