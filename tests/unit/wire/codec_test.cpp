#include "common/wire/codec.h"

#include <gtest/gtest.h>
#include <wire_generated/control.pb.h>

#include <cmath>
#include <limits>
#include <set>

#include "common/core/hex.h"
#include "common/crypto/sha256.h"
#include "common/wire/limits.h"
#include "common/wire/peer_text.h"
#include "tests/unit/wire/sample_messages.h"

namespace synod {
namespace {

TEST(Codec, EveryMessageComesBackAsItWas) {
  const std::vector<Message> messages = SampleMessages();
  ASSERT_EQ(messages.size(), std::variant_size_v<Message>);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    EXPECT_EQ(messages[i].index(), i);
    const Control control{messages[i], PayloadHeader{3, 1u << 30}};
    for (const Control& sent : {Control{messages[i], std::nullopt}, control}) {
      const Result<Bytes> bytes = EncodeControl(sent);
      ASSERT_TRUE(bytes.ok()) << MessageName(messages[i]) << bytes.error().message;
      const Result<Control> got = DecodeControl(FrameType(messages[i]), *bytes);
      ASSERT_TRUE(got.ok()) << got.error().message;
      EXPECT_TRUE(*got == sent) << MessageName(messages[i]);
    }
  }
}

TEST(Codec, TypesAreFixedForEver) {
  const std::vector<std::uint16_t> types = {1, 2, 3, 16, 17, 18, 19, 20, 21, 32, 33, 34, 35, 36, 40, 48, 49, 56, 57};
  const std::vector<Message> messages = SampleMessages();
  ASSERT_EQ(messages.size(), types.size());
  for (std::size_t i = 0; i < messages.size(); ++i) EXPECT_EQ(FrameType(messages[i]), types[i]);
}

TEST(Codec, BytesAreFixedForEver) {
  const QueryName name{RunId{FilledFrom<std::array<std::uint8_t, 16>>(0)}, 5, 1};
  const Result<Bytes> bytes = EncodeControl(QueryAsk{name, 2, QueryKind::kGradient, 3, 300, 1.5});
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(ToHex(*bytes),
            "9a012a0a160a10000102030405060708090a0b0c0d0e0f1005180110021801200328ac0231000000000000f83f");
}

TEST(Codec, AnotherTypeThanTheFramesIsRefused) {
  for (const Message& message : SampleMessages()) {
    const Bytes bytes = *EncodeControl(message);
    for (std::uint16_t type = 0; type < 64; ++type) {
      EXPECT_EQ(DecodeControl(type, bytes).ok(), type == FrameType(message));
    }
  }
}

TEST(Codec, NoPrefixOfAMessageIsThatMessage) {
  for (const Message& message : SampleMessages()) {
    const Bytes bytes = *EncodeControl(message);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(DecodeControl(FrameType(message), ByteView(bytes).first(size)).ok()) << MessageName(message);
    }
  }
}

TEST(Codec, OneValueHasOneEncoding) {
  const Message message = QueryClosed{RunId{FilledFrom<std::array<std::uint8_t, 16>>(1)}, 0};
  const Bytes bytes = *EncodeControl(message);
  ASSERT_TRUE(DecodeControl(20, bytes).ok());
  // The field `query` is 0 and therefore left out: written out, it is another spelling.
  Bytes explicit_default = bytes;
  explicit_default[2] = static_cast<std::uint8_t>(explicit_default[2] + 2);
  explicit_default.insert(explicit_default.end(), {0x10, 0x00});
  EXPECT_FALSE(DecodeControl(20, explicit_default).ok());
  // A field that nobody knows.
  Bytes unknown = bytes;
  unknown.insert(unknown.end(), {0xf8, 0x3f, 0x01});
  EXPECT_FALSE(DecodeControl(20, unknown).ok());
  // The same body twice.
  Bytes twice = bytes;
  twice.insert(twice.end(), bytes.begin(), bytes.end());
  EXPECT_FALSE(DecodeControl(20, twice).ok());
}

TEST(Codec, WhatIsOutOfRangeIsNeitherWrittenNorRead) {
  const auto refused = [](const Message& message) { return !EncodeControl(message).ok(); };
  EXPECT_TRUE(refused(Goodbye{static_cast<GoodbyeReason>(0)}));
  EXPECT_TRUE(refused(Goodbye{static_cast<GoodbyeReason>(10)}));
  EXPECT_TRUE(refused(RunNotice{{}, static_cast<RunPhase>(7)}));
  EXPECT_TRUE(refused(RunDecision{{}, {}, Decision::kApproved, DenialReason::kPolicy, {}}));
  EXPECT_TRUE(refused(RunDecision{{}, {}, Decision::kDenied, DenialReason::kNone, {}}));
  EXPECT_TRUE(refused(RunDecision{{}, {}, static_cast<Decision>(4), DenialReason::kNone, {}}));
  EXPECT_TRUE(refused(RunDecision{{}, {}, Decision::kWaiting, DenialReason::kBudget, {}}));
  EXPECT_FALSE(refused(RunDecision{{}, {}, Decision::kWaiting, DenialReason::kNone, {}}));
  EXPECT_FALSE(refused(RunDecision{{}, {}, Decision::kWaiting, DenialReason::kPerson, {}}));
  EXPECT_TRUE(refused(AnswerRefused{{}, static_cast<RefusalReason>(5)}));
  EXPECT_TRUE(refused(OperatorRequest{1, static_cast<OperatorVerb>(9), {}}));
  EXPECT_TRUE(refused(OperatorReply{1, 9, "", "", false}));
  EXPECT_TRUE(refused(OperatorReply{1, -1, "", "", false}));
  for (const double seconds : {-1.0, -0.0, 1e12, std::numeric_limits<double>::infinity(), std::nan("")}) {
    EXPECT_TRUE(refused(QueryAsk{{}, 0, QueryKind::kHistogram, 0, 0, seconds})) << seconds;
  }
  EXPECT_TRUE(refused(QueryAsk{{}, limits::kMaxPlanEntries, QueryKind::kHistogram, 0, 0, 1.0}));
  EXPECT_TRUE(refused(QueryAsk{{}, 0, QueryKind::kHistogram, ~std::uint64_t{0}, 0, 1.0}));
  EXPECT_TRUE(refused(QueryAsk{{}, 0, static_cast<QueryKind>(2), 0, 0, 1.0}));
  CounterSignature signature;
  signature.attempts.assign(limits::kMaxPlanEntries + 1, 1);
  EXPECT_TRUE(refused(signature));
}

TEST(Codec, LedgerHeadsAreProperAndAtMostSoMany) {
  const auto refused = [](const LedgerHeads& heads) { return !EncodeControl(heads).ok(); };
  EXPECT_FALSE(refused({}));
  SignedHead large = SampleHead(std::string(63, 'x'));
  for (std::uint8_t i = 1; i < LedgerHead::kMaxAccounts; ++i) {
    HeldAccount account = large.head.held[0];
    account.dataset.bytes[0] = static_cast<std::uint8_t>(account.dataset.bytes[0] + i);
    large.head.held.push_back(account);
  }
  EXPECT_FALSE(refused({std::vector<SignedHead>(LedgerHeads::kMaxHeads, large)})) << "the largest ones fit";
  EXPECT_TRUE(refused({std::vector<SignedHead>(LedgerHeads::kMaxHeads + 1, SampleHead("site-a"))}));
  const auto changed = [&](auto change) {
    SignedHead head = SampleHead("site-a");
    change(head.head);
    return LedgerHeads{{head}};
  };
  EXPECT_TRUE(refused(changed([](LedgerHead& head) { head.site = "not a name"; })));
  EXPECT_TRUE(refused(changed([](LedgerHead& head) { head.held[0].order = 1.0; })));
  EXPECT_TRUE(refused(changed([](LedgerHead& head) { head.held[0].rdp = std::nan(""); })));
  EXPECT_TRUE(refused(changed([](LedgerHead& head) { head.held[0].rdp = -0.0; })));
  EXPECT_TRUE(refused(changed([](LedgerHead& head) { head.held.push_back(head.held[0]); })));
}

TEST(Codec, TextsAreShortPrintableUtf8) {
  const auto encoded = [](std::string text) { return EncodeControl(OperatorReply{1, 0, std::move(text), "", false}); };
  EXPECT_TRUE(encoded(std::string(limits::kMaxTextBytes, 'x')).ok());
  EXPECT_FALSE(encoded(std::string(limits::kMaxTextBytes + 1, 'x')).ok());
  EXPECT_TRUE(encoded("zwei\nZeilen, 日本").ok());
  for (const std::string& text : {std::string("\x1b[2J"), std::string("a\0b", 3), std::string("\x7f"),
                                  std::string("\xc0\xaf"), std::string("\xed\xa0\x80"), std::string("\xff")}) {
    EXPECT_FALSE(encoded(text).ok());
  }
}

TEST(Codec, AnyTextIsMadeOneThatCanBeSentAndAGoodOneIsLeftAlone) {
  const auto encoded = [](std::string text) { return EncodeControl(OperatorReply{1, 0, std::move(text), "", false}); };
  const std::string good = "zwei\nZeilen, 日本";
  EXPECT_EQ(TextForPeer(good), good);
  EXPECT_EQ(TextForPeer(std::string("a\0b\x1b\x7f", 5)), "a?b??");
  EXPECT_EQ(TextForPeer("a\xff\xc3"), "a??");
  for (std::size_t before = 0; before < 4; ++before) {
    std::string text(before, 'x');
    while (text.size() < 2 * limits::kMaxTextBytes) text += "\xF0\x9F\x98\x80";
    const std::string cut = TextForPeer(text);
    EXPECT_TRUE(encoded(cut).ok()) << before;
    EXPECT_GT(cut.size(), limits::kMaxTextBytes - 4);
  }
}

TEST(Codec, LengthsOfDigestsAreChecked) {
  proto::Control control;
  control.mutable_run_proposal()->set_run(std::string(16, 'r'));
  control.mutable_run_proposal()->set_submitter("operator");
  for (const std::size_t size : {0, 31, 33}) {
    control.mutable_run_proposal()->set_plan_hash(std::string(size, 'h'));
    EXPECT_FALSE(DecodeControl(17, AsBytes(control.SerializeAsString())).ok());
  }
  control.mutable_run_proposal()->set_plan_hash(std::string(32, 'h'));
  EXPECT_TRUE(DecodeControl(17, AsBytes(control.SerializeAsString())).ok());
  control.mutable_run_proposal()->set_run(std::string(15, 'r'));
  EXPECT_FALSE(DecodeControl(17, AsBytes(control.SerializeAsString())).ok());
}

TEST(Codec, CreditHasOneEncodingToo) {
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    const Bytes encoded = EncodeCredit({bytes});
    ASSERT_TRUE(DecodeCredit(encoded).ok());
    EXPECT_EQ(DecodeCredit(encoded)->received_bytes, bytes);
  }
  EXPECT_FALSE(DecodeCredit(Bytes{0x08, 0x00}).ok());
  EXPECT_FALSE(DecodeCredit(Bytes{0x08}).ok());
  EXPECT_FALSE(DecodeCredit(Bytes{0x10, 0x01}).ok());
}

TEST(Codec, AResumeComesBackAsItWasAndHasOneEncoding) {
  const Resume resume{3, 7 * limits::kChunkBytes, Sha256("chunks")};
  const Bytes bytes = EncodeResume(resume);
  EXPECT_EQ(ToHex(bytes).substr(0, 18),
            "0803108080c003"
            "1a20");
  ASSERT_TRUE(DecodeResume(bytes).ok());
  EXPECT_EQ(*DecodeResume(bytes), resume);
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(DecodeResume(ByteView(bytes).first(size)).ok());
  Bytes unknown = bytes;
  unknown.insert(unknown.end(), {0x20, 0x01});
  EXPECT_FALSE(DecodeResume(unknown).ok());
  Bytes longer = bytes;
  longer[8] = 33;  // of the digest
  longer.push_back(0);
  EXPECT_FALSE(DecodeResume(longer).ok());
}

TEST(Codec, NoMutatedResumeHasASecondEncoding) {
  const Bytes bytes = EncodeResume({1, 5 * limits::kChunkBytes, Sha256("chunks")});
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      Bytes changed = bytes;
      changed[at] = static_cast<std::uint8_t>(value);
      const Result<Resume> read = DecodeResume(changed);
      EXPECT_TRUE(!read.ok() || EncodeResume(*read) == changed);
    }
  }
}

TEST(Codec, EveryNameIsItsOwn) {
  std::set<std::string_view> names;
  for (const Message& message : SampleMessages()) names.insert(MessageName(message));
  EXPECT_EQ(names.size(), std::variant_size_v<Message>);
}

}  // namespace
}  // namespace synod
