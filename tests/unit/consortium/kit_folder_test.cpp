// Kits: keys stay where they are made, an approval fits one kit, and a step that was cut off can be repeated.
#include "common/consortium/kit_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "common/consortium/trust.h"
#include "tests/support/shared_data.h"
#include "tests/unit/consortium/small_consortium.h"

namespace synod {
namespace {

namespace fs = std::filesystem;
using testing::Hearts;
using testing::kDay;
using testing::kNow;

int ModeOf(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return static_cast<int>(info.st_mode & 0777);
}

// A consortium without sites, and a kit that has made its request.
struct Applicant {
  explicit Applicant(const std::string& name = "site-a")
      : folder(testing::TemporaryFolder()),
        consortium(ConsortiumFolder::Create(folder + "/consortium", testing::HeartsOptions()).value()),
        kit(folder + "/kit"),
        request(RequestMembership(kit, Hearts(Role::kSite, name)).value()) {}

  MemberApproval Approve() { return consortium.Approve(request, kNow, 730)->approval; }
  Digest fingerprint() const { return consortium.root().facts().certificate_fingerprint; }

  std::string folder;
  ConsortiumFolder consortium;
  std::string kit;
  MemberRequest request;
};

TEST(Kit, IsMadeInTwoStepsAndItsKeysNeverLeave) {
  Applicant site;
  EXPECT_EQ(ModeOf(site.kit + "/trust/own.key"), 0600);
  EXPECT_EQ(ModeOf(site.kit + "/trust/signing.key"), 0600);
  EXPECT_EQ(MemberRequest::FromCanonicalText(testing::ReadText(site.kit + "/request.json")).value(), site.request);
  EXPECT_EQ(site.request.CanonicalText().find("PRIVATE"), std::string::npos);
  const Result<Identity> joined = JoinConsortium(site.kit, site.Approve(), site.fingerprint(), kNow);
  ASSERT_TRUE(joined.ok()) << joined.error().message;
  EXPECT_EQ(*joined, Hearts(Role::kSite, "site-a"));
  const Trust trust = testing::LoadTrust(site.kit);
  EXPECT_EQ(trust.self(), *joined);
  EXPECT_EQ(ModeOf(site.kit + "/state"), 0700);
  EXPECT_TRUE(fs::exists(site.kit + "/log"));
  EXPECT_NE(testing::ReadText(site.kit + "/local/policy.toml").find("Default deny"), std::string::npos);
  EXPECT_NE(testing::ReadText(site.kit + "/local/site.toml").find("[compute]"), std::string::npos);
}

TEST(Kit, MakesTheSameRequestAgainAndNoOther) {
  Applicant site;
  const std::string key = testing::ReadText(site.kit + "/trust/own.key");
  EXPECT_EQ(RequestMembership(site.kit, Hearts(Role::kSite, "site-a")).value(), site.request);
  const auto other = RequestMembership(site.kit, Hearts(Role::kSite, "site-b"));
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::kRefused);
  ASSERT_TRUE(JoinConsortium(site.kit, site.Approve(), site.fingerprint(), kNow).ok());
  EXPECT_EQ(RequestMembership(site.kit, Hearts(Role::kSite, "site-a")).error().code, ErrorCode::kRefused);
  EXPECT_EQ(testing::ReadText(site.kit + "/trust/own.key"), key);
}

TEST(Kit, FinishesARequestThatWasCutOff) {
  const std::string kit = testing::TemporaryFolder() + "/kit";
  fs::create_directories(kit + "/trust.unfinished");
  std::ofstream(kit + "/trust.unfinished/own.key") << "half";
  const MemberRequest first = RequestMembership(kit, Hearts(Role::kSite, "site-a")).value();
  EXPECT_FALSE(fs::exists(kit + "/trust.unfinished"));
  fs::remove(kit + "/request.json");  // as if the disk had been full when it was written
  const MemberRequest second = RequestMembership(kit, Hearts(Role::kSite, "site-a")).value();
  EXPECT_EQ(second.signing_key, first.signing_key) << "the keys that were made are kept";
}

TEST(Kit, RefusesAFolderThatItCannotUse) {
  const std::string folder = testing::TemporaryFolder();
  std::ofstream(folder + "/file") << "x";
  EXPECT_FALSE(RequestMembership(folder + "/file", Hearts(Role::kSite, "site-a")).ok());
  EXPECT_FALSE(RequestMembership(folder + "/file/below", Hearts(Role::kSite, "site-a")).ok());
  EXPECT_FALSE(RequestMembership(folder + "/kit", Hearts(Role::kSite, "Site A")).ok());
  EXPECT_FALSE(fs::exists(folder + "/kit"));
  Applicant site;
  ASSERT_EQ(chmod((site.kit + "/trust/own.key").c_str(), 0644), 0);
  const auto joined = JoinConsortium(site.kit, site.Approve(), site.fingerprint(), kNow);
  EXPECT_EQ(joined.error().code, ErrorCode::kRefused) << "a key that others can read";
}

TEST(Kit, JoinsOnlyTheRootWhoseFingerprintCameAnotherWay) {
  Applicant site;
  Digest wrong = site.fingerprint();
  wrong[31] ^= 1;
  const auto joined = JoinConsortium(site.kit, site.Approve(), wrong, kNow);
  ASSERT_FALSE(joined.ok());
  EXPECT_EQ(joined.error().code, ErrorCode::kVerificationFailed);
  EXPECT_FALSE(fs::exists(site.kit + "/trust/ca.pem")) << "nothing is written";
  EXPECT_FALSE(fs::exists(site.kit + "/local"));
  EXPECT_TRUE(JoinConsortium(site.kit, site.Approve(), site.fingerprint(), kNow).ok());
}

TEST(Kit, RefusesApprovalsThatAreNotForIt) {
  Applicant site;
  const MemberApproval good = site.Approve();
  const std::string other_kit = site.folder + "/other";
  const MemberRequest other_request = RequestMembership(other_kit, Hearts(Role::kSite, "site-b")).value();
  const MemberApproval other = site.consortium.Approve(other_request, kNow, 730)->approval;
  const auto code = [&](const MemberApproval& approval, std::int64_t now = kNow) {
    const auto joined = JoinConsortium(site.kit, approval, site.fingerprint(), now);
    return joined.ok() ? 0 : static_cast<int>(joined.error().code);
  };
  constexpr int kForged = static_cast<int>(ErrorCode::kVerificationFailed);
  EXPECT_EQ(code(other), kForged) << "of another site";
  MemberApproval mixed = good;
  mixed.certificate = other.certificate;
  EXPECT_EQ(code(mixed), kForged);
  MemberApproval old_manifest = good;
  old_manifest.trust = {SignManifest(TlsKey::Generate(), site.consortium.manifest()).value(), good.trust.revocations};
  EXPECT_EQ(code(old_manifest), kForged) << "a manifest that the root did not sign";
  EXPECT_EQ(code(good, kNow - kDay), kForged) << "not valid yet";
  EXPECT_EQ(code(good, kNow + 800 * kDay), kForged) << "expired";
  // The same name and root, and a certificate for a key that was made elsewhere.
  const std::string thief_kit = site.folder + "/thief";
  const MemberRequest thief = RequestMembership(thief_kit, Hearts(Role::kSite, "site-a")).value();
  ASSERT_TRUE(site.consortium.Revoke(Hearts(Role::kSite, "site-a"), kNow).ok());
  EXPECT_EQ(code(site.consortium.Approve(thief, kNow, 730)->approval), kForged);
  EXPECT_FALSE(fs::exists(site.kit + "/trust/own.crt"));
  EXPECT_EQ(code(good), 0) << "a kit does not know yet that it was revoked: the coordinator refuses it";
}

TEST(Kit, StaysInItsConsortium) {
  Applicant site;
  ASSERT_TRUE(JoinConsortium(site.kit, site.Approve(), site.fingerprint(), kNow).ok());
  ConsortiumFolder twin = ConsortiumFolder::Create(site.folder + "/twin", testing::HeartsOptions()).value();
  const MemberApproval approval = twin.Approve(site.request, kNow, 730)->approval;
  const auto joined = JoinConsortium(site.kit, approval, twin.root().facts().certificate_fingerprint, kNow);
  EXPECT_EQ(joined.error().code, ErrorCode::kRefused);
  EXPECT_EQ(testing::LoadTrust(site.kit).root().der(), site.consortium.root().der());
}

TEST(Kit, JoinsAgainToRenewItsCertificateAndKeepsWhatItsOwnerWrote) {
  Applicant site;
  ASSERT_TRUE(JoinConsortium(site.kit, site.Approve(), site.fingerprint(), kNow).ok());
  testing::WriteText(site.kit + "/local/policy.toml", "# mine\n");
  const MemberApproval old = site.Approve();
  const Approved renewed = site.consortium.Approve(site.request, kNow + 700 * kDay, 730).value();
  EXPECT_TRUE(renewed.renewed);
  ASSERT_TRUE(MakeKit(site.folder + "/nothing", site.folder + "/x", Role::kSite, "x", kNow).error().code ==
              ErrorCode::kBadInput);
  ASSERT_TRUE(JoinConsortium(site.kit, renewed.approval, site.fingerprint(), kNow + 700 * kDay).ok());
  EXPECT_EQ(testing::LoadTrust(site.kit, kNow + 800 * kDay).own().facts().not_after_unix, kNow + 1430 * kDay);
  EXPECT_EQ(testing::ReadText(site.kit + "/local/policy.toml"), "# mine\n");
}

TEST(Kit, KeepsANewerManifestThanAnApprovalBrings) {
  Applicant site;
  const MemberApproval approval = site.Approve();
  ASSERT_TRUE(JoinConsortium(site.kit, approval, site.fingerprint(), kNow).ok());
  ASSERT_TRUE(site.consortium.Revoke(Hearts(Role::kOperator, "operator"), kNow).ok());
  Trust trust = testing::LoadTrust(site.kit);
  ASSERT_TRUE(trust.Update(site.consortium.bundle()).ok());
  ASSERT_TRUE(JoinConsortium(site.kit, approval, site.fingerprint(), kNow).ok()) << "the old approval once more";
  EXPECT_EQ(testing::LoadTrust(site.kit).revocations().revoked.size(), 1u);
}

}  // namespace
}  // namespace synod
