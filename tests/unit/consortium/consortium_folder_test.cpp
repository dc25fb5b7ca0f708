// The root's folder: who is let in, who is put out, and what a second try finds.
#include "common/consortium/consortium_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "common/consortium/kit_folder.h"
#include "common/consortium/trust.h"
#include "tests/support/shared_data.h"
#include "tests/unit/consortium/small_consortium.h"

namespace synod {
namespace {

namespace fs = std::filesystem;
using testing::Hearts;
using testing::kDay;
using testing::kNow;

ConsortiumFolder CreateIn(const std::string& folder) {
  return ConsortiumFolder::Create(folder + "/consortium", testing::HeartsOptions()).value();
}

MemberRequest RequestOfSite(const std::string& folder, const std::string& name = "site-a") {
  return RequestMembership(folder, Hearts(Role::kSite, name)).value();
}

TEST(ConsortiumFolder, IsMadeWholeWithTheKitsOfCoordinatorAndOperator) {
  const std::string folder = testing::TemporaryFolder();
  const ConsortiumFolder made = CreateIn(folder);
  struct stat info {};
  ASSERT_EQ(stat((folder + "/consortium/root/root.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const Trust coordinator = testing::LoadTrust(made.coordinator_kit());
  const Trust person = testing::LoadTrust(made.operator_kit());
  EXPECT_EQ(coordinator.self().Uri(), "synod://hearts/coordinator/coordinator");
  EXPECT_EQ(person.self().Uri(), "synod://hearts/operator/operator");
  EXPECT_EQ(coordinator.manifest().coordinator_address, "coordinator.example:7711");
  EXPECT_EQ(coordinator.manifest(), made.manifest());
  EXPECT_TRUE(coordinator.CheckPeer(person.own(), {Role::kOperator}, kNow).ok());
  EXPECT_NE(testing::ReadText(made.coordinator_kit() + "/local/coordinator.toml").find("0.0.0.0:7711"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(made.coordinator_kit() + "/root")) << "the root's key is not the coordinator's";
  EXPECT_FALSE(fs::exists(folder + "/consortium.unfinished"));
}

TEST(ConsortiumFolder, IsNeverMadeOverSomethingElse) {
  const std::string folder = testing::TemporaryFolder();
  std::ofstream(folder + "/precious") << "x";
  EXPECT_EQ(ConsortiumFolder::Create(folder, testing::HeartsOptions()).error().code, ErrorCode::kRefused);
  EXPECT_FALSE(ConsortiumFolder::Create(folder + "/precious", testing::HeartsOptions()).ok());
  { const ConsortiumFolder made = CreateIn(folder); }
  const std::string key = testing::ReadText(folder + "/consortium/root/root.key");
  EXPECT_FALSE(ConsortiumFolder::Create(folder + "/consortium", testing::HeartsOptions()).ok());
  EXPECT_EQ(testing::ReadText(folder + "/consortium/root/root.key"), key);
  EXPECT_EQ(testing::ReadText(folder + "/precious"), "x");
}

TEST(ConsortiumFolder, TakesNoBadNamesAndLeavesNothingBehind) {
  const std::string folder = testing::TemporaryFolder();
  const auto refused = [&](auto change) {
    ConsortiumOptions options = testing::HeartsOptions();
    change(options);
    return !ConsortiumFolder::Create(folder + "/new", options).ok() && fs::is_empty(folder);
  };
  EXPECT_TRUE(refused([](ConsortiumOptions& o) { o.name = "Hearts"; }));
  EXPECT_TRUE(refused([](ConsortiumOptions& o) { o.name = ""; }));
  EXPECT_TRUE(refused([](ConsortiumOptions& o) { o.coordinator_name = "a/b"; }));
  EXPECT_TRUE(refused([](ConsortiumOptions& o) { o.operator_name = "../x"; }));
  EXPECT_TRUE(refused([](ConsortiumOptions& o) { o.coordinator_address = "host"; }));
  EXPECT_TRUE(refused([](ConsortiumOptions& o) { o.member_days = 0; }));
  EXPECT_TRUE(refused([](ConsortiumOptions& o) { o.root_days = 1'000'000; }));
  EXPECT_TRUE(refused([](ConsortiumOptions& o) { o.now_unix = -5; })) << "fails after the folder was begun";
}

TEST(ConsortiumFolder, ApprovesRenewsAndCountsUp) {
  const std::string folder = testing::TemporaryFolder();
  ConsortiumFolder consortium = CreateIn(folder);
  const std::uint64_t before = consortium.manifest().number;
  const MemberRequest request = RequestOfSite(folder + "/kit");
  const Approved approved = consortium.Approve(request, kNow, 30).value();
  EXPECT_FALSE(approved.renewed);
  EXPECT_EQ(approved.approval.certificate.facts().not_after_unix, kNow + 30 * kDay);
  EXPECT_EQ(consortium.manifest().number, before + 1);
  EXPECT_EQ(testing::LoadTrust(consortium.coordinator_kit()).manifest().number, before + 1) << "its kit has the news";
  const Approved again = consortium.Approve(request, kNow + kDay, 30).value();
  EXPECT_TRUE(again.renewed);
  EXPECT_EQ(consortium.manifest().number, before + 1) << "the members are the same";
  EXPECT_EQ(again.approval.certificate.facts().not_after_unix, kNow + 31 * kDay);
  EXPECT_EQ(consortium.Issued(request.identity)->der(), again.approval.certificate.der());
  const Approved forever = consortium.Approve(request, kNow, ConsortiumFolder::kMaxDays).value();
  EXPECT_EQ(forever.approval.certificate.facts().not_after_unix, consortium.root().facts().not_after_unix);
  EXPECT_FALSE(consortium.Approve(request, kNow, 0).ok());
  EXPECT_FALSE(consortium.Approve(request, kNow + 4000 * kDay, 30).ok()) << "the root has expired";
}

TEST(ConsortiumFolder, RefusesRequestsThatWouldTakeAPlaceOrAKey) {
  const std::string folder = testing::TemporaryFolder();
  ConsortiumFolder consortium = CreateIn(folder);
  ASSERT_TRUE(consortium.Approve(RequestOfSite(folder + "/a"), kNow, 30).ok());
  const auto taken = consortium.Approve(RequestOfSite(folder + "/b"), kNow, 30);
  EXPECT_EQ(taken.error().code, ErrorCode::kRefused) << "the same name with other keys";
  const MemberRequest lungs = RequestMembership(folder + "/c", {"lungs", Role::kSite, "site-c"}).value();
  EXPECT_EQ(consortium.Approve(lungs, kNow, 30).error().code, ErrorCode::kRefused);
  const MemberRequest second = RequestMembership(folder + "/d", Hearts(Role::kCoordinator, "second")).value();
  EXPECT_EQ(consortium.Approve(second, kNow, 30).error().code, ErrorCode::kRefused) << "there is one coordinator";
  // Another name for the keys of site-a: whoever holds them may make such a request.
  const TlsKey tls = TlsKey::LoadPemFile(folder + "/a/trust/own.key").value();
  const SigningKey signing = SigningKey::LoadPemFile(folder + "/a/trust/signing.key").value();
  const MemberRequest alias = MemberRequest::Make(Hearts(Role::kSite, "site-z"), tls, &signing);
  EXPECT_FALSE(consortium.Approve(alias, kNow, 30).ok());
  const SigningKey fresh = SigningKey::Generate();
  EXPECT_FALSE(consortium.Approve(MemberRequest::Make(Hearts(Role::kSite, "site-z"), tls, &fresh), kNow, 30).ok());
  const MemberRequest borrowed = MemberRequest::Make(Hearts(Role::kSite, "site-z"), TlsKey::Generate(), &signing);
  EXPECT_FALSE(consortium.Approve(borrowed, kNow, 30).ok());
  EXPECT_EQ(consortium.manifest().WithRole(Role::kSite).size(), 1u);
}

TEST(ConsortiumFolder, ReplacesARevokedMemberOnlyByNewKeys) {
  const std::string folder = testing::TemporaryFolder();
  ConsortiumFolder consortium = CreateIn(folder);
  const MemberRequest old = RequestOfSite(folder + "/a");
  ASSERT_TRUE(consortium.Approve(old, kNow, 30).ok());
  ASSERT_TRUE(consortium.Revoke(old.identity, kNow + 1).ok());
  EXPECT_EQ(consortium.Revoke(old.identity, kNow + 2).error().code, ErrorCode::kRefused) << "once is enough";
  EXPECT_EQ(consortium.revocations().revoked.size(), 1u);
  EXPECT_EQ(consortium.revocations().revoked[0].revoked_unix, kNow + 1);
  EXPECT_EQ(consortium.Approve(old, kNow, 30).error().code, ErrorCode::kRefused) << "the revoked key itself";
  const SigningKey stolen = SigningKey::LoadPemFile(folder + "/a/trust/signing.key").value();
  const MemberRequest half = MemberRequest::Make(old.identity, TlsKey::Generate(), &stolen);
  EXPECT_EQ(consortium.Approve(half, kNow, 30).error().code, ErrorCode::kRefused) << "the revoked signing key";
  const MemberRequest fresh = RequestOfSite(folder + "/b");
  ASSERT_TRUE(consortium.Approve(fresh, kNow + 3, 30).ok());
  EXPECT_EQ(consortium.manifest().Find(old.identity)->signing_key, fresh.signing_key);
  EXPECT_FALSE(consortium.Revoke(Hearts(Role::kSite, "nobody"), kNow).ok());
}

TEST(ConsortiumFolder, ReplacesARevokedCoordinator) {
  const std::string folder = testing::TemporaryFolder();
  ConsortiumFolder consortium = CreateIn(folder);
  ASSERT_TRUE(consortium.Revoke(Hearts(Role::kCoordinator, "coordinator"), kNow).ok());
  const MemberRequest second = RequestMembership(folder + "/d", Hearts(Role::kCoordinator, "second")).value();
  ASSERT_TRUE(consortium.Approve(second, kNow, 30).ok());
  EXPECT_EQ(consortium.manifest().WithRole(Role::kCoordinator).front()->identity.name, "second");
}

TEST(ConsortiumFolder, OpensAgainAsItWasAndOnlyOnceAtATime) {
  const std::string folder = testing::TemporaryFolder();
  {
    ConsortiumFolder consortium = CreateIn(folder);
    ASSERT_TRUE(consortium.Approve(RequestOfSite(folder + "/a"), kNow, 30).ok());
    const auto second = ConsortiumFolder::Open(folder + "/consortium");
    ASSERT_FALSE(second.ok());
    EXPECT_NE(second.error().message.find("another command"), std::string::npos);
  }
  const Result<ConsortiumFolder> again = ConsortiumFolder::Open(folder + "/consortium");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_NE(again->manifest().Find(Hearts(Role::kSite, "site-a")), nullptr);
}

TEST(ConsortiumFolder, DoesNotOpenWithASwappedOrReadableRootKey) {
  const std::string folder = testing::TemporaryFolder();
  { const ConsortiumFolder made = CreateIn(folder); }
  const std::string key = folder + "/consortium/root/root.key";
  ASSERT_EQ(chmod(key.c_str(), 0644), 0);
  EXPECT_EQ(ConsortiumFolder::Open(folder + "/consortium").error().code, ErrorCode::kRefused);
  fs::remove(key);
  EXPECT_EQ(ConsortiumFolder::Open(folder + "/consortium").error().code, ErrorCode::kBadInput);
  ASSERT_TRUE(TlsKey::Generate().WritePemFile(key).ok());
  EXPECT_EQ(ConsortiumFolder::Open(folder + "/consortium").error().code, ErrorCode::kVerificationFailed);
  EXPECT_FALSE(ConsortiumFolder::Open("/nonexistent").ok());
}

TEST(ConsortiumFolder, FinishesAnApprovalThatWasCutOffBeforeItsLastFiles) {
  const std::string folder = testing::TemporaryFolder();
  const MemberRequest request = RequestOfSite(folder + "/a");
  std::string issued;
  {
    ConsortiumFolder consortium = CreateIn(folder);
    issued = folder + "/consortium/issued";
    fs::remove_all(issued);
    std::ofstream(issued) << "a file where the folder should be";
    EXPECT_FALSE(consortium.Approve(request, kNow, 30).ok());
  }
  fs::remove(issued);
  ConsortiumFolder consortium = ConsortiumFolder::Open(folder + "/consortium").value();
  const Approved approved = consortium.Approve(request, kNow, 30).value();
  EXPECT_TRUE(approved.renewed) << "the manifest had been written";
  EXPECT_TRUE(
      JoinConsortium(folder + "/a", approved.approval, consortium.root().facts().certificate_fingerprint, kNow).ok());
}

TEST(ConsortiumFolder, GoesOnWithoutTheCoordinatorsKitBesideIt) {
  const std::string folder = testing::TemporaryFolder();
  ConsortiumFolder consortium = CreateIn(folder);
  fs::rename(consortium.coordinator_kit(), folder + "/moved-to-its-machine");
  ASSERT_TRUE(consortium.Approve(RequestOfSite(folder + "/a"), kNow, 30).ok());
  EXPECT_FALSE(fs::exists(consortium.coordinator_kit()));
  Trust coordinator = testing::LoadTrust(folder + "/moved-to-its-machine");
  EXPECT_EQ(coordinator.manifest().Find(Hearts(Role::kSite, "site-a")), nullptr);
  fs::copy_file(folder + "/consortium/bundle.json", folder + "/moved-to-its-machine/trust/bundle.json",
                fs::copy_options::overwrite_existing);
  EXPECT_NE(testing::LoadTrust(folder + "/moved-to-its-machine").manifest().Find(Hearts(Role::kSite, "site-a")),
            nullptr);
}

TEST(MakeKits, MakesEveryKitKnowEveryMember) {
  const Kits kits = testing::MakeHearts();
  for (const std::string& kit :
       {kits.coordinator, kits.first_operator, kits.sites.at("site-a"), kits.sites.at("site-b")}) {
    EXPECT_EQ(testing::LoadTrust(kit).manifest().members.size(), 4u) << kit;
  }
}

}  // namespace
}  // namespace synod
