// A member that does not follow the rules loses its own link, with a reason; the others do not notice.
#include <gtest/gtest.h>

#include "common/crypto/sha256.h"
#include "tests/unit/net/raw_peer.h"

namespace synod {
namespace {

// A party with one good site and one open raw peer.
class BadFrames : public testing::Test {
 protected:
  BadFrames() : party_(3 * limits::kChunkBytes) {
    good_ = &party_.AddOpenSite("good");
    bad_ = std::make_unique<RawPeer>(party_, party_.kit.Site("bad"));
    bad_->Open();
  }
  void TearDown() override {
    // The good site is still there and is heard.
    ASSERT_TRUE(good_->client->Send({Answer{}, PayloadOf(2 * limits::kChunkBytes)}).ok());
    EXPECT_TRUE(party_.Until([&] { return party_.server.heard.messages.size() == messages_before_ + 1; }));
    EXPECT_TRUE(good_->heard.closed.empty());
  }
  // The server closes the bad peer as one that breaks the rule whose name is in the error.
  void ExpectProtocolError(const std::string& rule) {
    EXPECT_EQ(bad_->WaitForEnd(), GoodbyeReason::kProtocol);
    ASSERT_EQ(party_.server.heard.closed.size(), 1u);
    const PeerClosed& closed = party_.server.heard.closed[0];
    EXPECT_EQ(closed.reason, GoodbyeReason::kProtocol);
    EXPECT_EQ(closed.identity->name, "bad");
    EXPECT_NE(closed.error.message.find(rule), std::string::npos) << closed.error.message;
  }
  Message AnswerMessage() const { return Answer{{RunNumber(1), 0, 0}}; }
  static PayloadHeader HeaderOf(std::uint64_t transfer, ByteView payload) { return {transfer, payload.size()}; }
  ChunkView ChunkOf(std::uint64_t transfer, ByteView payload, std::size_t offset) const {
    ChunkView chunk{transfer, offset, payload.size(),
                    payload.subspan(offset, std::min(limits::kChunkBytes, payload.size() - offset))};
    if (offset + chunk.data.size() == payload.size()) chunk.sha256 = Sha256(payload);
    return chunk;
  }

  Party party_;
  ClientEnd* good_ = nullptr;
  std::unique_ptr<RawPeer> bad_;
  std::size_t messages_before_ = 0;
};

TEST_F(BadFrames, WrongMagic) {
  bad_->SendPlain(Bytes(24, 'x'));
  ExpectProtocolError("wrong magic");
}

TEST_F(BadFrames, UnknownFlags) {
  Bytes frame;
  AppendFrame(FrameType(AnswerMessage()), 1, *EncodeControl(AnswerMessage()), {}, frame);
  frame[6] = 1;
  bad_->SendPlain(frame);
  ExpectProtocolError("unknown flags");
}

TEST_F(BadFrames, ControlOverTheLimitIsNotWaitedFor) {
  Bytes frame;
  AppendFrame(33, 1, {}, {}, frame);
  frame[10] = 2;  // 128 KiB
  bad_->SendPlain(ByteView(frame).first(24));
  ExpectProtocolError("control is over its limit");
}

TEST_F(BadFrames, BulkOverTheLimitIsNotWaitedFor) {
  Bytes frame;
  AppendFrame(kChunkFrame, 1, {}, {}, frame);
  frame[15] = 0x40;  // 1 GiB
  bad_->SendPlain(ByteView(frame).first(24));
  ExpectProtocolError("bulk is over its limit");
}

TEST_F(BadFrames, ASequenceNumberIsLeftOut) {
  Bytes frame;
  AppendFrame(FrameType(AnswerMessage()), 2, *EncodeControl(AnswerMessage()), {}, frame);
  bad_->SendPlain(frame);
  ExpectProtocolError("wrong sequence number");
}

TEST_F(BadFrames, AFrameIsRepeated) {
  Bytes frame;
  const Message answer = AnswerRefused{{RunNumber(1), 0, 0}, RefusalReason::kReplayed};
  AppendFrame(FrameType(answer), 1, *EncodeControl(answer), {}, frame);
  bad_->SendPlain(frame);
  bad_->SendPlain(frame);
  ExpectProtocolError("wrong sequence number");
  messages_before_ = 1;
}

TEST_F(BadFrames, UnknownType) {
  bad_->SendFrame(999, *EncodeControl(AnswerMessage()), {});
  ExpectProtocolError("another type");
}

TEST_F(BadFrames, GarbageAsControl) {
  bad_->SendFrame(33, Bytes(100, 0xff), {});
  ExpectProtocolError("cannot be parsed");
}

TEST_F(BadFrames, ASecondHello) {
  bad_->SendMessage(bad_->OwnHello());
  ExpectProtocolError("a second Hello");
}

TEST_F(BadFrames, ATruncatedFrameIsALostConnectionAndNoMessage) {
  Bytes frame;
  AppendFrame(FrameType(AnswerMessage()), 1, *EncodeControl(AnswerMessage()), {}, frame);
  frame.resize(frame.size() - 3);
  bad_->SendPlain(frame);
  bad_.reset();
  ASSERT_TRUE(party_.Until([&] { return !party_.server.heard.closed.empty(); }));
  EXPECT_FALSE(party_.server.heard.closed[0].reason.has_value());
  EXPECT_TRUE(party_.server.heard.messages.empty());
}

TEST_F(BadFrames, BulkBehindAMessageWithoutPayload) {
  ChunkWriter writer;
  bad_->SendFrame(33, *EncodeControl(AnswerMessage()), writer.Write({0, 0, 1, Bytes(1)}));
  ExpectProtocolError("bulk behind a message without payload");
}

TEST_F(BadFrames, AnAlteredFlatBufferNeverPasses) {
  const Bytes payload = *PayloadOf(1000);
  ChunkWriter writer;
  const ByteView written = writer.Write(ChunkOf(0, payload, 0));
  Bytes altered(written.begin(), written.end());
  altered[0] ^= 0x80;  // the offset of the root table
  bad_->SendFrame(33, *EncodeControl(Control{AnswerMessage(), HeaderOf(0, payload)}), altered);
  ExpectProtocolError("form is broken");
}

TEST_F(BadFrames, APayloadWithAnotherDigest) {
  const Bytes payload = *PayloadOf(1000);
  ChunkView chunk = ChunkOf(0, payload, 0);
  (*chunk.sha256)[31] ^= 1;
  bad_->SendPayloadStart(AnswerMessage(), HeaderOf(0, payload), chunk);
  ExpectProtocolError("wrong digest");
}

TEST_F(BadFrames, APayloadOfSeveralChunksWithAnotherDigest) {
  const Bytes payload = *PayloadOf(limits::kChunkBytes + 1000);
  bad_->SendPayloadStart(AnswerMessage(), HeaderOf(0, payload), ChunkOf(0, payload, 0));
  party_.For(0.05);
  ChunkView last = ChunkOf(0, payload, limits::kChunkBytes);
  (*last.sha256)[0] ^= 0x80;
  bad_->SendChunk(last);
  ExpectProtocolError("wrong digest");
}

TEST_F(BadFrames, APayloadWithoutADigest) {
  const Bytes payload = *PayloadOf(1000);
  ChunkView chunk = ChunkOf(0, payload, 0);
  chunk.sha256.reset();
  bad_->SendPayloadStart(AnswerMessage(), HeaderOf(0, payload), chunk);
  ExpectProtocolError("without a digest");
}

TEST_F(BadFrames, ADigestBeforeTheEndOfItsPayload) {
  const Bytes payload = *PayloadOf(limits::kChunkBytes + 1);
  ChunkView chunk = ChunkOf(0, payload, 0);
  chunk.sha256 = Sha256(payload);
  bad_->SendPayloadStart(AnswerMessage(), HeaderOf(0, payload), chunk);
  ExpectProtocolError("before the end");
}

TEST_F(BadFrames, APayloadOverTheRulesLimit) {
  const Bytes payload = *PayloadOf(3 * limits::kChunkBytes + 1);
  bad_->SendPayloadStart(AnswerMessage(), HeaderOf(0, payload), ChunkOf(0, payload, 0));
  ExpectProtocolError("over its limit");
}

TEST_F(BadFrames, MoreTransfersAtOnceThanAllowed) {
  const Bytes payload = *PayloadOf(limits::kChunkBytes + 1);
  for (std::uint64_t transfer = 0; transfer <= limits::kMaxIncomingPayloads; ++transfer) {
    bad_->SendPayloadStart(AnswerMessage(), HeaderOf(transfer, payload), ChunkOf(transfer, payload, 0));
    party_.Step();
    party_.For(0.05);
  }
  ExpectProtocolError("too many payloads at once");
}

TEST_F(BadFrames, ChunksOutOfOrder) {
  const Bytes payload = *PayloadOf(3 * limits::kChunkBytes);
  bad_->SendPayloadStart(AnswerMessage(), HeaderOf(0, payload), ChunkOf(0, payload, 0));
  party_.For(0.05);
  bad_->SendChunk(ChunkOf(0, payload, 2 * limits::kChunkBytes));
  ExpectProtocolError("out of order");
}

TEST_F(BadFrames, AChunkOfAnUnknownPayload) {
  bad_->SendChunk({7, 0, 1, Bytes(1)});
  ExpectProtocolError("unknown payload");
}

TEST_F(BadFrames, AChunkThatIsNotWhole) {
  const Bytes payload = *PayloadOf(1000);
  ChunkView chunk = ChunkOf(0, payload, 0);
  chunk.data = chunk.data.first(999);
  bad_->SendPayloadStart(AnswerMessage(), HeaderOf(0, payload), chunk);
  ExpectProtocolError("not whole");
}

TEST_F(BadFrames, ATransferNumberIsUsedAgain) {
  const Bytes payload = *PayloadOf(10);
  bad_->SendPayloadStart(AnswerMessage(), HeaderOf(0, payload), ChunkOf(0, payload, 0));
  bad_->SendPayloadStart(AnswerMessage(), HeaderOf(0, payload), ChunkOf(0, payload, 0));
  ExpectProtocolError("does not count up");
  messages_before_ = 1;
}

TEST_F(BadFrames, CreditForBytesThatWereNeverSent) {
  bad_->SendFrame(kCreditFrame, EncodeCredit({std::uint64_t{1} << 40}), {});
  ExpectProtocolError("never sent");
}

TEST_F(BadFrames, CreditThatStandsStill) {
  bad_->SendFrame(kCreditFrame, EncodeCredit({0}), {});
  ExpectProtocolError("count up");
}

}  // namespace
}  // namespace synod
