// Who may connect: each rule is broken in turn, and the refusal names it.
#include "common/consortium/trust.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>

#include "common/consortium/kit_folder.h"
#include "tests/unit/consortium/small_consortium.h"

namespace synod {
namespace {

namespace fs = std::filesystem;
using testing::Hearts;
using testing::kDay;
using testing::kNow;
using testing::LoadTrust;
using testing::StoppedClock;

std::string MessageOf(const Status& status) {
  return status.ok() ? "" : status.error().message;
}

bool Names(const Status& status, const std::string& what) {
  return !status.ok() && status.error().message.find(what) != std::string::npos;
}

X509Certificate OwnCertificate(const std::string& kit) {
  return X509Certificate::FromFile(kit + "/trust/own.crt").value();
}

TEST(Trust, LetsMembersConnectInTheirRoles) {
  const Kits kits = testing::MakeHearts();
  const Trust trust = LoadTrust(kits.coordinator);
  EXPECT_EQ(trust.self(), Hearts(Role::kCoordinator, "coordinator"));
  const X509Certificate site = OwnCertificate(kits.sites.at("site-a"));
  const X509Certificate person = OwnCertificate(kits.first_operator);
  EXPECT_TRUE(trust.CheckPeer(site, {Role::kSite}, kNow).ok());
  EXPECT_TRUE(trust.CheckPeer(person, {Role::kSite, Role::kOperator}, kNow).ok());
  EXPECT_TRUE(Names(trust.CheckPeer(person, {Role::kSite}, kNow), "its role is operator"));
  const Trust at_site = LoadTrust(kits.sites.at("site-a"));
  EXPECT_TRUE(at_site.CheckPeer(trust.own(), {Role::kCoordinator}, kNow).ok());
  EXPECT_TRUE(Names(at_site.CheckPeer(OwnCertificate(kits.sites.at("site-b")), {Role::kCoordinator}, kNow),
                    "its role is site"));
}

TEST(Trust, AllowsFiveMinutesOfSkewAndNamesWhatIsOutOfDate) {
  const Kits kits = testing::MakeHearts();
  const Trust trust = LoadTrust(kits.coordinator);
  const X509Certificate site = OwnCertificate(kits.sites.at("site-a"));
  const std::int64_t end = site.facts().not_after_unix;
  EXPECT_EQ(end, kNow + 730 * kDay);
  EXPECT_TRUE(trust.CheckPeer(site, {Role::kSite}, kNow - 300).ok());
  EXPECT_TRUE(trust.CheckPeer(site, {Role::kSite}, end + 300).ok());
  const Status early = trust.CheckPeer(site, {Role::kSite}, kNow - 301);
  EXPECT_TRUE(Names(early, "is not valid before ")) << MessageOf(early);
  const Status late = trust.CheckPeer(site, {Role::kSite}, end + 301);
  EXPECT_TRUE(Names(late, "the certificate of synod://hearts/site/site-a expired at ")) << MessageOf(late);
  EXPECT_EQ(late.error().code, ErrorCode::kVerificationFailed);
}

TEST(Trust, RefusesEveryForgedPeerByTheNameOfTheRule) {
  const Kits kits = testing::MakeHearts();
  const Trust trust = LoadTrust(kits.coordinator);
  const auto check = [&](const X509Certificate& leaf) { return trust.CheckPeer(leaf, {Role::kSite}, kNow); };
  const testing::RootInMemory impostor;
  const testing::RootInMemory lungs("lungs");
  const TlsKey key = TlsKey::Generate();
  EXPECT_TRUE(
      Names(check(impostor.IssueTo(key, Hearts(Role::kSite, "site-a"))), "not signed by the consortium's root"));
  EXPECT_TRUE(Names(check(lungs.IssueTo(key, {"lungs", Role::kSite, "site-a"})), "another authority"));
  EXPECT_TRUE(Names(check(impostor.certificate), "not for connecting"));
  EXPECT_TRUE(Names(check(trust.root()), "not for connecting"));
}

TEST(Trust, RefusesMembersWhoseKeyTheManifestDoesNotName) {
  const Kits kits = testing::MakeHearts();
  const Trust trust = LoadTrust(kits.coordinator);
  const std::string root = kits.consortium + "/root";
  const TlsKey root_key = TlsKey::LoadPemFile(root + "/root.key").value();
  const X509Certificate ca = X509Certificate::FromFile(root + "/ca.pem").value();
  const auto issue = [&](const Identity& identity) {
    return Issue(root_key, ca, MakeRequest(TlsKey::Generate(), identity), identity, kNow, kNow + kDay).value();
  };
  EXPECT_TRUE(Names(trust.CheckPeer(issue(Hearts(Role::kSite, "site-a")), {Role::kSite}, kNow), "names another key"));
  EXPECT_TRUE(
      Names(trust.CheckPeer(issue(Hearts(Role::kSite, "site-z")), {Role::kSite}, kNow), "is not in the manifest"));
  EXPECT_TRUE(Names(trust.CheckPeer(issue(Hearts(Role::kOperator, "site-a")), {Role::kOperator}, kNow),
                    "is not in the manifest"))
      << "a site's name in another role";
}

TEST(Trust, RefusesTheRevokedAndLearnsOfThemFromTheCoordinator) {
  const Kits kits = testing::MakeHearts();
  Trust at_site = LoadTrust(kits.sites.at("site-b"));
  const X509Certificate site_a = OwnCertificate(kits.sites.at("site-a"));
  EXPECT_TRUE(at_site.CheckPeer(site_a, {Role::kSite}, kNow).ok());
  {
    ConsortiumFolder consortium = ConsortiumFolder::Open(kits.consortium).value();
    ASSERT_TRUE(consortium.Revoke(Hearts(Role::kSite, "site-a"), kNow + 5).ok());
  }
  const Trust coordinator = LoadTrust(kits.coordinator);  // the folder of the root wrote into its kit
  EXPECT_EQ(coordinator.revocations().number, at_site.revocations().number + 1);
  EXPECT_TRUE(Names(coordinator.CheckPeer(site_a, {Role::kSite}, kNow + 10), "is revoked since "));
  const Result<bool> changed = at_site.Update(coordinator.Bundle());
  ASSERT_TRUE(changed.ok()) << changed.error().message;
  EXPECT_TRUE(*changed);
  EXPECT_TRUE(Names(at_site.CheckPeer(site_a, {Role::kSite}, kNow + 10), "is revoked since "));
  EXPECT_FALSE(at_site.Update(coordinator.Bundle()).value()) << "nothing new";
  EXPECT_EQ(LoadTrust(kits.sites.at("site-b")).revocations().number, coordinator.revocations().number) << "durable";
  EXPECT_FALSE(coordinator.Keys().sites.contains("site-a"));
  EXPECT_TRUE(coordinator.Keys().sites.contains("site-b"));
}

TEST(Trust, NeverGoesBackToOlderNumbers) {
  const Kits kits = testing::MakeHearts();
  const TrustBundle old = LoadTrust(kits.coordinator).Bundle();
  {
    ConsortiumFolder consortium = ConsortiumFolder::Open(kits.consortium).value();
    ASSERT_TRUE(consortium.Revoke(Hearts(Role::kSite, "site-a"), kNow).ok());
  }
  ASSERT_TRUE(MakeKit(kits.consortium, kits.consortium + "/../site-c", Role::kSite, "site-c", kNow).ok());
  const TrustBundle fresh = LoadTrust(kits.coordinator).Bundle();
  Trust trust = LoadTrust(kits.sites.at("site-b"));
  ASSERT_TRUE(trust.Update(fresh).ok());
  EXPECT_EQ(trust.Update(old).error().code, ErrorCode::kRefused);
  EXPECT_EQ(trust.Update({fresh.manifest, old.revocations}).error().code, ErrorCode::kRefused);
  EXPECT_EQ(trust.Update({old.manifest, fresh.revocations}).error().code, ErrorCode::kRefused);
  EXPECT_TRUE(trust.revocations().revoked.size() == 1 && trust.manifest().Find(Hearts(Role::kSite, "site-c")));
}

TEST(Trust, ReadAgainFromItsFolderKeepsWhatIsNewerHere) {
  const Kits kits = testing::MakeHearts();
  const std::string kit = kits.sites.at("site-b");
  const std::string old = testing::ReadText(kit + "/trust/bundle.json");
  {
    ConsortiumFolder consortium = ConsortiumFolder::Open(kits.consortium).value();
    ASSERT_TRUE(consortium.Revoke(Hearts(Role::kSite, "site-a"), kNow).ok());
  }
  const TrustBundle fresh = LoadTrust(kits.coordinator).Bundle();
  Trust trust = LoadTrust(kit);
  ASSERT_TRUE(trust.Update(fresh).ok());
  testing::WriteText(kit + "/trust/bundle.json", old);
  Trust again = trust.Reloaded(testing::StoppedClock()).value();
  EXPECT_EQ(again.revocations().revoked.size(), 1u);
  EXPECT_EQ(again.Bundle().ToJsonText(), fresh.ToJsonText());
  EXPECT_EQ(LoadTrust(kit).revocations().revoked.size(), 0u);
  ASSERT_TRUE(again.Update(fresh).ok());
  EXPECT_EQ(LoadTrust(kit).revocations().revoked.size(), 1u) << "it is written when it comes again";
  testing::WriteText(kit + "/trust/bundle.json", old);
  Trust former = LoadTrust(kit);
  testing::WriteText(kit + "/trust/bundle.json", fresh.ToJsonText());
  EXPECT_EQ(former.Reloaded(testing::StoppedClock())->revocations().revoked.size(), 1u)
      << "what is newer there is taken";
}

TEST(Trust, NamesARootThatSignedTwoTextsUnderOneNumber) {
  const Kits kits = testing::MakeHearts();
  Trust trust = LoadTrust(kits.sites.at("site-b"));
  const TlsKey root_key = TlsKey::LoadPemFile(kits.consortium + "/root" + "/root.key").value();
  Manifest other = trust.manifest();
  other.coordinator_address = "elsewhere.example:7711";
  TrustBundle bundle = trust.Bundle();
  bundle.manifest = SignManifest(root_key, other).value();
  const Result<bool> updated = trust.Update(bundle);
  ASSERT_FALSE(updated.ok());
  EXPECT_EQ(updated.error().code, ErrorCode::kVerificationFailed);
  EXPECT_EQ(trust.manifest().coordinator_address, "coordinator.example:7711");
}

TEST(Trust, TakesNoUpdateOfAnotherRoot) {
  const Kits kits = testing::MakeHearts();
  Trust trust = LoadTrust(kits.sites.at("site-b"));
  const testing::RootInMemory impostor;
  Manifest next = trust.manifest();
  next.number += 10;
  TrustBundle bundle = trust.Bundle();
  bundle.manifest = SignManifest(impostor.key, next).value();
  EXPECT_EQ(trust.Update(bundle).error().code, ErrorCode::kVerificationFailed);
  EXPECT_EQ(trust.Update({bundle.revocations, bundle.revocations}).error().code, ErrorCode::kVerificationFailed);
}

TEST(Trust, HoldsARevocationAlsoWhenTheFolderCannotBeWritten) {
  const Kits kits = testing::MakeHearts();
  const std::string kit = kits.sites.at("site-b");
  Trust trust = LoadTrust(kit);
  {
    ConsortiumFolder consortium = ConsortiumFolder::Open(kits.consortium).value();
    ASSERT_TRUE(consortium.Revoke(Hearts(Role::kSite, "site-a"), kNow).ok());
  }
  const TrustBundle fresh = LoadTrust(kits.coordinator).Bundle();
  fs::create_directory(kit + "/trust/bundle.json.tmp");  // where the file would first be written
  EXPECT_FALSE(trust.Update(fresh).ok());
  EXPECT_FALSE(trust.CheckPeer(OwnCertificate(kits.sites.at("site-a")), {Role::kSite}, kNow).ok());
  EXPECT_EQ(LoadTrust(kit).revocations().revoked.size(), 0u);
  fs::remove(kit + "/trust/bundle.json.tmp");
  ASSERT_TRUE(trust.Update(fresh).ok()) << "the same update is written now";
  EXPECT_EQ(LoadTrust(kit).revocations().revoked.size(), 1u);
}

TEST(Trust, LoadsNoFolderWithAnythingWrongInIt) {
  const Kits kits = testing::MakeHearts();
  const std::string trust = kits.sites.at("site-a") + "/trust/";
  const std::string other = kits.sites.at("site-b") + "/trust/";
  const auto refused = [&](const std::string& file, const std::string& text) {
    const std::string good = testing::ReadText(trust + file);
    testing::WriteText(trust + file, text);
    fs::permissions(trust + file, fs::perms::owner_read | fs::perms::owner_write);
    const bool loads = Trust::Load(trust, StoppedClock()).ok();
    testing::WriteText(trust + file, good);
    fs::permissions(trust + file, fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_TRUE(Trust::Load(trust, StoppedClock()).ok()) << file;
    return !loads;
  };
  const std::string impostor = testing::RootInMemory().certificate.ToPem();
  EXPECT_TRUE(refused("ca.pem", impostor));
  EXPECT_TRUE(refused("ca.pem", testing::ReadText(trust + "own.crt")));
  EXPECT_TRUE(refused("own.crt", testing::ReadText(other + "own.crt"))) << "swapped certificates";
  EXPECT_TRUE(refused("own.crt", testing::ReadText(trust + "ca.pem")));
  EXPECT_TRUE(refused("own.key", testing::ReadText(other + "own.key"))) << "swapped keys";
  EXPECT_TRUE(refused("own.key", testing::ReadText(trust + "signing.key")));
  EXPECT_TRUE(refused("signing.key", testing::ReadText(other + "signing.key"))) << "swapped signing keys";
  const std::string bundle = testing::ReadText(trust + "bundle.json");
  for (std::size_t length = 0; length < bundle.size(); length += 37) {
    ASSERT_TRUE(refused("bundle.json", bundle.substr(0, length))) << length;
  }
}

TEST(Trust, LoadsNoKeyThatOthersCanRead) {
  const Kits kits = testing::MakeHearts();
  const std::string trust = kits.sites.at("site-a") + "/trust";
  for (const char* file : {"/own.key", "/signing.key"}) {
    for (const mode_t mode : {0644, 0640, 0604, 0660, 0602}) {
      ASSERT_EQ(chmod((trust + file).c_str(), mode), 0);
      const Result<Trust> loaded = Trust::Load(trust, StoppedClock());
      ASSERT_FALSE(loaded.ok()) << file << " " << mode;
      EXPECT_EQ(loaded.error().code, ErrorCode::kRefused);
      EXPECT_NE(loaded.error().message.find(file), std::string::npos);
    }
    ASSERT_EQ(chmod((trust + file).c_str(), 0600), 0);
  }
  EXPECT_TRUE(Trust::Load(trust, StoppedClock()).ok());
}

TEST(Trust, SaysWhatIsMissing) {
  const Kits kits = testing::MakeHearts();
  const std::string trust = kits.sites.at("site-a") + "/trust";
  for (const char* file : {"/ca.pem", "/own.crt", "/own.key", "/signing.key", "/bundle.json"}) {
    fs::rename(trust + file, trust + "/away");
    const Result<Trust> loaded = Trust::Load(trust, StoppedClock());
    ASSERT_FALSE(loaded.ok()) << file;
    EXPECT_NE(loaded.error().message.find(file + 1), std::string::npos) << loaded.error().message;
    fs::rename(trust + "/away", trust + file);
  }
  EXPECT_FALSE(Trust::Load("/nonexistent/trust", StoppedClock()).ok());
}

TEST(Trust, OfAnExpiredKitDoesNotLoad) {
  const Kits kits = testing::MakeHearts();
  const std::string trust = kits.sites.at("site-a") + "/trust";
  const Result<Trust> late = Trust::Load(trust, StoppedClock(kNow + 731 * kDay));
  ASSERT_FALSE(late.ok());
  EXPECT_NE(late.error().message.find("expired"), std::string::npos);
  const Result<Trust> early = Trust::Load(trust, StoppedClock(kNow - kDay));
  ASSERT_FALSE(early.ok());
  EXPECT_NE(early.error().message.find("not valid before"), std::string::npos);
  EXPECT_TRUE(Trust::Load(trust, StoppedClock(kNow - 299)).ok());
}

TEST(Trust, GivesSigningKeysToThoseWhoSign) {
  const Kits kits = testing::MakeHearts();
  const Trust site = LoadTrust(kits.sites.at("site-a"));
  EXPECT_EQ(site.LoadSigningKey()->public_key(), site.manifest().Find(site.self())->signing_key);
  EXPECT_EQ(site.Keys().coordinator, LoadTrust(kits.coordinator).LoadSigningKey()->public_key());
  EXPECT_FALSE(LoadTrust(kits.first_operator).LoadSigningKey().ok());
  EXPECT_EQ(TlsKey::LoadPemFile(site.own_key_file())->PublicFingerprint(), site.own().facts().key_fingerprint);
}

}  // namespace
}  // namespace synod
