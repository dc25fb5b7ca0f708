// The certificate against a forger: every leaf of every section is changed, digests are repaired and the coordinator
// signs anew; then everybody signs, so that recomputation alone is left. Byte flips, truncations and signatures over
// something else are in tests/unit/artefact.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "common/artefact/verify.h"
#include "tests/honesty/forger.h"
#include "tests/unit/artefact/small_federation.h"

namespace synod::honesty {
namespace {

using testing::SmallFederation;

const SmallFederation& Federation() {
  static const SmallFederation federation;
  return federation;
}

// The plan of these tests asks everybody in every step: its epsilons have a closed form, so that a thousand
// verifications take seconds.
const GeneratorContent& Content() {
  static const GeneratorContent content =
      Federation().altered([](PlanRequest& request) { request.entries[1].sampling_rate = 1.0; });
  return content;
}

const Certificate& GoodCertificate() {
  static const Certificate certificate = Federation().CertificateOf(Content());
  return certificate;
}

// Every site states what its own ledger says; the coordinator signs the rest.
FileSignatures Everybody(const Digest& file_digest) {
  FileSignatures signatures;
  signatures.file_digest = file_digest;
  signatures.coordinator = SignAsCoordinator(Federation().coordinator(), file_digest);
  for (std::uint32_t i = 0; i < 4; ++i) {
    SiteStatement statement = Federation().statement(i, file_digest);
    statement.plan_hash = Content().plan.Hash();
    signatures.sites.push_back(SignAsSite(Federation().site(i), statement));
  }
  return signatures;
}

const GeneratorFile& Published() {
  static const GeneratorFile file = [] {
    const GeneratorDraft draft = GeneratorDraft::Create(Content(), GoodCertificate()).value();
    const FileSignatures signatures = Everybody(draft.file_digest());
    return draft.Finish(signatures.coordinator, signatures.sites).value();
  }();
  return file;
}

// The coordinator's fresh signature beside what the sites signed: the published file.
FileSignatures CoordinatorAlone(const Digest& file_digest) {
  FileSignatures signatures = Published().signatures();
  signatures.file_digest = file_digest;
  signatures.coordinator = SignAsCoordinator(Federation().coordinator(), file_digest);
  return signatures;
}

// Whether `synod verify` would return 0.
bool Passes(const std::optional<Bytes>& bytes) {
  if (!bytes) return false;
  const Result<GeneratorFile> file = GeneratorFile::Parse(*bytes);
  if (!file.ok()) return false;
  const Result<VerifyReport> report = Verify(*file, Federation().trusted());
  return report.ok() && report->ExitCode() == 0;
}

TEST(CertificateForger, HasTheMeansToMakeAFileThatPasses) {
  const Forger alone(Published(), CoordinatorAlone);
  const std::optional<Bytes> same = alone.Forge(FileSection::kPlan, alone.document(FileSection::kPlan));
  ASSERT_TRUE(same.has_value());
  EXPECT_EQ(*same, Published().bytes()) << "Ed25519 is deterministic: nothing changed, nothing differs";
  EXPECT_TRUE(Passes(same));
  const Forger everybody(Published(), Everybody);
  Json certificate = everybody.document(FileSection::kCertificate);
  certificate["created_unix"] = 1'770'000'001;
  EXPECT_TRUE(Passes(everybody.Forge(FileSection::kCertificate, certificate)));
}

class EverySection : public ::testing::TestWithParam<FileSection> {};

TEST_P(EverySection, ChangedInAnyLeafAndSignedByTheCoordinatorAloneIsCaught) {
  const Forger forger(Published(), CoordinatorAlone);
  const std::vector<Alteration> alterations = AlterationsOf(forger.document(GetParam()));
  EXPECT_GE(alterations.size(), 10U);
  for (const Alteration& alteration : alterations) {
    EXPECT_FALSE(Passes(forger.Forge(GetParam(), alteration.document))) << alteration.where;
  }
}

INSTANTIATE_TEST_SUITE_P(Sections, EverySection,
                         ::testing::Values(FileSection::kSchema, FileSection::kPlan, FileSection::kModel,
                                           FileSection::kCertificate),
                         [](const auto& test) { return std::string(FileSectionName(test.param)); });

TEST(CertificateForger, CannotChangeAWeight) {
  const Forger forger(Published(), CoordinatorAlone);
  for (std::size_t i = 0; i < forger.parameters().size(); ++i) {
    Bytes parameters = forger.parameters();
    parameters[i] = static_cast<std::uint8_t>(parameters[i] ^ 1);
    EXPECT_FALSE(Passes(forger.ForgeParameters(std::move(parameters)))) << "byte " << i;
  }
}

TEST(CertificateForger, CannotChangeASignature) {
  const Forger forger(Published(), CoordinatorAlone);
  const std::vector<Alteration> alterations = AlterationsOf(forger.document(FileSection::kSignatures));
  EXPECT_GE(alterations.size(), 50U);
  for (const Alteration& alteration : alterations) {
    EXPECT_FALSE(Passes(forger.ReplaceSignatures(alteration.document))) << alteration.where;
  }
}

// The changes of the certificate that pass if the coordinator and every site sign them together. None makes the
// guarantee stronger than the plan does; what they say cannot be recomputed from the file:
//   created_unix, software_version   the signers' clocks and texts (the consortium's root bounds the time)
//   answered, completed              who is said to have answered and whether a sum was used, within what the sites
//                                    state of their own ledgers and never more than the plan allows
//   readings                         an upper bound stated one step higher, a lower one stated one step lower
//   not_claimed                      only "Float error measured, not proven.": no honest site signs without it (the
//                                    check of a draft, models/worker/draft_check.h)
const std::set<std::string>& Harmless() {
  static const std::set<std::string> changes = {"/created_unix +1",
                                                "/created_unix -1",
                                                "/created_unix 0",
                                                "/not_claimed without one",
                                                "/participation/#/answered emptied",
                                                "/participation/#/answered without one",
                                                "/participation/#/completed flipped",
                                                "/readings/#/epsilons/#/epsilon_lower -0.001",
                                                "/readings/#/epsilons/#/epsilon_rdp +0.001",
                                                "/readings/#/epsilons/#/epsilon_upper +0.001",
                                                "/software_version +x",
                                                "/software_version turned"};
  return changes;
}

TEST(Certificate, MayLeaveOutOnlyTheSentenceAboutFloatErrorOfWhatIsNotClaimed) {
  const Forger forger(Published(), Everybody);
  const Json& certificate = forger.document(FileSection::kCertificate);
  int passed = 0;
  for (std::size_t i = 0; i < certificate["not_claimed"].size(); ++i) {
    Json forged = certificate;
    forged["not_claimed"].erase(i);
    if (!Passes(forger.Forge(FileSection::kCertificate, forged))) continue;
    ++passed;
    EXPECT_EQ(certificate["not_claimed"][i], "Float error measured, not proven.");
  }
  EXPECT_EQ(passed, 1);
}

TEST(Certificate, SignedByEverybodyPassesOnlyWithHarmlessChanges) {
  const Forger forger(Published(), Everybody);
  std::set<std::string> passed;
  for (const Alteration& alteration : AlterationsOf(forger.document(FileSection::kCertificate))) {
    if (Passes(forger.Forge(FileSection::kCertificate, alteration.document))) {
      passed.insert(std::regex_replace(alteration.where, std::regex("[0-9]+(?=/)"), "#"));
    }
  }
  EXPECT_THAT(passed, ::testing::ContainerEq(Harmless()));
}

// A coordinator that leaves the sites out altogether: no answer is counted, so no site has to sign.
TEST(CertificateForger, CannotDoWithoutSitesByCountingNoAnswers) {
  Certificate nobody = GoodCertificate();
  nobody.participation = Participation();
  for (CertifiedEntry& entry : nobody.entries) entry.used = 0;
  const GeneratorDraft draft = GeneratorDraft::Create(Content(), nobody).value();
  const GeneratorFile file =
      draft.Finish(SignAsCoordinator(Federation().coordinator(), draft.file_digest()), {}).value();
  EXPECT_FALSE(Passes(file.bytes()));
  Certificate lost = nobody;
  lost.participation.Record(0, 0, 0, false, {});
  lost.entries[0].used = 1;
  const GeneratorDraft second = GeneratorDraft::Create(Content(), lost).value();
  EXPECT_FALSE(
      Passes(second.Finish(SignAsCoordinator(Federation().coordinator(), second.file_digest()), {}).value().bytes()));
}

}  // namespace
}  // namespace synod::honesty
