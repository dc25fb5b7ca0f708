// Verification: forged, overstated, understated and borrowed claims are refused, whoever signed them.
#include "common/artefact/verify.h"

#include <gtest/gtest.h>

#include <functional>

#include "common/artefact/inspect.h"
#include "tests/unit/artefact/small_federation.h"

namespace synod {
namespace {

const testing::SmallFederation& Signers() {
  static const testing::SmallFederation federation;
  return federation;
}

const Certificate& GoodCertificate() {
  static const Certificate certificate = Signers().certificate();
  return certificate;
}

// Everybody signs a changed certificate: only recomputation can find it.
bool ForgeryPasses(const std::function<void(Certificate&)>& change) {
  Certificate forged = GoodCertificate();
  change(forged);
  const Result<GeneratorFile> file = Signers().Sign(forged);
  return file.ok() && Verify(*file, Signers().trusted()).ok();
}

// Site 1 says something else in its signature.
bool StatementPasses(const std::function<void(SiteStatement&)>& change, std::size_t signer = 1) {
  const GeneratorDraft draft = GeneratorDraft::Create(Signers().content(), GoodCertificate()).value();
  std::vector<SiteSignature> signatures;
  for (std::uint32_t i = 0; i < 4; ++i) {
    SiteStatement statement = Signers().statement(i, draft.file_digest());
    if (i == 1) change(statement);
    signatures.push_back(SignAsSite(Signers().site(i == 1 ? signer : i), statement));
  }
  const auto file = draft.Finish(SignAsCoordinator(Signers().coordinator(), draft.file_digest()), signatures);
  return file.ok() && Verify(*file, Signers().trusted()).ok();
}

TEST(Verify, AcceptsAnHonestFileAndSaysWhatItChecked) {
  const GeneratorFile file = Signers().Sign(GoodCertificate()).value();
  const Result<VerifyReport> report = Verify(file, Signers().trusted());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->outcome, VerifyOutcome::kVerified);
  EXPECT_EQ(report->ExitCode(), 0);
  EXPECT_LE(report->epsilon_recomputed, report->epsilon_stated);
  EXPECT_LE(report->epsilon_stated, 3.0);
  EXPECT_GE(report->checked.size(), 6u);
  EXPECT_EQ(report->ToJson().at("outcome"), "verified");
}

TEST(Verify, RefusesEpsilonsThatThePlanDoesNotMake) {
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.readings[0].by_sites[0].upper = 1.0; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.readings[0].by_sites[0].upper -= 0.002; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.readings[0].by_sites[0].upper *= 1.02; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.readings[1].by_sites[2].upper *= 0.98; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.readings[2].by_sites[0].upper *= 0.98; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.readings[0].by_sites[0].rdp *= 0.5; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.readings[0].by_sites[0].lower = 100; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.readings[2].shares = 3; }));
  EXPECT_TRUE(ForgeryPasses([](Certificate&) {})) << "the unchanged certificate passes";
}

TEST(Verify, RefusesFactsThatDoNotFollowFromThePlan) {
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.delta = 1e-6; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.unit = PrivacyUnit::kSubject; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.relation = Adjacency::kReplaceOne; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.max_sites_per_subject = 2; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.honest_shares = 3; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.max_colluding = 0; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.sites = 5; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.plan_hash[0] ^= 1; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.schema_hash[0] ^= 1; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.content_digest[0] ^= 1; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.entries[1].allowed += 10; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.entries[1].used -= 1; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.entries.pop_back(); }));
}

TEST(Verify, RefusesSentencesThatTheNumbersDoNotMake) {
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.statements[0] = "Epsilon is 0.1."; }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.statements.push_back("It is anonymous."); }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.not_claimed.clear(); }));
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) { c.not_claimed.pop_back(); }));
}

TEST(Verify, RefusesMoreAnswersThanThePlanAllows) {
  EXPECT_FALSE(ForgeryPasses([](Certificate& c) {
    for (std::uint32_t query = 21; query < 26; ++query) c.participation.Record(query, 0, 1, true, {0, 1, 2});
    c.entries[1].used += 5;
  }));
}

TEST(Verify, RefusesSitesThatSayLessThanTheyAnsweredOrMoreThanTheyMay) {
  EXPECT_TRUE(StatementPasses([](SiteStatement&) {}));
  EXPECT_TRUE(StatementPasses([](SiteStatement& s) { s.attempts[1] += 1; })) << "an answer may be lost on its way";
  EXPECT_FALSE(StatementPasses([](SiteStatement& s) { s.attempts[1] -= 1; }));
  EXPECT_FALSE(StatementPasses([](SiteStatement& s) { s.attempts[1] = 24; }));
  EXPECT_FALSE(StatementPasses([](SiteStatement& s) { s.attempts.pop_back(); }));
}

TEST(Verify, RefusesSignaturesOverSomethingElse) {
  EXPECT_FALSE(StatementPasses([](SiteStatement& s) { s.plan_hash[0] ^= 1; }));
  EXPECT_FALSE(StatementPasses([](SiteStatement& s) { s.file_digest[0] ^= 1; }));
  EXPECT_FALSE(StatementPasses([](SiteStatement& s) { s.run.bytes[0] ^= 1; }));
  EXPECT_FALSE(StatementPasses([](SiteStatement& s) { s.site = "site-e"; }));
  EXPECT_FALSE(StatementPasses([](SiteStatement&) {}, 2)) << "the key of another site";
}

// A coordinator publishes another plan than the one that the sites agreed to and signed, certified without a fault and
// freshly signed, and attaches what the sites signed.
Result<VerifyReport> VerifyAltered(const std::function<void(PlanRequest&)>& change, bool with_sites) {
  const GeneratorContent altered = Signers().altered(change);
  EXPECT_NE(altered.plan.Hash(), Signers().plan().Hash());
  const GeneratorDraft agreed = GeneratorDraft::Create(Signers().content(), GoodCertificate()).value();
  const GeneratorDraft draft = GeneratorDraft::Create(altered, Signers().CertificateOf(altered)).value();
  std::vector<SiteSignature> signatures;
  for (std::uint32_t i = 0; with_sites && i < 4; ++i) {
    signatures.push_back(SignAsSite(Signers().site(i), Signers().statement(i, agreed.file_digest())));
  }
  const Signature fresh = SignAsCoordinator(Signers().coordinator(), draft.file_digest());
  return Verify(draft.Finish(fresh, signatures).value(), Signers().trusted());
}

TEST(Verify, FindsAFreshCoordinatorSignatureOverAnotherPlanByTheSitesSignatures) {
  const std::vector<std::pair<const char*, std::function<void(PlanRequest&)>>> changes = {
      {"T", [](PlanRequest& r) { r.entries[1].count = 30; }},
      {"q", [](PlanRequest& r) { r.entries[1].sampling_rate = 0.03; }},
      {"z", [](PlanRequest& r) { r.facts.epsilon_target = 2.9; }},
      {"h", [](PlanRequest& r) { r.facts.max_colluding = 0; }}};
  for (const auto& [name, change] : changes) {
    const Result<VerifyReport> report = VerifyAltered(change, true);
    ASSERT_FALSE(report.ok()) << name;
    EXPECT_EQ(report.error().code, ErrorCode::kVerificationFailed);
    EXPECT_NE(report.error().message.find("its signature does not verify"), std::string::npos) << name;
  }
  // Without the sites' signatures there is nothing to compare: the file is incomplete, which is no success either.
  const Result<VerifyReport> unsigned_file = VerifyAltered(changes[0].second, false);
  ASSERT_TRUE(unsigned_file.ok()) << unsigned_file.error().message;
  EXPECT_EQ(unsigned_file->outcome, VerifyOutcome::kIncomplete);
  EXPECT_EQ(unsigned_file->ExitCode(), 8);
}

TEST(Verify, RefusesKeysThatAreNotTheRosters) {
  const GeneratorFile file = Signers().Sign(GoodCertificate()).value();
  TrustedKeys other_coordinator = Signers().trusted();
  other_coordinator.coordinator = SigningKey::Generate().public_key();
  EXPECT_FALSE(Verify(file, other_coordinator).ok());
  TrustedKeys other_site = Signers().trusted();
  other_site.sites["site-b"] = SigningKey::Generate().public_key();
  EXPECT_FALSE(Verify(file, other_site).ok());
  TrustedKeys unknown_site = Signers().trusted();
  unknown_site.sites.erase("site-c");
  EXPECT_FALSE(Verify(file, unknown_site).ok());
  EXPECT_FALSE(Verify(file, TrustedKeys{}).ok());
}

TEST(Verify, CallsAFileIncompleteWhenASiteThatAnsweredHasNotSigned) {
  const GeneratorFile file = Signers().SignWithout(GoodCertificate(), {"site-d"}).value();
  const Result<VerifyReport> report = Verify(file, Signers().trusted());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->outcome, VerifyOutcome::kIncomplete);
  EXPECT_EQ(report->missing_sites, std::vector<std::string>{"site-d"});
  EXPECT_EQ(report->ExitCode(), 8);
  EXPECT_EQ(report->ExitCode(true), 0);
}

TEST(Verify, NeverTakesASimulationForAGuarantee) {
  const testing::SmallFederation curator(Aggregation::kCurator);
  const Certificate certificate = curator.certificate(CertificateClass::kSimulation);
  const GeneratorDraft draft = GeneratorDraft::Create(curator.content(), certificate).value();
  const GeneratorFile file = draft.Finish({}, {}).value();
  const Result<VerifyReport> report = Verify(file, TrustedKeys{});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->outcome, VerifyOutcome::kSimulation);
  EXPECT_EQ(report->ExitCode(), 8);
  EXPECT_EQ(report->ExitCode(true), 8);
  EXPECT_FALSE(Verify(curator.Sign(certificate).value(), curator.trusted()).ok()) << "signed as if it were one";
  EXPECT_FALSE(Verify(draft.Finish({}, {}, FileConsortium{}).value(), TrustedKeys{}).ok()) << "with a consortium";
  Certificate relabelled = certificate;
  relabelled.kind = CertificateClass::kFederated;
  EXPECT_FALSE(Verify(curator.Sign(relabelled).value(), curator.trusted()).ok()) << "a curator's plan";
}

TEST(Certify, RefusesARunThatBrokeItsPlan) {
  CertificateRequest request;
  request.software_version = "0.1.0";
  const auto refused = [&](const std::function<void(Participation&)>& record) {
    request.participation = Participation();
    record(request.participation);
    return !request.participation.CheckAgainst(Signers().plan()).ok() && !Certify(Signers().plan(), request).ok();
  };
  EXPECT_TRUE(refused([](Participation& p) { p.Record(0, 0, 2, true, {0, 1, 2}); })) << "not in the plan";
  EXPECT_TRUE(refused([](Participation& p) { p.Record(0, 0, 1, true, {0, 1}); })) << "below the quorum";
  EXPECT_TRUE(refused([](Participation& p) { p.Record(0, 0, 1, true, {0, 1, 4}); })) << "not in the roster";
  EXPECT_TRUE(refused([](Participation& p) { p.Record(0, 1, 1, true, {0, 1, 2}); })) << "begins with attempt 1";
  EXPECT_TRUE(refused([](Participation& p) {
    p.Record(0, 0, 1, true, {0, 1, 2});
    p.Record(0, 1, 1, true, {0, 1, 2});
  })) << "a second answer after a completed one";
  EXPECT_TRUE(refused([](Participation& p) {
    for (std::uint32_t query = 0; query < 3; ++query) p.Record(query, 0, 0, true, {0, 1, 2});
  })) << "more than count + retries";
}

TEST(Certify, NamesWhatIsNotClaimed) {
  const std::string text = InspectText(Signers().Sign(GoodCertificate()).value());
  EXPECT_NE(text.find("Float error measured, not proven."), std::string::npos);
  EXPECT_NE(text.find("site-d"), std::string::npos);
  EXPECT_NE(text.find("Who took part (N = 4, quorum = 3, t = 3, c = 1, h = 2)"), std::string::npos);
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c <= 0x7e));
  EXPECT_EQ(Inspect(Signers().Sign(GoodCertificate()).value()).at("sites").size(), 4u);
}

TEST(TrustedKeys, SurviveTheirJsonAndRefuseAnythingElse) {
  const Json json = Signers().trusted().ToJson();
  const Result<TrustedKeys> again = TrustedKeys::FromJson(json);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->sites, Signers().trusted().sites);
  EXPECT_EQ(again->coordinator, Signers().trusted().coordinator);
  Json more = json;
  more["extra"] = 1;
  EXPECT_FALSE(TrustedKeys::FromJson(more).ok());
  Json twice = json;
  twice["sites"].push_back(twice["sites"][0]);
  EXPECT_FALSE(TrustedKeys::FromJson(twice).ok());
  Json short_key = json;
  short_key["coordinator"] = "00";
  EXPECT_FALSE(TrustedKeys::FromJson(short_key).ok());
}

}  // namespace
}  // namespace synod
