// Manifest and revocations: one encoding, one root, and no member who borrows another's key.
#include "common/consortium/manifest.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "tests/unit/consortium/small_consortium.h"

namespace synod {
namespace {

using testing::Hearts;
using testing::kNow;
using testing::RootInMemory;

const RootInMemory& TheRoot() {
  static const RootInMemory root;
  return root;
}

Digest Filled(std::uint8_t byte) {
  Digest digest;
  digest.fill(byte);
  return digest;
}

Manifest GoodManifest() {
  Manifest manifest;
  manifest.consortium = "hearts";
  manifest.number = 3;
  manifest.coordinator_address = "coordinator.example:7711";
  manifest.members = {{Hearts(Role::kCoordinator, "coordinator"), PublicKey(Filled(1)), Filled(11), kNow},
                      {Hearts(Role::kSite, "site-a"), PublicKey(Filled(2)), Filled(12), kNow},
                      {Hearts(Role::kSite, "site-b"), PublicKey(Filled(3)), Filled(13), kNow},
                      {Hearts(Role::kOperator, "operator"), PublicKey(), Filled(14), kNow}};
  return manifest;
}

Revocations GoodRevocations() {
  Revocations revocations;
  revocations.consortium = "hearts";
  revocations.number = 2;
  revocations.revoked = {{Hearts(Role::kSite, "site-a"), Filled(7), kNow},
                         {Hearts(Role::kSite, "site-b"), Filled(5), kNow}};
  return revocations;
}

bool ManifestPasses(const std::function<void(Manifest&)>& change) {
  Manifest manifest = GoodManifest();
  change(manifest);
  const bool read = Manifest::FromCanonicalText(manifest.CanonicalText().value()).ok();
  EXPECT_EQ(read, SignManifest(TheRoot().key, manifest).ok()) << "what cannot be read is not signed";
  return read;
}

TEST(Manifest, SurvivesItsSignedText) {
  const SignedText signed_text = SignManifest(TheRoot().key, GoodManifest()).value();
  const Result<Manifest> opened = OpenManifest(TheRoot().certificate, signed_text);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ(*opened, GoodManifest());
  EXPECT_EQ(opened->WithRole(Role::kSite).size(), 2u);
  EXPECT_EQ(opened->Find(Hearts(Role::kSite, "site-b"))->tls_key_fingerprint, Filled(13));
  EXPECT_EQ(opened->Find(Hearts(Role::kSite, "operator")), nullptr);
}

TEST(Manifest, RefusesMembersThatCannotBe) {
  EXPECT_TRUE(ManifestPasses([](Manifest&) {}));
  EXPECT_FALSE(ManifestPasses([](Manifest& m) { std::swap(m.members[1], m.members[2]); })) << "out of order";
  EXPECT_FALSE(ManifestPasses([](Manifest& m) { m.members[2] = m.members[1]; })) << "twice";
  EXPECT_FALSE(ManifestPasses([](Manifest& m) { m.members[2].tls_key_fingerprint = Filled(12); })) << "one TLS key";
  EXPECT_FALSE(ManifestPasses([](Manifest& m) { m.members[2].signing_key = PublicKey(Filled(2)); })) << "one signer";
  EXPECT_FALSE(ManifestPasses([](Manifest& m) { m.members[1].signing_key = PublicKey(Filled(1)); }))
      << "a site with the coordinator's signing key";
  EXPECT_FALSE(ManifestPasses([](Manifest& m) { m.members[1].signing_key = PublicKey(); })) << "a site must sign";
  EXPECT_FALSE(ManifestPasses([](Manifest& m) { m.members[3].signing_key = PublicKey(Filled(9)); }));
  EXPECT_FALSE(ManifestPasses([](Manifest& m) { m.members[1].identity.consortium = "lungs"; }));
  EXPECT_FALSE(ManifestPasses([](Manifest& m) { m.members.erase(m.members.begin()); })) << "no coordinator";
  EXPECT_FALSE(ManifestPasses([](Manifest& m) {
    m.members.insert(m.members.begin() + 1,
                     {Hearts(Role::kCoordinator, "second"), PublicKey(Filled(8)), Filled(18), kNow});
  })) << "two coordinators";
  EXPECT_FALSE(ManifestPasses([](Manifest& m) {
    m.members.push_back({Hearts(Role::kAdmin, "root"), PublicKey(), Filled(18), kNow});
  })) << "the root as a member";
  EXPECT_FALSE(ManifestPasses([](Manifest& m) { m.number = 0; }));
  EXPECT_FALSE(ManifestPasses([](Manifest& m) { m.consortium = "Hearts"; }));
  EXPECT_FALSE(ManifestPasses([](Manifest& m) { m.members[1].added_unix = -1; }));
  EXPECT_FALSE(ManifestPasses([](Manifest& m) { m.coordinator_address = "nowhere"; }));
}

TEST(Manifest, TakesAddressesOfHostAndPortAlone) {
  for (const char* good : {"a:1", "10.0.0.1:7711", "[::1]:7711", "coordinator.example:65535", "[fe80::1%eth0]:80"}) {
    EXPECT_TRUE(CheckHostPort(good).ok()) << good;
  }
  for (const char* bad : {"", ":", "a:", ":1", "a:0", "a:65536", "a:007", "a:1x", "a b:1", "a:1:2", "tcp://a:1",
                          "a\n:1", "[::1]", "[]:1", "a:99999999999999999999"}) {
    EXPECT_FALSE(CheckHostPort(bad).ok()) << bad;
  }
}

TEST(Manifest, IsOfItsRootAndConsortium) {
  const RootInMemory impostor;
  const RootInMemory lungs("lungs");
  const SignedText good = SignManifest(TheRoot().key, GoodManifest()).value();
  const auto code = [&](const X509Certificate& root, const SignedText& text) {
    return OpenManifest(root, text).error().code;
  };
  EXPECT_EQ(code(impostor.certificate, good), ErrorCode::kVerificationFailed);
  EXPECT_EQ(code(TheRoot().certificate, SignManifest(impostor.key, GoodManifest()).value()),
            ErrorCode::kVerificationFailed);
  EXPECT_EQ(code(lungs.certificate, SignManifest(lungs.key, GoodManifest()).value()), ErrorCode::kVerificationFailed)
      << "a root that signs for another consortium";
  SignedText revocations = SignRevocations(TheRoot().key, GoodRevocations()).value();
  EXPECT_EQ(code(TheRoot().certificate, revocations), ErrorCode::kVerificationFailed) << "signed for another purpose";
  const TlsKey key = TlsKey::Generate();
  const X509Certificate leaf = TheRoot().IssueTo(key, Hearts(Role::kSite, "site-a"));
  EXPECT_EQ(code(leaf, SignManifest(key, GoodManifest()).value()), ErrorCode::kVerificationFailed)
      << "a member's key is no root's";
}

TEST(Revocations, SurviveTheirSignedTextAndRefuseDisorder) {
  const SignedText signed_text = SignRevocations(TheRoot().key, GoodRevocations()).value();
  EXPECT_EQ(OpenRevocations(TheRoot().certificate, signed_text).value(), GoodRevocations());
  EXPECT_TRUE(GoodRevocations().Contains(Filled(5)));
  EXPECT_FALSE(GoodRevocations().Contains(Filled(6)));
  const auto passes = [](const std::function<void(Revocations&)>& change) {
    Revocations revocations = GoodRevocations();
    change(revocations);
    return Revocations::FromCanonicalText(revocations.CanonicalText().value()).ok();
  };
  EXPECT_TRUE(passes([](Revocations& r) { r.revoked.clear(); }));
  EXPECT_FALSE(passes([](Revocations& r) { std::swap(r.revoked[0], r.revoked[1]); }));
  EXPECT_FALSE(passes([](Revocations& r) { r.revoked[1].tls_key_fingerprint = Filled(7); }));
  EXPECT_FALSE(passes([](Revocations& r) { r.revoked[0].identity.consortium = "lungs"; }));
  EXPECT_FALSE(passes([](Revocations& r) { r.number = 0; }));
}

TEST(TrustBundle, SurvivesItsJsonAndRefusesEverythingElse) {
  const TrustBundle bundle{SignManifest(TheRoot().key, GoodManifest()).value(),
                           SignRevocations(TheRoot().key, GoodRevocations()).value()};
  const std::string text = bundle.ToJsonText();
  EXPECT_EQ(TrustBundle::FromJsonText(text).value(), bundle);
  for (std::size_t length = 0; length < text.size(); ++length) {
    ASSERT_FALSE(TrustBundle::FromJsonText(text.substr(0, length)).ok()) << length;
  }
  EXPECT_FALSE(TrustBundle::FromJsonText("{\"manifest\":" + std::string(100, '[') + "}").ok());
}

// Random damage to a document: whatever comes of it, nothing crashes, and nothing that opens says something else.
template <typename Open>
void Mutate(const SignedText& good, const Open& open) {
  std::mt19937_64 random(20260521);
  const std::string alphabet = "\"\\{}[],:0123456789abcdefxyz-\x00\xff\n ";
  for (int round = 0; round < 4000; ++round) {
    SignedText bad = good;
    const std::size_t changes = 1 + random() % 4;
    for (std::size_t i = 0; i < changes; ++i) {
      const std::size_t at = random() % bad.text.size();
      switch (random() % 4) {
        case 0:
          bad.text[at] = alphabet[random() % alphabet.size()];
          break;
        case 1:
          bad.text.erase(at, 1 + random() % 8);
          break;
        case 2:
          bad.text.insert(at, bad.text.substr(random() % bad.text.size(), random() % 40));
          break;
        default:
          bad.text[at] = static_cast<char>(bad.text[at] ^ (1 << (random() % 8)));
      }
      if (bad.text.empty()) bad.text.push_back('x');
    }
    if (bad.text == good.text) continue;
    ASSERT_FALSE(open(bad)) << round;
  }
}

TEST(Manifest, NeverOpensDamaged) {
  const SignedText good = SignManifest(TheRoot().key, GoodManifest()).value();
  Mutate(good, [](const SignedText& bad) {
    // Also without the signature: what is parsed has one encoding.
    const Result<Manifest> parsed = Manifest::FromCanonicalText(bad.text);
    EXPECT_TRUE(!parsed.ok() || parsed->CanonicalText().value() == bad.text);
    return parsed.ok() && OpenManifest(TheRoot().certificate, bad).ok();
  });
}

TEST(Revocations, NeverOpenDamaged) {
  const SignedText good = SignRevocations(TheRoot().key, GoodRevocations()).value();
  Mutate(good, [](const SignedText& bad) {
    const Result<Revocations> parsed = Revocations::FromCanonicalText(bad.text);
    EXPECT_TRUE(!parsed.ok() || parsed->CanonicalText().value() == bad.text);
    return parsed.ok() && OpenRevocations(TheRoot().certificate, bad).ok();
  });
}

}  // namespace
}  // namespace synod
