// Whoever is not a member gets nowhere, costs little, and keeps no member out.
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "common/crypto/openssl_handles.h"
#include "tests/unit/net/raw_peer.h"

namespace synod {
namespace {

// The client's and the server's view of a client that is not let in.
void ExpectNotLetIn(Party& party, ClientEnd& client, const std::string& at_client, const std::string& at_server) {
  ASSERT_TRUE(party.Until([&] { return !client.heard.closed.empty() && !party.server.heard.closed.empty(); }));
  EXPECT_TRUE(client.heard.opened.empty());
  EXPECT_TRUE(party.server.heard.opened.empty());
  EXPECT_NE(client.heard.LastError().find(at_client), std::string::npos) << client.heard.LastError();
  EXPECT_NE(party.server.heard.LastError().find(at_server), std::string::npos) << party.server.heard.LastError();
}

void ExpectAMemberGetsIn(Party& party) {
  party.AddOpenSite("member");
  EXPECT_NE(party.server.PeerNamed("member"), 0u);
}

TEST(Strangers, AMemberOfAnotherConsortiumOfTheSameNameIsNotLetIn) {
  Party party;
  NetKit other;
  TlsFiles files = other.Site("site-a");
  files.root_file = party.kit.Path("ca.pem");  // it trusts the server, the server does not trust it
  ExpectNotLetIn(party, party.AddClient(files), "unknown ca", "certificate verify failed");
  ExpectAMemberGetsIn(party);
}

TEST(Strangers, ASelfMadeCertificateIsNotLetIn) {
  Party party;
  NetKit other;
  const TlsKey key = TlsKey::Generate();
  const std::int64_t now = SystemClock().UnixSeconds();
  const TlsFiles files{party.kit.Path("ca.pem"), other.Path("own.crt"), other.Path("own.key")};
  ASSERT_TRUE(key.WritePemFile(files.key_file).ok());
  ASSERT_TRUE(
      WriteFileAtomically(files.certificate_file, AsBytes(MakeRoot(key, "heart", now - 10, now + 1000)->ToPem())).ok());
  ExpectNotLetIn(party, party.AddClient(files), "TLS", "TLS");
  ExpectAMemberGetsIn(party);
}

TEST(Strangers, AClientGivesNothingToAServerOfAnotherConsortium) {
  Party party;
  NetKit other;
  TlsFiles files = party.kit.Site("site-a");
  files.root_file = other.Path("ca.pem");
  ExpectNotLetIn(party, party.AddClient(files), "certificate verify failed", "unknown ca");
}

TEST(Strangers, ASiteCannotPoseAsTheCoordinator) {
  Party party;
  party.server.server.reset();
  party.server = ServerEnd::Listen(party.clock, party.kit.Site("site-x"), party.ServerRules());
  ExpectNotLetIn(party, party.AddSite("site-a"), "certificate verify failed", "TLS");
}

TEST(Strangers, ARoleThatMayNotConnectHearsSo) {
  Party party;
  ClientEnd& client = party.AddClient(party.kit.Member(Role::kViewer, "viewer"));
  ExpectNotLetIn(party, client, "not_allowed", "the role may not connect here");
  EXPECT_EQ(client.heard.LastReason(), GoodbyeReason::kNotAllowed);
  ExpectAMemberGetsIn(party);
}

// A session with OpenSSL's own defaults as far as `prepare` leaves them; returns what the handshake came to.
std::string HandshakeWith(Party& party, const std::function<void(SSL_CTX*)>& prepare) {
  RawSocket socket(party.server.server->port());
  const OpensslHandle<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_client_method()));
  prepare(context.get());
  const OpensslHandle<SSL, SSL_free> ssl(SSL_new(context.get()));
  BIO* in = BIO_new(BIO_s_mem());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), in, out);
  SSL_set_connect_state(ssl.get());
  std::string result;
  static_cast<void>(party.Until([&] {
    const Bytes received = socket.Receive();
    if (!received.empty()) BIO_write(in, received.data(), static_cast<int>(received.size()));
    Bytes byte(1);
    const int code =
        SSL_is_init_finished(ssl.get()) ? SSL_read(ssl.get(), byte.data(), 1) : SSL_do_handshake(ssl.get());
    Bytes sent(1u << 16);
    const int count = BIO_read(out, sent.data(), static_cast<int>(sent.size()));
    if (count > 0) socket.Send(ByteView(sent).first(static_cast<std::size_t>(count)));
    if (code <= 0 && SSL_get_error(ssl.get(), code) == SSL_ERROR_SSL) {
      const char* reason = ERR_reason_error_string(ERR_get_error());
      result = reason == nullptr ? "error" : reason;
    }
    ERR_clear_error();
    return !result.empty() || socket.ended();
  }));
  return result;
}

TEST(Strangers, AClientWithoutACertificateIsNotLetIn) {
  Party party;
  EXPECT_NE(HandshakeWith(party, [](SSL_CTX*) {}).find("certificate required"), std::string::npos);
  EXPECT_TRUE(party.server.heard.opened.empty());
  ExpectAMemberGetsIn(party);
}

TEST(Strangers, Tls12IsNotSpoken) {
  Party party;
  const TlsFiles files = party.kit.Site("site-a");
  const std::string result = HandshakeWith(party, [&](SSL_CTX* context) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    EXPECT_EQ(SSL_CTX_use_certificate_file(context, files.certificate_file.c_str(), SSL_FILETYPE_PEM), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context, files.key_file.c_str(), SSL_FILETYPE_PEM), 1);
  });
  EXPECT_NE(result.find("protocol version"), std::string::npos) << result;
  ASSERT_FALSE(party.server.heard.closed.empty());
  EXPECT_NE(party.server.heard.LastError().find("unsupported protocol"), std::string::npos);
  ExpectAMemberGetsIn(party);
}

TEST(Strangers, PlainHttpIsNamed) {
  Party party;
  RawSocket socket(party.server.server->port());
  socket.Send(AsBytes("GET / HTTP/1.1\r\nHost: coordinator\r\n\r\n"));
  ASSERT_TRUE(party.Until([&] { return !party.server.heard.closed.empty(); }));
  EXPECT_NE(party.server.heard.LastError().find("http request"), std::string::npos) << party.server.heard.LastError();
  ASSERT_TRUE(party.Until([&] { return static_cast<void>(socket.Receive()), socket.ended(); }));
  ExpectAMemberGetsIn(party);
}

TEST(Strangers, TwoHundredConnectionsOfGarbageAreClosedAndForgotten) {
  Party party;
  ClientEnd& site = party.AddOpenSite("site-a");
  std::vector<std::unique_ptr<RawSocket>> sockets;
  for (int i = 0; i < 200; ++i) {
    sockets.push_back(std::make_unique<RawSocket>(party.server.server->port()));
    sockets.back()->Send(*PayloadOf(static_cast<std::size_t>(1 + i * 97), static_cast<std::uint8_t>(i)));
    party.Step();
  }
  const auto all_ended = [&] {
    return std::all_of(sockets.begin(), sockets.end(), [](const auto& socket) {
      static_cast<void>(socket->Receive());
      return socket->ended();
    });
  };
  // One byte of garbage may still be the begin of something: those few end with the deadline of handshakes.
  party.For(0.2);
  party.clock.monotonic_offset = limits::kHandshakeSeconds;
  ASSERT_TRUE(party.Until(all_ended));
  EXPECT_EQ(party.server.server->statistics().unauthenticated_peers, 0u);
  EXPECT_EQ(party.server.heard.closed.size(), 200u);
  EXPECT_TRUE(site.client->open());
  ExpectAMemberGetsIn(party);
}

TEST(Strangers, ThreeHundredIdleConnectionsKeepNoMemberOut) {
  Party party;
  std::vector<std::unique_ptr<RawSocket>> sockets;
  for (int i = 0; i < 300; ++i) {
    sockets.push_back(std::make_unique<RawSocket>(party.server.server->port()));
    party.Step();
  }
  ASSERT_TRUE(party.Until([&] { return party.server.heard.closed.size() >= 300 - limits::kMaxUnauthenticatedPeers; }));
  EXPECT_EQ(party.server.server->statistics().unauthenticated_peers, limits::kMaxUnauthenticatedPeers);
  ExpectAMemberGetsIn(party);
  EXPECT_LE(party.server.server->statistics().unauthenticated_peers, limits::kMaxUnauthenticatedPeers);
}

TEST(Strangers, AHalfOpenHandshakeEndsAtItsDeadline) {
  Party party;
  const auto context = TlsContext::Load(party.kit.Site("site-a"), TlsSide::kClient);
  ASSERT_TRUE(context.ok());
  TlsStep tls(**context);
  ASSERT_TRUE(tls.Start().ok());
  RawSocket socket(party.server.server->port());
  socket.Send(tls.output());  // ClientHello, and nothing more
  ASSERT_TRUE(party.Until([&] { return party.server.server->statistics().bytes_received > 0; }));
  party.clock.monotonic_offset = limits::kHandshakeSeconds - 1.0;
  party.For(0.1);
  EXPECT_TRUE(party.server.heard.closed.empty());
  party.clock.monotonic_offset = limits::kHandshakeSeconds + 1.0;
  ASSERT_TRUE(party.Until([&] { return !party.server.heard.closed.empty(); }));
  EXPECT_EQ(party.server.heard.closed[0].error.code, ErrorCode::kTimeout);
}

TEST(Strangers, AMemberThatNeverSaysHelloEndsAtTheSameDeadline) {
  Party party;
  RawPeer peer(party, party.kit.Site("site-a"));
  peer.Open(/*hello=*/false);
  ASSERT_TRUE(party.Until([&] { return party.server.server->statistics().bytes_received == peer.sent_bytes(); }));
  party.clock.monotonic_offset = limits::kHandshakeSeconds + 1.0;
  ASSERT_TRUE(party.Until([&] { return !party.server.heard.closed.empty(); }));
  EXPECT_EQ(party.server.heard.closed[0].identity->name, "site-a");
  EXPECT_EQ(party.server.heard.closed[0].error.code, ErrorCode::kTimeout);
}

TEST(Strangers, AnEndlessHandshakeIsCutAtSixteenKibibytes) {
  Party party;
  RawSocket socket(party.server.server->port());
  // A record that announces a handshake message of 16 MiB, and more of it.
  Bytes flood = {0x16, 0x03, 0x01, 0x40, 0x00, 0x01, 0xff, 0xff, 0xfc};
  flood.resize(5 + 0x4000, 0);
  for (int i = 0; i < 4; ++i) socket.Send(flood);
  ASSERT_TRUE(party.Until([&] { return !party.server.heard.closed.empty(); }));
  EXPECT_LE(party.server.server->statistics().bytes_received, 8u * limits::kMaxUnauthenticatedBytes);
}

TEST(Strangers, ProgramMessagesBeforeHelloAreAgainstTheRules) {
  Party party;
  RawPeer peer(party, party.kit.Site("site-a"));
  peer.Open(/*hello=*/false);
  peer.SendMessage(AnswerRefused{});
  EXPECT_EQ(peer.WaitForEnd(), GoodbyeReason::kProtocol);
  EXPECT_TRUE(party.server.heard.messages.empty());
  EXPECT_TRUE(party.server.heard.opened.empty());
}

TEST(Strangers, AnotherProtocolVersionIsNamed) {
  Party party;
  RawPeer peer(party, party.kit.Site("site-a"));
  peer.Open(/*hello=*/false);
  Hello hello = peer.OwnHello();
  ++hello.protocol_version;
  peer.SendMessage(hello);
  EXPECT_EQ(peer.WaitForEnd(), GoodbyeReason::kOtherVersion);
  EXPECT_NE(party.server.heard.LastError().find("version 2"), std::string::npos);
}

TEST(Strangers, AClockThatIsAnHourOffIsNamed) {
  Party party;
  RawPeer peer(party, party.kit.Site("site-a"));
  peer.Open(/*hello=*/false);
  Hello hello = peer.OwnHello();
  hello.unix_seconds -= 3600;
  peer.SendMessage(hello);
  EXPECT_EQ(peer.WaitForEnd(), GoodbyeReason::kClock);
  EXPECT_NE(party.server.heard.LastError().find("behind this one"), std::string::npos);
}

TEST(Strangers, AClockThatIsFourMinutesOffIsFine) {
  Party party;
  RawPeer peer(party, party.kit.Site("site-a"));
  peer.Open(/*hello=*/false);
  Hello hello = peer.OwnHello();
  hello.unix_seconds += 240;
  peer.SendMessage(hello);
  ASSERT_TRUE(party.Until([&] { return !party.server.heard.opened.empty(); }));
}

}  // namespace
}  // namespace synod
