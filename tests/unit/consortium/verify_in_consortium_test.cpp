// Published files verified with the root alone: what the manifest says must fit the file's plan, signers and time.
#include "common/consortium/verify_in_consortium.h"

#include <gtest/gtest.h>

#include <functional>

#include "common/core/file.h"
#include "tests/support/shared_data.h"
#include "tests/unit/artefact/small_federation.h"
#include "tests/unit/consortium/small_consortium.h"

namespace synod {
namespace {

constexpr std::int64_t kMade = 1'770'000'000;  // when SmallFederation's file was made

const testing::SmallFederation& Federated() {
  static const testing::SmallFederation federation;
  return federation;
}

struct OldRoot {
  OldRoot() : certificate(MakeRoot(key, "hearts", kMade - 100 * testing::kDay, kMade + 1000 * testing::kDay).value()) {}
  TlsKey key = TlsKey::Generate();
  X509Certificate certificate;
};

const OldRoot& RootOfFile() {
  static const OldRoot root;
  return root;
}

Digest TlsKeyOf(std::size_t member) {
  Digest digest;
  digest.fill(static_cast<std::uint8_t>(100 + member));
  return digest;
}

Manifest ManifestOfFile() {
  Manifest manifest;
  manifest.consortium = "hearts";
  manifest.number = 6;
  manifest.coordinator_address = "coordinator.example:7711";
  manifest.members.push_back(
      {{"hearts", Role::kCoordinator, "main"}, Federated().coordinator().public_key(), TlsKeyOf(0), kMade - 50});
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string name = std::string("site-") + static_cast<char>('a' + i);
    manifest.members.push_back(
        {{"hearts", Role::kSite, name}, Federated().site(i).public_key(), TlsKeyOf(i + 1), kMade - 40});
  }
  return manifest;
}

Revocations NobodyRevoked() {
  Revocations revocations;
  revocations.consortium = "hearts";
  revocations.number = 1;
  return revocations;
}

TrustBundle BundleOf(const std::function<void(Manifest&, Revocations&)>& change, const TlsKey& key) {
  Manifest manifest = ManifestOfFile();
  Revocations revocations = NobodyRevoked();
  change(manifest, revocations);
  return {SignManifest(key, manifest).value(), SignRevocations(key, revocations).value()};
}

const GeneratorDraft& Draft() {
  static const GeneratorDraft draft = GeneratorDraft::Create(Federated().content(), Federated().certificate()).value();
  return draft;
}

std::vector<SiteSignature> SiteSignatures(const std::string& without = "") {
  std::vector<SiteSignature> signatures;
  for (std::uint32_t i = 0; i < 4; ++i) {
    SiteSignature one = SignAsSite(Federated().site(i), Federated().statement(i, Draft().file_digest()));
    if (one.site != without) signatures.push_back(std::move(one));
  }
  return signatures;
}

GeneratorFile FileWith(const TrustBundle& bundle, const std::string& without = "") {
  const Signature coordinator = SignAsCoordinator(Federated().coordinator(), Draft().file_digest());
  return Draft().Finish(coordinator, SiteSignatures(without), FileConsortiumOf(bundle)).value();
}

Result<VerifyReport> VerifyChanged(const std::function<void(Manifest&, Revocations&)>& change,
                                   const std::string& without = "") {
  return VerifyInConsortium(FileWith(BundleOf(change, RootOfFile().key), without), RootOfFile().certificate);
}

void Unchanged(Manifest&, Revocations&) {}

bool FailsWith(const Result<VerifyReport>& report, const std::string& text) {
  return !report.ok() && report.error().code == ErrorCode::kVerificationFailed &&
         report.error().message.find(text) != std::string::npos;
}

TEST(VerifyInConsortium, NeedsNothingButTheRootsCertificate) {
  const Result<VerifyReport> report = VerifyChanged(Unchanged);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->outcome, VerifyOutcome::kVerified);
  EXPECT_EQ(report->ExitCode(), 0);
  EXPECT_NE(report->ToText().find("all 4 sites of the roster are members of the consortium \"hearts\""),
            std::string::npos);
}

TEST(VerifyInConsortium, RefusesAManifestThatTheRootDidNotSign) {
  const OldRoot impostor;
  EXPECT_TRUE(FailsWith(VerifyInConsortium(FileWith(BundleOf(Unchanged, impostor.key)), RootOfFile().certificate),
                        "not signed by the consortium's root"));
  const GeneratorFile good = FileWith(BundleOf(Unchanged, RootOfFile().key));
  EXPECT_FALSE(VerifyInConsortium(good, impostor.certificate).ok());
  EXPECT_FALSE(VerifyInConsortium(good, testing::RootInMemory("lungs").certificate).ok());
  TrustBundle swapped = BundleOf(Unchanged, RootOfFile().key);
  std::swap(swapped.manifest, swapped.revocations);
  EXPECT_FALSE(VerifyInConsortium(FileWith(swapped), RootOfFile().certificate).ok());
}

TEST(VerifyInConsortium, RefusesFilesWithoutAManifest) {
  const GeneratorFile bare = Federated().Sign(Federated().certificate()).value();
  EXPECT_TRUE(FailsWith(VerifyInConsortium(bare, RootOfFile().certificate), "does not carry the manifest"));
}

TEST(VerifyInConsortium, RefusesARosterThatIsNotTheManifests) {
  EXPECT_TRUE(FailsWith(VerifyChanged([](Manifest& m, Revocations&) { m.members.pop_back(); }), "not in the manifest"));
  EXPECT_TRUE(FailsWith(
      VerifyChanged([](Manifest& m, Revocations&) { m.members[2].signing_key = SigningKey::Generate().public_key(); }),
      "another key in the manifest"));
  EXPECT_TRUE(FailsWith(
      VerifyChanged([](Manifest& m, Revocations&) { std::swap(m.members[1].signing_key, m.members[2].signing_key); }),
      "another key in the manifest"))
      << "swapped keys";
  EXPECT_TRUE(FailsWith(
      VerifyChanged([](Manifest& m, Revocations&) { m.members[0].signing_key = SigningKey::Generate().public_key(); }),
      "coordinator's signature does not verify"));
}

TEST(VerifyInConsortium, RefusesMembersWhoCameLater) {
  EXPECT_TRUE(VerifyChanged([](Manifest& m, Revocations&) { m.members[2].added_unix = kMade + 300; }).ok())
      << "five minutes of clock skew";
  EXPECT_TRUE(FailsWith(VerifyChanged([](Manifest& m, Revocations&) { m.members[2].added_unix = kMade + 301; }),
                        "site-b became a member at"));
  EXPECT_TRUE(FailsWith(VerifyChanged([](Manifest& m, Revocations&) { m.members[0].added_unix = kMade + 301; }),
                        "coordinator/main became a member at"));
}

TEST(VerifyInConsortium, RefusesSignersWhoHadBeenRevoked) {
  const auto revoke = [](std::size_t member, std::int64_t when) {
    return [=](Manifest& m, Revocations& r) {
      r.revoked = {{m.members[member].identity, m.members[member].tls_key_fingerprint, when}};
    };
  };
  EXPECT_TRUE(FailsWith(VerifyChanged(revoke(2, kMade)), "site-b signed and had been revoked"));
  EXPECT_TRUE(FailsWith(VerifyChanged(revoke(0, kMade - 1)), "coordinator/main signed and had been revoked"));
  const Result<VerifyReport> later = VerifyChanged(revoke(2, kMade + 1));
  ASSERT_TRUE(later.ok());
  EXPECT_NE(later->ToText().find("site-b signed and was revoked later"), std::string::npos);
  const Result<VerifyReport> silent = VerifyChanged(revoke(2, kMade - 1), "site-b");
  ASSERT_TRUE(silent.ok()) << "revoked in the run, and did not sign";
  EXPECT_EQ(silent->outcome, VerifyOutcome::kIncomplete);
  // A kit knows of a revocation that the file does not carry.
  const GeneratorFile file = FileWith(BundleOf(Unchanged, RootOfFile().key));
  TrustBundle known = BundleOf(revoke(2, kMade - 1), RootOfFile().key);
  EXPECT_TRUE(FailsWith(VerifyInConsortium(file, RootOfFile().certificate, known), "had been revoked"));
}

TEST(VerifyInConsortium, RefusesWhatIsKnownFromAnotherRootOrUnderOneNumberTwice) {
  const GeneratorFile file = FileWith(BundleOf(Unchanged, RootOfFile().key));
  EXPECT_FALSE(VerifyInConsortium(file, RootOfFile().certificate, BundleOf(Unchanged, OldRoot().key)).ok());
  const auto moved = [](Manifest& m, Revocations&) { m.coordinator_address = "elsewhere:1"; };
  EXPECT_TRUE(FailsWith(VerifyInConsortium(file, RootOfFile().certificate, BundleOf(moved, RootOfFile().key)),
                        "another manifest number 6"));
}

TEST(VerifyInConsortium, RefusesFilesFromOutsideTheRootsTime) {
  const TlsKey key = TlsKey::Generate();
  const auto root = [&](std::int64_t from, std::int64_t until) { return MakeRoot(key, "hearts", from, until).value(); };
  const GeneratorFile file = FileWith(BundleOf(Unchanged, key));
  EXPECT_TRUE(VerifyInConsortium(file, root(kMade - 10, kMade + 10)).ok());
  EXPECT_TRUE(FailsWith(VerifyInConsortium(file, root(kMade + 400, kMade + 900)), "is not valid before"));
  EXPECT_TRUE(FailsWith(VerifyInConsortium(file, root(kMade - 900, kMade - 400)), "expired"));
}

TEST(VerifyInConsortium, FindsAFlipOfAnyByteWithTheRootAndWithKeys) {
  const GeneratorFile file = FileWith(BundleOf(Unchanged, RootOfFile().key));
  const Bytes& good = file.bytes();
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const int mask : {0x01, 0x20}) {
      Bytes bad = good;
      bad[i] = static_cast<std::uint8_t>(bad[i] ^ mask);
      const Result<GeneratorFile> parsed = GeneratorFile::Parse(bad);
      if (!parsed.ok()) continue;
      ASSERT_FALSE(VerifyInConsortium(*parsed, RootOfFile().certificate).ok()) << "byte " << i;
      ASSERT_FALSE(Verify(*parsed, Federated().trusted()).ok()) << "byte " << i;
    }
  }
}

TEST(VerifyInConsortium, NeverTakesASimulationForAGuarantee) {
  const testing::SmallFederation curator(Aggregation::kCurator);
  const Certificate certificate = curator.certificate(CertificateClass::kSimulation);
  const GeneratorFile file = GeneratorDraft::Create(curator.content(), certificate)->Finish({}, {}).value();
  EXPECT_EQ(VerifyInConsortium(file, RootOfFile().certificate)->outcome, VerifyOutcome::kSimulation);
}

TEST(VerificationTrust, IsARootAFileOfKeysOrAFolder) {
  const Kits kits = testing::MakeHearts();
  const std::string kit = kits.sites.at("site-a");
  for (const std::string& folder : {kit, kit + "/trust", kits.consortium, kits.first_operator}) {
    const Result<VerificationTrust> trust = VerificationTrust::Load(folder);
    ASSERT_TRUE(trust.ok()) << folder << ": " << trust.error().message;
    EXPECT_TRUE(trust->root && trust->known) << folder;
  }
  const Result<VerificationTrust> root = VerificationTrust::Load(kit + "/trust/ca.pem");
  ASSERT_TRUE(root.ok());
  EXPECT_TRUE(root->root && !root->known);
  const std::string keys = testing::TemporaryFolder() + "/keys.json";
  testing::WriteText(keys, Federated().trusted().ToJson().dump());
  EXPECT_EQ(VerificationTrust::Load(keys)->keys.sites.size(), 4u);
  EXPECT_FALSE(VerificationTrust::Load(kit + "/trust/own.crt").ok()) << "a member's certificate is no root";
  EXPECT_FALSE(VerificationTrust::Load(kit + "/local").ok());
  EXPECT_FALSE(VerificationTrust::Load(kit + "/nothing").ok());
  EXPECT_TRUE(VerifyWith(Federated().Sign(Federated().certificate()).value(), *VerificationTrust::Load(keys)).ok());
}

}  // namespace
}  // namespace synod
