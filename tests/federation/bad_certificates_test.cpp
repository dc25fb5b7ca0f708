// Whoever has no good certificate of this consortium gets nowhere while a run trains, hears why where it proved to be
// somebody, and harms nobody.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "common/consortium/consortium_folder.h"
#include "common/core/hex.h"
#include "common/net/link_server.h"
#include "tests/federation/bad_peer.h"
#include "tests/federation/root_keeper.h"
#include "tests/federation/training_federation.h"

namespace synod::testing {
namespace {

using ::testing::HasSubstr;

// Tries to open a link; what the coordinator said, "" if it said nothing (an alert of TLS at most).
std::string Refusal(const Federation& federation, const TlsFiles& files) {
  BadPeer peer(federation.port(), files);
  if (peer.Open()) return "opened";
  const std::optional<GoodbyeReason> reason = peer.WaitForEnd();
  return reason ? std::string(GoodbyeReasonName(*reason)) : "";
}

FederationOptions OldConsortium() {
  FederationOptions options = LongRun();
  options.consortium_days = 40;
  return options;
}

class BadCertificates : public ::testing::Test {
 protected:
  BadCertificates() { member_ = training_.federation.AddSite("site-d"); }
  void SetUp() override { training_.Begin(); }
  void TearDown() override { training_.ExpectPublishedAndComplete(); }

  Federation& federation() { return training_.federation; }
  std::string log() { return federation().LogOf(Federation::kCoordinator); }
  void ExpectInLog(const std::string& text) {
    EXPECT_TRUE(Eventually([&] { return log().find(text) != std::string::npos; })) << text << log();
  }

  TrainingFederation training_{OldConsortium()};
  std::string member_;  // the kit of a good site that no run asks for
};

TEST_F(BadCertificates, OfTheRightRootAreRefusedWithTheRuleInTheLog) {
  RootKeeper keeper(federation());
  const Identity site_d{"test", Role::kSite, "site-d"};
  EXPECT_EQ(Refusal(federation(), keeper.ForKey(member_, site_d, -30, -2)), "not_allowed");
  ExpectInLog("synod://test/site/site-d expired at");
  EXPECT_EQ(Refusal(federation(), keeper.ForKey(member_, site_d, 2, 30)), "not_allowed");
  ExpectInLog("synod://test/site/site-d is not valid before");
  EXPECT_EQ(Refusal(federation(), keeper.ForNewKey({"test", Role::kSite, "site-a"})), "not_allowed");
  ExpectInLog("names another key for synod://test/site/site-a");
  EXPECT_EQ(Refusal(federation(), keeper.ForNewKey({"test", Role::kSite, "nobody"})), "not_allowed");
  ExpectInLog("synod://test/site/nobody is not in the manifest");
  EXPECT_EQ(Refusal(federation(), FilesOf(federation().kit_of(Federation::kCoordinator))), "not_allowed");
  ExpectInLog("may not connect here: its role is coordinator");
  // The good certificate of the same key still opens a link.
  EXPECT_EQ(Refusal(federation(), FilesOf(member_)), "opened");
  EXPECT_EQ(federation().SiteLine("site-a").value("state", ""), "connected");
}

TEST_F(BadCertificates, OfAnotherRootDoNotGetThroughTheHandshake) {
  const Federation other(OldConsortium());
  RootKeeper keeper(federation());
  TlsFiles stranger = FilesOf(other.kit_of("site-a"));  // the same consortium name, another root
  stranger.root_file = FilesOf(member_).root_file;
  EXPECT_EQ(Refusal(federation(), stranger), "");
  EXPECT_EQ(Refusal(federation(), keeper.SelfMade("test")), "");
  TlsFiles stolen = FilesOf(member_);  // a good certificate that is public, without its key, does not even load
  stolen.key_file = FilesOf(other.kit_of("site-a")).key_file;
  EXPECT_FALSE(TlsContext::Load(stolen, TlsSide::kClient).ok());
  ExpectInLog("certificate verify failed");
  EXPECT_THAT(log(), Not(HasSubstr("\"link_opened\",\"peer\":\"synod://test/site/site-d\"")));
}

TEST_F(BadCertificates, ARevokedMemberLosesItsOpenLinkAndMayNotComeBack) {
  const int revocations_before = federation().SiteView("site-a", {"status"}).value("revocations", 0);
  BadPeer open(federation().port(), FilesOf(member_));
  ASSERT_TRUE(open.Open()) << federation().Logs();
  {
    Result<ConsortiumFolder> folder = ConsortiumFolder::Open(federation().kits().consortium);
    ASSERT_TRUE(folder.ok()) << folder.error().message;
    ASSERT_TRUE(folder->Revoke({"test", Role::kSite, "site-d"}, SystemClock().UnixSeconds()).ok());
  }
  federation().Signal(Federation::kCoordinator, SIGHUP);
  EXPECT_EQ(open.WaitForEnd(), GoodbyeReason::kRevoked);
  EXPECT_EQ(Refusal(federation(), FilesOf(member_)), "not_allowed");
  ExpectInLog("synod://test/site/site-d is revoked since");
  const Json line = federation().SiteLine("site-d");
  EXPECT_EQ(line.value("state", ""), "revoked");
  EXPECT_THAT(line.value("last_close", ""), HasSubstr("is revoked since"));
  // The others have heard of it, and kept their links.
  EXPECT_TRUE(Eventually([&] {
    return federation().SiteView("site-a", {"status"}).value("revocations", 0) > revocations_before;
  })) << federation().LogOf("site-a");
}

TEST_F(BadCertificates, ASiteThatSendsWhatSitesDoNotSendLosesItsLink) {
  BadPeer peer(federation().port(), FilesOf(member_));
  ASSERT_TRUE(peer.Open());
  peer.SendMessage(OperatorRequest{1, OperatorVerb::kRunAbort, RunId{*FixedFromHex<16>(training_.run)}});
  EXPECT_EQ(peer.WaitForEnd(), GoodbyeReason::kProtocol);
  const std::string viewer = federation().AddMember(Role::kViewer, "viewer");
  federation().Signal(Federation::kCoordinator, SIGHUP);
  ASSERT_TRUE(Eventually([&] { return Refusal(federation(), FilesOf(viewer)) == "opened"; }));
  const ProgramRun abort = RunTool({"run", "abort", training_.run}, {"SYNOD_KIT=" + viewer});
  EXPECT_EQ(abort.exit_code, 6) << abort.both();
  const ProgramRun list = RunTool({"run", "list"}, {"SYNOD_KIT=" + viewer});
  EXPECT_EQ(list.exit_code, 0) << list.both();
  BadPeer answering(federation().port(), FilesOf(viewer));
  ASSERT_TRUE(answering.Open());
  answering.SendMessage(AnswerRefused{});
  EXPECT_EQ(answering.WaitForEnd(), GoodbyeReason::kProtocol);
}

// Stands where the coordinator stood, with `files`; counts whom it got to know.
class Impostor {
 public:
  Impostor(const std::string& address, TlsFiles files) {
    LinkRules rules;
    rules.check_peer = [](const X509Certificate&) { return Status(); };
    rules.payload_limit = [](const Identity&, const Message&) { return std::uint64_t{1} << 20; };
    rules.trust_numbers = [] { return std::pair<std::uint64_t, std::uint64_t>(0, 0); };
    Result<std::unique_ptr<LinkServer>> server =
        LinkServer::Listen({address, std::move(files), std::move(rules)}, clock_);
    if (server.ok()) {
      server_ = std::move(*server);
    } else {
      ADD_FAILURE() << server.error().message;
    }
  }
  // Until some connection was refused by its site.
  bool WaitForARefusal() {
    return Eventually([&] {
      for (const LinkEvent& event : server_->Advance()) {
        if (std::holds_alternative<PeerClosed>(event)) ++refusals_;
        if (std::holds_alternative<PeerOpened>(event)) ADD_FAILURE() << "a site opened its link to an impostor";
      }
      return refusals_ > 0;
    });
  }

 private:
  SystemClock clock_;
  std::unique_ptr<LinkServer> server_;
  int refusals_ = 0;
};

TEST_F(BadCertificates, ASiteGivesNothingToWhoPosesAsItsCoordinatorAndWaitsForTheRealOne) {
  federation().Kill(Federation::kCoordinator);
  const Federation other(OldConsortium());
  const std::string strangers = other.kit_of(Federation::kCoordinator);
  RootKeeper keeper(federation());
  TlsFiles of_other_root = FilesOf(strangers);
  of_other_root.root_file = FilesOf(member_).root_file;
  for (const TlsFiles& files :
       {of_other_root, FilesOf(member_), keeper.ForNewKey({"test", Role::kCoordinator, "coordinator"})}) {
    EXPECT_TRUE(Impostor(federation().address(), files).WaitForARefusal()) << files.certificate_file;
  }
  EXPECT_THAT(federation().Logs(), HasSubstr("names another key for synod://test/coordinator/coordinator"));
  federation().Start(Federation::kCoordinator);
}

}  // namespace
}  // namespace synod::testing
