// Requests and approvals as files: what is proven, and what damage does.
#include "common/consortium/member_request.h"

#include <gtest/gtest.h>

#include <random>

#include "common/consortium/fingerprint.h"
#include "common/consortium/member_approval.h"
#include "common/core/hex.h"
#include "tests/unit/consortium/small_consortium.h"

namespace synod {
namespace {

using testing::Hearts;

MemberRequest RequestOf(const Identity& identity) {
  const SigningKey signing = SigningKey::Generate();
  return MemberRequest::Make(identity, TlsKey::Generate(), &signing);
}

TEST(MemberRequest, SurvivesItsTextAndKeepsItsFingerprint) {
  const MemberRequest site = RequestOf(Hearts(Role::kSite, "site-a"));
  const Result<MemberRequest> again = MemberRequest::FromCanonicalText(site.CanonicalText());
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, site);
  EXPECT_EQ(again->Fingerprint(), site.Fingerprint());
  EXPECT_NE(site.Fingerprint(), RequestOf(Hearts(Role::kSite, "site-a")).Fingerprint());
  const MemberRequest person = MemberRequest::Make(Hearts(Role::kOperator, "eve"), TlsKey::Generate(), nullptr);
  EXPECT_EQ(MemberRequest::FromCanonicalText(person.CanonicalText()).value(), person);
}

TEST(MemberRequest, ProvesThatItsSenderHoldsTheSigningKey) {
  const MemberRequest good = RequestOf(Hearts(Role::kSite, "site-a"));
  const MemberRequest other = RequestOf(Hearts(Role::kSite, "site-a"));
  const auto refused = [&](auto change) {
    MemberRequest bad = good;
    change(bad);
    const auto parsed = MemberRequest::FromCanonicalText(bad.CanonicalText());
    return !parsed.ok();
  };
  EXPECT_TRUE(refused([&](MemberRequest& r) { r.signing_key = other.signing_key; })) << "somebody else's key";
  EXPECT_TRUE(refused([&](MemberRequest& r) { r.proof = other.proof; })) << "somebody else's proof";
  EXPECT_TRUE(refused([&](MemberRequest& r) {
    r.signing_key = other.signing_key;
    r.proof = other.proof;
  })) << "somebody else's key with their proof over another TLS request";
  EXPECT_TRUE(refused([&](MemberRequest& r) { r.tls_request = other.tls_request; }));
  EXPECT_TRUE(refused([&](MemberRequest& r) { r.identity.name = "site-b"; })) << "another name than was proven";
  EXPECT_TRUE(refused([&](MemberRequest& r) { r.identity = Hearts(Role::kAdmin, "root"); }));
  EXPECT_TRUE(refused([&](MemberRequest& r) { r.identity.role = Role::kOperator; }));
  EXPECT_TRUE(refused([&](MemberRequest& r) {
    r.signing_key = PublicKey();
    r.proof = {};
  })) << "a site without a signing key";
}

TEST(MemberRequest, NeverParsesIntoSomethingElseWhenDamaged) {
  const std::string good = RequestOf(Hearts(Role::kSite, "site-a")).CanonicalText();
  std::mt19937_64 random(20260522);
  for (int round = 0; round < 3000; ++round) {
    std::string bad = good;
    const std::size_t at = random() % bad.size();
    switch (random() % 3) {
      case 0:
        bad[at] = static_cast<char>(bad[at] ^ (1 << (random() % 8)));
        break;
      case 1:
        bad.erase(at, 1 + random() % 30);
        break;
      default:
        bad.insert(at, bad.substr(random() % bad.size(), 1 + random() % 30));
    }
    if (bad == good) continue;
    const Result<MemberRequest> parsed = MemberRequest::FromCanonicalText(bad);
    ASSERT_FALSE(parsed.ok()) << round;
    for (const char c : parsed.error().message) ASSERT_TRUE(c >= 0x20 && c <= 0x7e) << "what a terminal could obey";
  }
  EXPECT_FALSE(MemberRequest::FromCanonicalText(std::string(MemberRequest::kMaxBytes + 100, ' ')).ok());
}

TEST(MemberApproval, SurvivesItsTextAndNothingElse) {
  const Kits kits = testing::MakeHearts();
  const Trust trust = testing::LoadTrust(kits.sites.at("site-a"));
  const MemberApproval approval{trust.root(), trust.own(), trust.Bundle()};
  const std::string text = approval.CanonicalText();
  const Result<MemberApproval> again = MemberApproval::FromCanonicalText(text);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->certificate.der(), trust.own().der());
  EXPECT_EQ(again->trust, trust.Bundle());
  for (std::size_t length = 0; length < text.size(); length += 5) {
    ASSERT_FALSE(MemberApproval::FromCanonicalText(text.substr(0, length)).ok()) << length;
  }
}

TEST(Fingerprint, IsReadInEveryWayThatPeopleWriteIt) {
  Digest digest;
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] = static_cast<std::uint8_t>(0xa0 + i);
  const std::string text = FingerprintText(digest);
  EXPECT_EQ(text.size(), 79u);
  EXPECT_EQ(text.substr(0, 10), "a0a1:a2a3:");
  EXPECT_EQ(FingerprintFromText(text).value(), digest);
  EXPECT_EQ(FingerprintFromText(ToHex(digest)).value(), digest);
  std::string spoken;
  for (const char c : text) spoken += c == ':' ? ' ' : static_cast<char>(std::toupper(c));
  EXPECT_EQ(FingerprintFromText(spoken).value(), digest);
  for (const std::string& bad :
       {std::string(), text.substr(1), text + "0", std::string("g") + text.substr(1), std::string(1000, ':')}) {
    EXPECT_FALSE(FingerprintFromText(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace synod
