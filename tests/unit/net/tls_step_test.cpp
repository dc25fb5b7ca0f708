#include "common/net/tls_step.h"

#include <gtest/gtest.h>

#include "tests/unit/net/net_kit.h"

namespace synod {
namespace {

class TlsStepTest : public testing::Test {
 protected:
  std::shared_ptr<const TlsContext> Context(const TlsFiles& files, TlsSide side) {
    auto context = TlsContext::Load(files, side);
    EXPECT_TRUE(context.ok());
    return *context;
  }
  NetKit kit_;
  std::shared_ptr<const TlsContext> client_context_ = Context(kit_.Site("site-a"), TlsSide::kClient);
  std::shared_ptr<const TlsContext> server_context_ = Context(kit_.Coordinator(), TlsSide::kServer);
};

Status Pass(TlsStep& from, TlsStep& to, Bytes& plain, std::size_t piece = 1u << 20) {
  const Bytes bytes = std::exchange(from.output(), {});
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    SYNOD_RETURN_IF_ERROR(to.Receive(ByteView(bytes).subspan(at, std::min(piece, bytes.size() - at)), plain));
  }
  return {};
}

void Shake(TlsStep& client, TlsStep& server, std::size_t piece) {
  Bytes plain;
  ASSERT_TRUE(client.Start().ok());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Pass(client, server, plain, piece).ok());
    ASSERT_TRUE(Pass(server, client, plain, piece).ok());
  }
  EXPECT_TRUE(plain.empty());
}

TEST_F(TlsStepTest, AHandshakeWorksHoweverItsBytesAreCut) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{100000}}) {
    TlsStep client(*client_context_);
    TlsStep server(*server_context_);
    Shake(client, server, piece);
    ASSERT_TRUE(client.established() && server.established());
    const auto leaf = X509Certificate::FromDer(server.PeerLeafDer());
    ASSERT_TRUE(leaf.ok());
    EXPECT_EQ(leaf->facts().identity.name, "site-a");
  }
}

TEST_F(TlsStepTest, NothingFollowsAHandshakeByItself) {
  TlsStep client(*client_context_);
  TlsStep server(*server_context_);
  Shake(client, server, 1u << 20);
  EXPECT_TRUE(server.output().empty());  // no session tickets
  EXPECT_TRUE(client.output().empty());
}

TEST_F(TlsStepTest, KeysAreChangedAsBytesFlow) {
  TlsStep client(*client_context_, 1000);
  TlsStep frugal(*client_context_);
  std::size_t with_updates = 0;
  std::size_t without = 0;
  for (TlsStep* sender : {&client, &frugal}) {
    TlsStep server(*server_context_);
    Shake(*sender, server, 1u << 20);
    Bytes plain;
    std::size_t sent = 0;
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(sender->Write(Bytes(600, 'x')).ok());
      sent += sender->output().size();
      ASSERT_TRUE(Pass(*sender, server, plain).ok());
    }
    EXPECT_EQ(plain, Bytes(50 * 600, 'x'));
    (sender == &client ? with_updates : without) = sent;
  }
  EXPECT_GT(with_updates, without);
}

TEST_F(TlsStepTest, AnAlteredRecordEndsTheSessionForGood) {
  TlsStep client(*client_context_);
  TlsStep server(*server_context_);
  Shake(client, server, 1u << 20);
  ASSERT_TRUE(client.Write(Bytes(100, 'x')).ok());
  client.output()[50] ^= 1;
  Bytes plain;
  EXPECT_FALSE(Pass(client, server, plain).ok());
  EXPECT_TRUE(plain.empty());
  ASSERT_TRUE(client.Write(Bytes(100, 'x')).ok());
  EXPECT_FALSE(Pass(client, server, plain).ok());
  EXPECT_TRUE(plain.empty());
}

TEST_F(TlsStepTest, TheEndIsHeard) {
  TlsStep client(*client_context_);
  TlsStep server(*server_context_);
  Shake(client, server, 1u << 20);
  ASSERT_TRUE(client.Write(Bytes(3, 'x')).ok());
  client.End();
  Bytes plain;
  ASSERT_TRUE(Pass(client, server, plain).ok());
  EXPECT_EQ(plain, Bytes(3, 'x'));
  EXPECT_TRUE(server.peer_ended());
}

TEST_F(TlsStepTest, FilesThatAreNoneAreNamed) {
  TlsFiles files = kit_.Site("site-a");
  files.key_file = kit_.Path("ca.pem");
  const auto no_key = TlsContext::Load(files, TlsSide::kClient);
  ASSERT_FALSE(no_key.ok());
  EXPECT_NE(no_key.error().message.find("ca.pem: not a PEM private key"), std::string::npos) << no_key.error().message;
  files.root_file = kit_.Path("nothing.pem");
  EXPECT_FALSE(TlsContext::Load(files, TlsSide::kClient).ok());
}

}  // namespace
}  // namespace synod
