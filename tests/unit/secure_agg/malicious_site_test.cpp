// The tests play a site that cheats; the coordinator must name it, leave it out, and go on where the quorum allows it.
#include <gtest/gtest.h>

#include "secure_agg/attempt_keys.h"
#include "secure_agg/signed_messages.h"
#include "tests/unit/secure_agg/attempt_world.h"

namespace synod::secure_agg::testing {
namespace {

constexpr SiteIndex kCheat = 2;

// Changes the cheat's messages of one kind; what is signed is signed again by its own key unless `resign` is false.
template <typename Body>
void Cheat(DirectAttempt& attempt, const std::function<void(Body&)>& change, bool resign = true) {
  attempt.from_site = [&attempt, change, resign](SiteIndex from, SiteMessage message) -> std::optional<SiteMessage> {
    Body* body = std::get_if<Body>(&message.body);
    if (from != kCheat || body == nullptr) return message;
    change(*body);
    if constexpr (std::is_same_v<Body, Advertisement> || std::is_same_v<Body, ShareBundle> ||
                  std::is_same_v<Body, UploadEnd>) {
      if (resign) {
        body->signature = SignatureOf(attempt.server().setup(), from, *body, *attempt.world().home(from).key);
      }
    }
    return message;
  };
  attempt.Run();
}

// The cheat is named for this, alone; the others' sum is exact, with or without the cheat's vector.
void ExpectNamedAndGoesOn(const DirectAttempt& attempt, BlameReason reason, bool in_the_sum) {
  EXPECT_EQ(attempt.blames(), (std::vector<Blame>{{kCheat, reason}}));
  EXPECT_TRUE(attempt.IsExact());
  EXPECT_EQ(attempt.survivors().size(), in_the_sum ? 5u : 4u);
}

template <typename Body>
void ExpectNamed(BlameReason reason, bool in_the_sum, const std::function<void(Body&)>& change, bool resign = true) {
  AttemptWorld world({.sites = 5});
  DirectAttempt attempt(world);
  Cheat<Body>(attempt, change, resign);
  ExpectNamedAndGoesOn(attempt, reason, in_the_sum);
}

TEST(MaliciousSite, IsNamedForABadSignatureInEveryPhase) {
  ExpectNamed<Advertisement>(
      BlameReason::kBadSignature, false, [](Advertisement& body) { body.signature[0] ^= 1; }, false);
  ExpectNamed<ShareBundle>(
      BlameReason::kBadSignature, false, [](ShareBundle& body) { body.signature[0] ^= 1; }, false);
  ExpectNamed<UploadEnd>(
      BlameReason::kBadSignature, false, [](UploadEnd& body) { body.signature[0] ^= 1; }, false);
  ExpectNamed<ConsistencySignature>(BlameReason::kBadSignature, true,
                                    [](ConsistencySignature& body) { body.signature[0] ^= 1; });
}

TEST(MaliciousSite, IsNamedForChangingWhatItSigned) {
  ExpectNamed<Advertisement>(
      BlameReason::kBadSignature, false, [](Advertisement& body) { body.statement.push_back(1); }, false);
  ExpectNamed<ShareBundle>(
      BlameReason::kBadSignature, false, [](ShareBundle& body) { body.shares[1].sealed[3] ^= 1; }, false);
  ExpectNamed<UploadEnd>(
      BlameReason::kBadSignature, false, [](UploadEnd& body) { body.tag_key[0] ^= 1; }, false);
}

TEST(MaliciousSite, IsNamedForWeakKeys) {
  // The points of small order of RFC 7748's curve that have the encodings 0, 1 and p - 1.
  for (const int which : {0, 1, 2}) {
    const auto weaken = [which](AgreementKey::Public& key) {
      key.fill(which == 2 ? 0xff : 0);
      if (which == 1) key[0] = 1;
      if (which == 2) {
        key[0] = 0xec;
        key[31] = 0x7f;
      }
    };
    ExpectNamed<Advertisement>(BlameReason::kWeakKey, false, [&](Advertisement& body) { weaken(body.mask_key); });
    ExpectNamed<Advertisement>(BlameReason::kWeakKey, false, [&](Advertisement& body) { weaken(body.share_key); });
  }
  ExpectNamed<Advertisement>(BlameReason::kWeakKey, false, [](Advertisement& body) { body.mask_key = body.share_key; });
}

TEST(MaliciousSite, IsNamedForCopyingTheKeyOfAnother) {
  AttemptWorld world({.sites = 5});
  DirectAttempt attempt(world);
  AgreementKey::Public copied{};
  attempt.from_site = [&](SiteIndex from, SiteMessage message) -> std::optional<SiteMessage> {
    auto* body = std::get_if<Advertisement>(&message.body);
    if (body != nullptr && from == 0) copied = body->mask_key;
    if (body != nullptr && from == kCheat) {
      body->mask_key = copied;
      body->signature = SignatureOf(attempt.server().setup(), from, *body, *world.home(from).key);
    }
    return message;
  };
  attempt.Run();
  ExpectNamedAndGoesOn(attempt, BlameReason::kWeakKey, false);
}

TEST(MaliciousSite, IsNamedForSharesThatAreNotOneForEach) {
  ExpectNamed<ShareBundle>(BlameReason::kMalformed, false, [](ShareBundle& body) { body.shares.pop_back(); });
  ExpectNamed<ShareBundle>(BlameReason::kMalformed, false,
                           [](ShareBundle& body) { body.shares.erase(body.shares.begin()); });
  ExpectNamed<ShareBundle>(BlameReason::kMalformed, false, [](ShareBundle& body) {
    body.shares.push_back(body.shares.back());
    body.shares.back().recipient = 100;
  });
}

TEST(MaliciousSite, IsNamedForAVectorOfTheWrongLength) {
  for (const std::size_t words : {0u, 9u, 11u}) {
    AttemptWorld world({.sites = 5, .dimension = 10});
    DirectAttempt attempt(world);
    attempt.chunk = [words](SiteIndex from, std::uint32_t, Bytes bytes) -> std::optional<Bytes> {
      if (from == kCheat) bytes.resize(4 * words);
      return bytes;
    };
    attempt.Run();
    ExpectNamedAndGoesOn(attempt, BlameReason::kWrongLength, false);
  }
}

TEST(MaliciousSite, IsNamedForAVectorThatItDidNotSign) {
  AttemptWorld world({.sites = 5, .dimension = 10});
  DirectAttempt attempt(world);
  attempt.chunk = [](SiteIndex from, std::uint32_t, Bytes bytes) -> std::optional<Bytes> {
    if (from == kCheat) bytes[17] ^= 4;
    return bytes;
  };
  attempt.Run();
  ExpectNamedAndGoesOn(attempt, BlameReason::kWrongTag, false);
  ExpectNamed<UploadEnd>(BlameReason::kWrongTag, false, [](UploadEnd& body) { body.tag[0] ^= 1; });
}

TEST(MaliciousSite, IsNamedForComplaintsAboutItselfOrStrangers) {
  ExpectNamed<UploadEnd>(BlameReason::kMalformed, false, [](UploadEnd& body) { body.complaints = {kCheat}; });
  ExpectNamed<UploadEnd>(BlameReason::kMalformed, false, [](UploadEnd& body) { body.complaints = {77}; });
}

TEST(MaliciousSite, CannotGetAnHonestOneOutByComplaining) {
  AttemptWorld world({.sites = 5});
  DirectAttempt attempt(world);
  Cheat<UploadEnd>(attempt, [](UploadEnd& body) { body.complaints = {0, 1, 3, 4}; });
  EXPECT_TRUE(attempt.IsExact());
  EXPECT_EQ(attempt.survivors().size(), 5u);
  EXPECT_TRUE(attempt.blames().empty());
}

TEST(MaliciousSite, IsNamedForTwoDifferentMessages) {
  AttemptWorld world({.sites = 5});
  DirectAttempt attempt(world);
  attempt.from_site = [&](SiteIndex from, SiteMessage message) -> std::optional<SiteMessage> {
    auto* body = std::get_if<Advertisement>(&message.body);
    if (from == kCheat && body != nullptr) {
      static_cast<void>(attempt.server().OnMessage(from, message));
      body->statement.push_back(7);
      body->signature = SignatureOf(attempt.server().setup(), from, *body, *world.home(from).key);
    }
    return message;
  };
  attempt.Run();
  ExpectNamedAndGoesOn(attempt, BlameReason::kConflict, false);
}

// What it deals to `victims` is garbage under its own signature.
void DealGarbageTo(ShareBundle& body, const std::vector<SiteIndex>& victims) {
  for (DealtShares& dealt : body.shares) {
    if (std::find(victims.begin(), victims.end(), dealt.recipient) != victims.end()) dealt.sealed[0] ^= 1;
  }
}

TEST(MaliciousSite, WhoseSharesOneSiteRejectsIsStillInTheSum) {
  AttemptWorld world({.sites = 5});
  DirectAttempt attempt(world);
  Cheat<ShareBundle>(attempt, [](ShareBundle& body) { DealGarbageTo(body, {4}); });
  // One complaint proves nothing: the one who complains may lie.
  EXPECT_TRUE(attempt.IsExact());
  EXPECT_EQ(attempt.survivors().size(), 5u);
  EXPECT_TRUE(attempt.blames().empty());
}

TEST(MaliciousSite, WhoseSharesMoreRejectThanMayColludeIsNamed) {
  AttemptWorld world({.sites = 5, .max_colluding = 1});
  DirectAttempt attempt(world);
  Cheat<ShareBundle>(attempt, [](ShareBundle& body) { DealGarbageTo(body, {0, 1, 4}); });
  EXPECT_FALSE(attempt.sum()) << "two shares of five do not give a secret back";
  ASSERT_TRUE(attempt.failure());
  EXPECT_EQ(attempt.failure()->reason, FailureReason::kTooFewShares);
  EXPECT_EQ(attempt.failure()->blames, (std::vector<Blame>{{kCheat, BlameReason::kBadShares}}));
  // Without it the next attempt succeeds.
  DirectAttempt next(world, 1);
  static_cast<void>(next.server().OnSiteLeft(kCheat));
  next.Run();
  EXPECT_TRUE(next.IsExact());
  EXPECT_EQ(next.survivors().size(), 4u);
}

// Shares that their hashes fit, but no secret.
TEST(MaliciousSite, WhoseSharesDoNotFitTogetherIsNamedAsTheirDealer) {
  AttemptWorld world({.sites = 5});
  DirectAttempt attempt(world);
  // Committed to another secret than the one that was dealt: for the others it looks the same.
  Cheat<ShareBundle>(attempt, [](ShareBundle& body) { body.self_commitment[0] ^= 1; });
  EXPECT_FALSE(attempt.sum());
  ASSERT_TRUE(attempt.failure());
  EXPECT_EQ(attempt.failure()->reason, FailureReason::kSharesDoNotFit);
  EXPECT_EQ(attempt.failure()->blames, (std::vector<Blame>{{kCheat, BlameReason::kBadShares}}));
}

TEST(MaliciousSite, IsNamedForRevealingAnotherShareThanItWasDealt) {
  AttemptWorld world({.sites = 5});
  DirectAttempt attempt(world);
  Cheat<Unmasking>(attempt, [](Unmasking& body) { body.shares[3].share[9] ^= 1; });
  ExpectNamedAndGoesOn(attempt, BlameReason::kBadShare, true);
}

TEST(MaliciousSite, IsNamedForRevealingAnotherSecretThanTheSetCallsFor) {
  ExpectNamed<Unmasking>(BlameReason::kWrongReveal, true,
                         [](Unmasking& body) { body.shares[3].kind = SecretKind::kMaskKey; });
  ExpectNamed<Unmasking>(BlameReason::kWrongReveal, true, [](Unmasking& body) { body.shares.pop_back(); });
  ExpectNamed<Unmasking>(BlameReason::kWrongReveal, true, [](Unmasking& body) {
    body.shares.push_back(body.shares.back());
    body.shares.back().about = 99;
  });
}

TEST(MaliciousSite, AttemptFailsWithNamesWhereTooFewHonestOnesAreLeft) {
  AttemptWorld world({.sites = 4, .quorum = 4});
  DirectAttempt attempt(world);
  Cheat<UploadEnd>(attempt, [](UploadEnd& body) { body.tag[0] ^= 1; });
  EXPECT_FALSE(attempt.sum());
  ASSERT_TRUE(attempt.failure());
  EXPECT_EQ(*attempt.failure(), (Failure{FailureReason::kBelowQuorum, {Blame{kCheat, BlameReason::kWrongTag}}}));
  EXPECT_EQ(Describe(*attempt.failure(), attempt.server().setup()), "below_quorum; site-002: wrong_tag");
}

TEST(Server, DropsAndCountsWhatIsLateRepeatedOrOfAnotherAttempt) {
  AttemptWorld world({.sites = 4});
  const auto setup = world.Setup();
  ServerAttempt server(setup);
  static_cast<void>(server.Start());
  const Advertisement honest = SiteAdvertise(world.Self(0, setup), world.Random(), {}).message();
  EXPECT_TRUE(server.OnMessage(0, {setup->name(), honest}).empty());
  EXPECT_TRUE(server.OnMessage(0, {setup->name(), honest}).empty());
  EXPECT_TRUE(server.OnMessage(0, {world.Setup(1)->name(), honest}).empty());
  EXPECT_TRUE(server.OnMessage(1, {setup->name(), ConsistencySignature{}}).empty());
  EXPECT_TRUE(server.OnMessage(77, {setup->name(), honest}).empty());
  EXPECT_TRUE(server.OnChunk(1, {setup->name(), 0, {}}).empty());
  EXPECT_EQ(server.dropped(), (ServerDropCounts{1, 1, 3}));
  EXPECT_TRUE(server.blames().empty());
  EXPECT_EQ(server.Missing(), (std::vector<SiteIndex>{1, 2, 3}));
}

}  // namespace
}  // namespace synod::secure_agg::testing
