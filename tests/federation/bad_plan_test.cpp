// A coordinator that changed the plan that it proposes: the real sites resolve the specification themselves, refuse,
// and name the field. The test plays that coordinator, with the coordinator's own keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/core/hex.h"
#include "common/net/link_server.h"
#include "common/privacy/plan.h"
#include "tests/federation/bad_peer.h"
#include "tests/federation/training_federation.h"

namespace synod::testing {
namespace {

using ::testing::HasSubstr;

// Proposes one run to everybody who connects and takes their decisions.
class TamperingCoordinator {
 public:
  TamperingCoordinator(const Federation& federation, RunProposal proposal, const Json& offer)
      : proposal_(std::move(proposal)) {
    const std::string text = offer.dump();
    payload_ = std::make_shared<const Bytes>(text.begin(), text.end());
    LinkRules rules;
    rules.check_peer = [](const X509Certificate&) { return Status(); };
    rules.payload_limit = [](const Identity&, const Message&) { return std::uint64_t{1} << 20; };
    rules.trust_numbers = [] { return std::pair<std::uint64_t, std::uint64_t>(1, 0); };
    Result<std::unique_ptr<LinkServer>> server = LinkServer::Listen(
        {federation.address(), FilesOf(federation.kit_of(Federation::kCoordinator)), std::move(rules)}, clock_);
    if (!server.ok()) {
      ADD_FAILURE() << server.error().message;
      return;
    }
    server_ = std::move(*server);
  }

  // Until `count` sites have decided for good.
  bool WaitForDecisions(std::size_t count) {
    return Eventually([&] {
      for (const LinkEvent& event : server_->Advance()) Take(event);
      return decisions_.size() >= count;
    });
  }
  const std::map<std::string, RunDecision>& decisions() const { return decisions_; }

 private:
  void Take(const LinkEvent& event) {
    if (const auto* opened = std::get_if<PeerOpened>(&event)) {
      names_[opened->peer] = opened->identity.name;
      EXPECT_TRUE(server_->Send(opened->peer, {proposal_, payload_}).ok());
    }
    const auto* message = std::get_if<PeerMessage>(&event);
    const auto* decision = message == nullptr ? nullptr : std::get_if<RunDecision>(&message->envelope.message);
    if (decision != nullptr && decision->decision != Decision::kWaiting) decisions_[names_[message->peer]] = *decision;
  }

  SystemClock clock_;
  RunProposal proposal_;
  std::shared_ptr<const Bytes> payload_;
  std::unique_ptr<LinkServer> server_;
  std::map<PeerId, std::string> names_;
  std::map<std::string, RunDecision> decisions_;
};

class BadPlan : public ::testing::Test {
 protected:
  // A plan that the real coordinator resolved for a run of all sites, none of which has seen it.
  Json ResolvedPlan() {
    federation_.Start(Federation::kCoordinator);
    const std::string run = federation_.Submit();
    EXPECT_TRUE(federation_.WaitFor(run, {"proposed"})) << federation_.Logs();
    const std::string text = federation_.Show(run).value("plan_text", "");
    EXPECT_EQ(federation_.Terminate(Federation::kCoordinator), 0);
    header_ = text.substr(0, text.find('\n') + 1);
    return Json::parse(text.substr(header_.size()));
  }
  // Proposes the plan as it is given; the sites' decisions by name.
  std::map<std::string, RunDecision> Propose(const Json& plan_json) {
    const std::string text = header_ + *CanonicalJsonText(plan_json);
    const Result<Plan> plan = Plan::FromCanonicalText(text);
    if (!plan.ok()) {
      ADD_FAILURE() << "the plan is refused before anybody compares it: " << plan.error().message;
      return {};
    }
    RunProposal proposal;
    proposal.run.bytes.fill(7);
    proposal.plan_hash = plan->Hash();
    proposal.submitter = "operator";
    const Json offer = {{"specification", ReadText(federation_.run_file())},
                        {"schema", ReadText(federation_.schema_file())},
                        {"plan", text}};
    TamperingCoordinator coordinator(federation_, proposal, offer);
    for (const std::string& site : federation_.options().sites) federation_.Start(site);
    EXPECT_TRUE(coordinator.WaitForDecisions(federation_.options().sites.size())) << federation_.Logs();
    return coordinator.decisions();
  }

  Federation federation_;
  std::string header_;  // the line before the plan's JSON: label and version
};

TEST_F(BadPlan, AsTheCoordinatorResolvedItIsApproved) {
  for (const auto& [site, decision] : Propose(ResolvedPlan())) {
    EXPECT_EQ(decision.decision, Decision::kApproved) << site << federation_.LogOf(site);
  }
}

TEST_F(BadPlan, WithANoiseMultiplierThatIsOnePercentLowIsRefusedByEverySiteAndTheFieldIsNamed) {
  Json plan = ResolvedPlan();
  // The multiplier is the root of the variance; the epsilon that the plan states stays as it was.
  const auto variance = plan["entries"][0]["site_variance"].get<std::uint64_t>();
  const auto lowered = static_cast<std::uint64_t>(static_cast<double>(variance) * 0.99 * 0.99);
  ASSERT_LT(lowered, variance);
  plan["entries"][0]["site_variance"] = lowered;
  const auto decisions = Propose(plan);
  EXPECT_EQ(decisions.size(), 3u);
  const std::string run = ToHex(Bytes(16, 7));
  for (const auto& [site, decision] : decisions) {
    EXPECT_EQ(decision.decision, Decision::kDenied) << site;
    EXPECT_EQ(decision.reason, DenialReason::kPlanMismatch) << site;
    EXPECT_THAT(federation_.SiteTool(site, {"requests", "--all"}).out, HasSubstr("plan_mismatch"));
    EXPECT_THAT(federation_.SiteTool(site, {"requests"}).out, HasSubstr("No runs"));
    const ProgramRun explained = federation_.SiteTool(site, {"explain", run});
    EXPECT_THAT(explained.out, HasSubstr("plan_mismatch")) << explained.both();
    EXPECT_THAT(explained.out, HasSubstr("site_variance differs")) << explained.both();
    EXPECT_EQ(federation_.SiteTool(site, {"approve", run}).exit_code, 6);
    EXPECT_EQ(federation_.SiteView(site, {"ledger", "verify"}).value("rows", 1), 0);
    EXPECT_EQ(federation_.Terminate(site), 0);
  }
}

}  // namespace
}  // namespace synod::testing
