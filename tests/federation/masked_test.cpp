// Federations with secure aggregation, of real processes: sites that end, come back and stay away in the middle of
// masked sums.
#include <gtest/gtest.h>

#include "common/artefact/generator_file.h"
#include "tests/federation/federation.h"

namespace synod::testing {
namespace {

FederationOptions FourMasked(unsigned rounds) {
  FederationOptions options;
  options.sites = {"site-a", "site-b", "site-c", "site-d"};
  options.aggregation = "secure";
  options.rounds = rounds;
  options.deadline_seconds = 20.0;
  return options;
}

GeneratorFile Verified(Federation& federation, const std::string& run) {
  const std::string path = federation.FetchVerified(run);
  federation.ExpectWholeLedgers();
  return GeneratorFile::Read(path).value();
}

// Answers of the site that are in a sum.
std::uint64_t SumsWith(const GeneratorFile& file, std::uint32_t site) {
  std::uint64_t answers = 0;
  const Participation& participation = file.certificate().participation;
  for (const std::uint64_t used : participation.AnsweredBy(site, file.content().plan.entries().size())) answers += used;
  return answers;
}

std::uint64_t QueriesDone(const Federation& federation, const std::string& run) {
  const Json view = federation.Show(run);
  return view.is_object() && view.contains("progress") ? view["progress"].value("queries_done", std::uint64_t{0}) : 0;
}

TEST(FederationMasked, PublishesACertificateWithTwoHonestShares) {
  Federation federation(FourMasked(6));
  federation.StartAll();
  const std::string run = federation.Submit();
  ASSERT_TRUE(federation.WaitFor(run, {"published"}))
      << federation.Synod({"run", "why", run}).both() << federation.Logs();
  const GeneratorFile file = Verified(federation, run);
  const Plan& plan = file.content().plan;
  EXPECT_EQ(plan.facts().aggregation, Aggregation::kSecure);
  EXPECT_EQ(plan.facts().quorum, 3u);
  EXPECT_EQ(plan.honest_shares(), 2u);
  for (std::uint32_t site = 0; site < 4; ++site) EXPECT_EQ(SumsWith(file, site), 7u) << "counts and six rounds";
}

TEST(FederationMasked, ASiteThatIsKilledAgainAndAgainIsADropOutAndTheRunFinishes) {
  Federation federation(FourMasked(24));
  federation.StartAll();
  const std::string run = federation.Submit();
  for (std::uint64_t kill = 0; kill < 3; ++kill) {
    ASSERT_TRUE(Eventually([&] { return QueriesDone(federation, run) >= 6 * (kill + 1); })) << federation.Logs();
    federation.Kill("site-b");
    federation.Revive();
  }
  ASSERT_TRUE(federation.WaitFor(run, {"published"}, /*revive=*/true))
      << federation.Synod({"run", "why", run}).both() << federation.Logs();
  const GeneratorFile file = Verified(federation, run);
  EXPECT_EQ(SumsWith(file, 0), 25u) << "the others are in every sum";
}

// Its masks are gone: what was open is one attempt lost, of the one retry that this entry has.
TEST(FederationMasked, ACoordinatorThatIsKilledGoesOnWithAFreshAttempt) {
  Federation federation(FourMasked(16));
  federation.StartAll();
  const std::string run = federation.Submit();
  ASSERT_TRUE(Eventually([&] { return QueriesDone(federation, run) >= 6; })) << federation.Logs();
  federation.Kill(Federation::kCoordinator);
  federation.Revive();
  ASSERT_TRUE(federation.WaitFor(run, {"published"}, /*revive=*/true))
      << federation.Synod({"run", "why", run}).both() << federation.Logs();
  Verified(federation, run);
}

TEST(FederationMasked, BelowTheQuorumTheRunWaitsAndNothingIsUsedUp) {
  Federation federation(FourMasked(16));
  federation.StartAll();
  const std::string run = federation.Submit();
  ASSERT_TRUE(Eventually([&] { return QueriesDone(federation, run) >= 5; })) << federation.Logs();
  federation.Kill("site-c");
  federation.Kill("site-d");
  ASSERT_TRUE(Eventually([&] {
    return federation.Synod({"run", "why", run}).both().find("not connected") != std::string::npos;
  })) << federation.Synod({"run", "why", run}).both();
  federation.Revive();
  ASSERT_TRUE(federation.WaitFor(run, {"published"}, /*revive=*/true))
      << federation.Synod({"run", "why", run}).both() << federation.Logs();
  Verified(federation, run);
}

}  // namespace
}  // namespace synod::testing
