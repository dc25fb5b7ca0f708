// A member that breaks the rules inside its link loses that link, with a named reason; the run does not notice. The
// member is a site of the consortium that no run asks for, with its own good certificate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "common/core/hex.h"
#include "common/wire/limits.h"
#include "tests/federation/bad_peer.h"
#include "tests/federation/training_federation.h"

namespace synod::testing {
namespace {

using ::testing::HasSubstr;

class BadMessages : public ::testing::Test {
 protected:
  BadMessages() { member_ = FilesOf(training_.federation.AddSite("site-d")); }
  void SetUp() override { training_.Begin(); }
  void TearDown() override {
    BadPeer again(federation().port(), member_);
    EXPECT_TRUE(again.Open()) << "the member may come back";
    training_.ExpectPublishedAndComplete();
  }

  Federation& federation() { return training_.federation; }
  RunId run() const { return {*FixedFromHex<16>(training_.run)}; }
  Message AnswerToRun() const { return Answer{{run(), 0, 0}}; }

  // Opens a link, does it, and expects to be closed for breaking the rule of that name.
  void ExpectClosedFor(const std::string& rule, const std::function<void(BadPeer&)>& misbehave) {
    BadPeer peer(federation().port(), member_);
    ASSERT_TRUE(peer.Open()) << rule << federation().LogOf(Federation::kCoordinator);
    misbehave(peer);
    EXPECT_EQ(peer.WaitForEnd(), GoodbyeReason::kProtocol) << rule;
    EXPECT_TRUE(Eventually([&] {
      return federation().LogOf(Federation::kCoordinator).find(rule) != std::string::npos;
    })) << "not in the log: "
        << rule << federation().LogOf(Federation::kCoordinator);
  }
  Bytes FrameOf(const BadPeer& peer, std::uint64_t ahead = 0) const {
    Bytes frame;
    AppendFrame(FrameType(AnswerToRun()), peer.next_sequence() + ahead, *EncodeControl(AnswerToRun()), {}, frame);
    return frame;
  }

  TrainingFederation training_;
  TlsFiles member_;
};

TEST_F(BadMessages, BrokenFramesCloseTheirLinkAndNameTheRule) {
  ExpectClosedFor("control is over its limit", [&](BadPeer& peer) {
    Bytes frame = FrameOf(peer);
    frame[10] = 2;  // 128 KiB
    peer.SendPlain(ByteView(frame).first(limits::kFrameHeaderBytes));
  });
  ExpectClosedFor("bulk is over its limit", [&](BadPeer& peer) {
    Bytes frame = FrameOf(peer);
    frame[15] = 0x40;  // 1 GiB
    peer.SendPlain(ByteView(frame).first(limits::kFrameHeaderBytes));
  });
  ExpectClosedFor("wrong sequence number", [&](BadPeer& peer) {  // two frames that changed places
    const Bytes second = FrameOf(peer, 1);
    peer.SendPlain(second);
    peer.SendPlain(FrameOf(peer));
  });
  ExpectClosedFor("another type", [&](BadPeer& peer) { peer.SendFrame(999, *EncodeControl(AnswerToRun()), {}); });
  ExpectClosedFor("wrong magic", [&](BadPeer& peer) { peer.SendPlain(Bytes(64, 'x')); });
  ExpectClosedFor("cannot be parsed", [&](BadPeer& peer) { peer.SendFrame(33, Bytes(100, 0xff), {}); });
  ExpectClosedFor("a second Hello", [&](BadPeer& peer) { peer.SendMessage(BadPeer::OwnHello()); });
}

TEST_F(BadMessages, ATruncatedFrameIsALostLinkAndNoMessage) {
  {
    BadPeer peer(federation().port(), member_);
    ASSERT_TRUE(peer.Open());
    const Bytes frame = FrameOf(peer);
    peer.SendPlain(ByteView(frame).first(frame.size() - 3));
  }
  EXPECT_TRUE(Eventually([&] {
    return federation().SiteLine("site-d").value("last_close", "").find("lost") != std::string::npos;
  })) << federation().LogOf(Federation::kCoordinator);
}

TEST_F(BadMessages, AnswersToARunThatItIsNotInAreNotTaken) {
  // Nothing is owed by this site: not one byte of payload is taken.
  ExpectClosedFor("over its limit", [&](BadPeer& peer) { peer.SendPayload(AnswerToRun(), Bytes(4096, 1)); });
  // Nor is it looked into before.
  ExpectClosedFor("message answer has a payload over its limit", [&](BadPeer& peer) {
    peer.SendPayload(AnswerToRun(), Bytes(4096, 1), [](Bytes& bulk) { bulk[0] ^= 0x80; });
  });
  ExpectClosedFor("is not on the roster of this run", [&](BadPeer& peer) {
    peer.SendMessage(RunDecision{run(), Digest{}, Decision::kDenied, DenialReason::kPerson, Signature{}});
  });
  ExpectClosedFor("may not send run_notice", [&](BadPeer& peer) {
    peer.SendMessage(RunNotice{run(), RunPhase::kAborted});
  });
  BadPeer peer(federation().port(), member_);
  ASSERT_TRUE(peer.Open());
  // Of other messages without payload nothing comes.
  peer.SendMessage(AnswerToRun());
  peer.SendMessage(AnswerRefused{{run(), 0, 0}, RefusalReason::kOutsidePlan});
  peer.SendMessage(DraftRefused{run(), Digest{}});
  peer.SendMessage(CounterSignature{run(), Digest{}, {1}, Digest{}, Signature{}});
  peer.Read(0.5);
  EXPECT_FALSE(peer.ended());
}

TEST_F(BadMessages, AlteredFlatBuffersOfAnOperatorNeverPass) {
  const TlsFiles files = FilesOf(federation().kits().first_operator);
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) {
    BadPeer peer(federation().port(), files);
    ASSERT_TRUE(peer.Open());
    const OperatorRequest submit{1, OperatorVerb::kRunSubmit, run()};
    // Of a small table of offsets and a payload that no JSON reader takes, any byte may be another one.
    peer.SendPayload(submit, Bytes(32, '{'), [&](Bytes& bulk) {
      bulk[random() % bulk.size()] ^= static_cast<std::uint8_t>(1u + random() % 255);
    });
    peer.Read(5.0);
    for (const Message& message : peer.messages()) {
      const auto* reply = std::get_if<OperatorReply>(&message);
      EXPECT_TRUE(reply == nullptr || reply->error_code != 0);
    }
  }
}

TEST_F(BadMessages, TwoHundredMutatedFramesDoNoHarm) {
  std::mt19937 random(2);
  for (int i = 0; i < 40; ++i) {
    BadPeer peer(federation().port(), member_);
    if (!peer.Open()) {  // its predecessor's end has not been seen yet
      ADD_FAILURE() << "link " << i;
      break;
    }
    for (int frame = 0; frame < 5 && !peer.ended(); ++frame) {
      Bytes bytes = FrameOf(peer, static_cast<std::uint64_t>(frame));
      for (unsigned flips = random() % 4; flips > 0; --flips) {
        bytes[random() % bytes.size()] ^= static_cast<std::uint8_t>(1u << (random() % 8));
      }
      peer.SendPlain(bytes);
    }
    peer.Read(0.02);
  }
}

TEST(BadMember, CannotRefuseTheDraftOfARunThatItIsNotIn) {
  TrainingFederation training{FederationOptions()};
  Federation& federation = training.federation;
  const TlsFiles member = FilesOf(federation.AddSite("site-d"));
  federation.Start(Federation::kCoordinator);
  for (const char* site : {"site-a", "site-b"}) federation.Start(site);
  federation.Start("site-c", {"--kill-at", "site_before_counter_signature_sent"});
  training.run = federation.Submit();
  ASSERT_TRUE(Eventually([&] { return !federation.Running("site-c"); })) << federation.Logs();
  const Json view = federation.Show(training.run);
  ASSERT_EQ(view.value("state", ""), "signing") << view.dump();
  const Digest digest = *FixedFromHex<32>(view["file"].value("digest", ""));
  BadPeer peer(federation.port(), member);
  ASSERT_TRUE(peer.Open());
  peer.SendMessage(DraftRefused{{*FixedFromHex<16>(training.run)}, digest});
  peer.Read(0.5);
  EXPECT_EQ(federation.StateOf(training.run), "signing") << federation.Synod({"run", "why", training.run}).both();
  federation.Start("site-c");
  training.ExpectPublishedAndComplete();
}

}  // namespace
}  // namespace synod::testing
