// A member that misuses what is offered of a cut payload loses its own link, with a reason.
#include <gtest/gtest.h>

#include "common/crypto/sha256.h"
#include "common/net/payload_digests.h"
#include "tests/unit/net/raw_peer.h"

namespace synod {
namespace {

class ResumeRules : public testing::Test {
 protected:
  static constexpr std::size_t kChunks = 6;  // and some bytes
  static constexpr std::size_t kOffered = 4;

  void Connect() {
    bad_ = std::make_unique<RawPeer>(party_, party_.kit.Site("bad"));
    bad_->Open();
    party_.server.heard.closed.clear();
  }
  // What the server has after a link of this peer was cut behind the fourth chunk.
  void CutAndBeginAgain() {
    const auto received = [&] { return party_.server.server->statistics().bytes_received; };
    const std::uint64_t before = received();
    Connect();
    Begin(0);
    for (std::size_t i = 1; i < kOffered; ++i) bad_->SendChunk(ChunkOf(0, i));
    ASSERT_TRUE(party_.Until([&] { return received() - before == bad_->sent_bytes(); }));
    bad_.reset();
    ASSERT_TRUE(party_.Until([&] { return !party_.server.heard.closed.empty(); }));
    Connect();
    Begin(0);
    ASSERT_TRUE(party_.Until([&] { return bad_->Read(), !bad_->resumes().empty(); }));
    const Resume expected{0, kOffered * limits::kChunkBytes,
                          PrefixDigest(ByteView(*payload_).first(kOffered * limits::kChunkBytes))};
    ASSERT_EQ(bad_->resumes()[0], expected);
  }
  void Begin(std::uint64_t transfer) {
    bad_->SendPayloadStart(message_, {transfer, payload_->size()}, ChunkOf(transfer, 0));
  }
  ChunkView ChunkOf(std::uint64_t transfer, std::size_t index) const {
    const ByteView payload(*payload_);
    const std::size_t offset = index * limits::kChunkBytes;
    ChunkView chunk{transfer, offset, payload.size(),
                    payload.subspan(offset, std::min(limits::kChunkBytes, payload.size() - offset))};
    if (offset + chunk.data.size() == payload.size()) chunk.sha256 = Sha256(payload);
    return chunk;
  }
  void ExpectProtocolError(const std::string& rule) {
    EXPECT_EQ(bad_->WaitForEnd(), GoodbyeReason::kProtocol);
    ASSERT_EQ(party_.server.heard.closed.size(), 1u);
    EXPECT_NE(party_.server.heard.LastError().find(rule), std::string::npos) << party_.server.heard.LastError();
    EXPECT_TRUE(party_.server.heard.messages.empty());
  }
  void ExpectArrival() {
    ASSERT_TRUE(party_.Until([&] { return !party_.server.heard.messages.empty(); })) << party_.server.heard.LastError();
    EXPECT_TRUE(*party_.server.heard.messages[0].envelope.payload == *payload_);
    party_.server.heard.messages.clear();
  }
  // The server has a payload under way to the peer: the window stands, the transfer is not over.
  void ServerSends() {
    Connect();
    const auto payload = PayloadOf(20 * limits::kChunkBytes);
    ASSERT_TRUE(party_.server.server->Send(party_.server.PeerNamed("bad"), {DraftToSign{}, payload}).ok());
  }
  void SendResume(const Resume& resume, ByteView bulk = {}) {
    bad_->SendFrame(kResumeFrame, EncodeResume(resume), bulk);
  }

  Party party_;
  std::unique_ptr<RawPeer> bad_;
  const Message message_ = Answer{{RunNumber(1), 0, 0}};
  const std::shared_ptr<const Bytes> payload_ = PayloadOf(kChunks * limits::kChunkBytes + 10);
};

TEST_F(ResumeRules, AJumpToWhatWasOfferedIsTaken) {
  CutAndBeginAgain();
  for (std::size_t i = kOffered; i <= kChunks; ++i) bad_->SendChunk(ChunkOf(0, i));
  ExpectArrival();
}

TEST_F(ResumeRules, WhoDoesNotJumpIsHeardToo) {
  CutAndBeginAgain();
  for (std::size_t i = 1; i <= kChunks; ++i) bad_->SendChunk(ChunkOf(0, i));
  ExpectArrival();
}

TEST_F(ResumeRules, AJumpThatWasNotOffered) {
  Connect();
  Begin(0);
  bad_->SendChunk(ChunkOf(0, kOffered));
  ExpectProtocolError("out of order");
}

TEST_F(ResumeRules, AJumpBeforeWhatWasOffered) {
  CutAndBeginAgain();
  bad_->SendChunk(ChunkOf(0, kOffered - 1));
  ExpectProtocolError("out of order");
}

TEST_F(ResumeRules, AJumpBehindWhatWasOffered) {
  CutAndBeginAgain();
  bad_->SendChunk(ChunkOf(0, kOffered + 1));
  ExpectProtocolError("out of order");
}

TEST_F(ResumeRules, AJumpBackBehindTheJump) {
  CutAndBeginAgain();
  bad_->SendChunk(ChunkOf(0, kOffered));
  bad_->SendChunk(ChunkOf(0, 1));
  ExpectProtocolError("out of order");
}

TEST_F(ResumeRules, ASecondJumpToTheSamePlace) {
  CutAndBeginAgain();
  bad_->SendChunk(ChunkOf(0, kOffered));
  bad_->SendChunk(ChunkOf(0, kOffered));
  ExpectProtocolError("out of order");
}

TEST_F(ResumeRules, AJumpAfterTheOfferWasPassed) {
  CutAndBeginAgain();
  for (std::size_t i = 1; i <= kOffered; ++i) bad_->SendChunk(ChunkOf(0, i));
  bad_->SendChunk(ChunkOf(0, kOffered));
  ExpectProtocolError("out of order");
}

TEST_F(ResumeRules, AJumpOfAnotherTransfer) {
  CutAndBeginAgain();
  Begin(1);  // the piece is lent to the first one
  bad_->SendChunk(ChunkOf(1, kOffered));
  ExpectProtocolError("out of order");
}

TEST_F(ResumeRules, AJumpWithAChunkThatIsNotWhole) {
  CutAndBeginAgain();
  ChunkView chunk = ChunkOf(0, kOffered);
  chunk.data = chunk.data.first(100);
  bad_->SendChunk(chunk);
  ExpectProtocolError("not whole");
}

TEST_F(ResumeRules, AJumpThatGivesThePayloadAnotherLength) {
  CutAndBeginAgain();
  ChunkView chunk = ChunkOf(0, kOffered);
  chunk.total += 1;
  bad_->SendChunk(chunk);
  ExpectProtocolError("another length");
}

TEST_F(ResumeRules, AJumpBehindAnotherBeginDoesNotPassTheDigest) {
  CutAndBeginAgain();
  for (std::size_t i = kOffered; i < kChunks; ++i) bad_->SendChunk(ChunkOf(0, i));
  ChunkView last = ChunkOf(0, kChunks);
  Bytes other = *payload_;
  other[2 * limits::kChunkBytes] ^= 1;  // as if this was sent, and only the begin that is here differs
  last.sha256 = Sha256(other);
  bad_->SendChunk(last);
  ExpectProtocolError("wrong digest");
}

TEST_F(ResumeRules, AfterABrokenRuleNothingIsOffered) {
  CutAndBeginAgain();
  bad_->SendChunk(ChunkOf(0, kOffered + 1));
  ExpectProtocolError("out of order");
  Connect();
  Begin(0);
  for (std::size_t i = 1; i <= kChunks; ++i) bad_->SendChunk(ChunkOf(0, i));
  ExpectArrival();
  bad_->Read();
  EXPECT_TRUE(bad_->resumes().empty());
}

TEST_F(ResumeRules, AResumeOfANumberNeverUsed) {
  ServerSends();
  SendResume({1, 2 * limits::kChunkBytes, {}});
  ExpectProtocolError("never sent");
}

TEST_F(ResumeRules, AResumeOfNothing) {
  ServerSends();
  SendResume({0, 0, {}});
  ExpectProtocolError("not whole chunks");
}

TEST_F(ResumeRules, AResumeThatIsNotWholeChunks) {
  ServerSends();
  SendResume({0, 2 * limits::kChunkBytes + 1, {}});
  ExpectProtocolError("not whole chunks");
}

TEST_F(ResumeRules, AResumeOfAllOrMoreOfThePayload) {
  ServerSends();
  SendResume({0, 20 * limits::kChunkBytes, {}});
  ExpectProtocolError("more than its payload");
}

TEST_F(ResumeRules, AResumeOfMoreThanMayBeKept) {
  ServerSends();
  SendResume({0, ~std::uint64_t{0} << 20, {}});
  ExpectProtocolError("more than may be kept");
}

TEST_F(ResumeRules, TwoResumesOfThePayload) {
  ServerSends();
  SendResume({0, 12 * limits::kChunkBytes, {}});  // another digest: not followed, and not a broken rule
  party_.For(0.02);
  EXPECT_TRUE(party_.server.heard.closed.empty());
  SendResume({0, 13 * limits::kChunkBytes, {}});
  ExpectProtocolError("a second resume");
}

TEST_F(ResumeRules, AResumeOfAPayloadThatWasSentInTheMeantimeIsNoBrokenRule) {
  Connect();
  const PeerId peer = party_.server.PeerNamed("bad");
  ASSERT_TRUE(party_.server.server->Send(peer, {DraftToSign{}, PayloadOf(3 * limits::kChunkBytes)}).ok());
  ASSERT_TRUE(party_.Until([&] { return bad_->Read(), !bad_->messages().empty(); }));
  party_.For(0.05);
  SendResume({0, 2 * limits::kChunkBytes, {}});
  party_.For(0.05);
  EXPECT_TRUE(party_.server.heard.closed.empty());
}

TEST_F(ResumeRules, AResumeWithBulk) {
  ServerSends();
  SendResume({0, 2 * limits::kChunkBytes, {}}, Bytes(16));
  ExpectProtocolError("a resume with bulk");
}

TEST_F(ResumeRules, AResumeBeforeHello) {
  bad_ = std::make_unique<RawPeer>(party_, party_.kit.Site("bad"));
  bad_->Open(/*hello=*/false);
  SendResume({0, 2 * limits::kChunkBytes, {}});
  ExpectProtocolError("before Hello");
}

TEST_F(ResumeRules, ResumesThatCannotBeRead) {
  const Bytes good = EncodeResume({0, 12 * limits::kChunkBytes, Sha256("chunks")});
  Bytes short_digest(good.begin(), good.end() - 1);
  short_digest[short_digest.size() - 32] = 31;
  Bytes unknown_field = good;
  unknown_field.insert(unknown_field.end(), {0x20, 0x01});
  const std::pair<Bytes, std::string> cases[] = {{Bytes(20, 0xff), "cannot be parsed"},
                                                 {{}, "without a proper digest"},
                                                 {short_digest, "without a proper digest"},
                                                 {unknown_field, "one encoding"}};
  for (const auto& [bytes, rule] : cases) {
    ServerSends();
    bad_->SendFrame(kResumeFrame, bytes, {});
    ExpectProtocolError(rule);
    bad_.reset();
    party_.For(0.02);
  }
}

}  // namespace
}  // namespace synod
