#include "common/artefact/verify_claims.h"

#include <fmt/format.h>

#include "common/artefact/certify.h"
#include "common/privacy/stated_epsilon.h"

namespace synod {
namespace {

// Each step appends to what was checked or fails.
class FactChecker {
 public:
  FactChecker(const GeneratorContent& content, const Certificate& certificate, const Digest& content_digest)
      : content_(content), certificate_(certificate), plan_(content.plan), content_digest_(content_digest) {}

  Result<CheckedClaims> Run() {
    SYNOD_RETURN_IF_ERROR(CheckDigests());
    SYNOD_RETURN_IF_ERROR(CheckFacts());
    SYNOD_RETURN_IF_ERROR(CheckUse());
    return std::move(claims_);
  }

 private:
  Status CheckDigests() {
    if (certificate_.content_digest != content_digest_) {
      return VerificationFailed("the certificate was made for another content");
    }
    if (certificate_.plan_hash != plan_.Hash() || certificate_.schema_hash != content_.schema.Hash()) {
      return VerificationFailed("the certificate was made for another plan or schema");
    }
    Holds("Digests of the file, schema, plan, model options and parameter layout are those that are stated.");
    return {};
  }

  // Every fact that follows from the plan must be stated as it follows.
  Status CheckFacts() {
    Certificate expected = FactsOfPlan(plan_, certificate_.participation);
    expected.kind = certificate_.kind;
    expected.run = certificate_.run;
    expected.readings = certificate_.readings;
    expected.content_digest = certificate_.content_digest;
    expected.software_version = certificate_.software_version;
    expected.created_unix = certificate_.created_unix;
    expected.statements = StatementsOf(certificate_, plan_);
    expected.not_claimed = NotClaimedOf(certificate_, plan_, FloatError::kMeasured);
    const auto proven = NotClaimedOf(certificate_, plan_, FloatError::kProven);
    if (certificate_.not_claimed == proven) expected.not_claimed = proven;
    if (expected == certificate_) {
      Holds("Unit, relation, delta, N, t, c, quorum, h, the allowed answers and every sentence follow from the plan.");
      return {};
    }
    const Json want = expected.ToJson();
    const Json have = certificate_.ToJson();
    for (const auto& [key, value] : want.items()) {
      if (have.at(key) != value) return VerificationFailed(fmt::format("\"{}\" does not follow from the plan", key));
    }
    return VerificationFailed("the certificate does not follow from the plan");
  }

  Status CheckUse() {
    const Status use = certificate_.participation.CheckAgainst(plan_);
    if (!use.ok()) return VerificationFailed(use.error().message);
    // Nobody would have to sign for what no site answered: a federation that did not meet once vouches for nothing.
    if (certificate_.kind == CertificateClass::kFederated && !certificate_.participation.AnyCompleted()) {
      return VerificationFailed("no sum of the run was completed: no site vouches for this file");
    }
    Holds("No entry of the plan was used more often than allowed, and every sum that was used reached the quorum.");
    return {};
  }

  void Holds(std::string sentence) { claims_.checked.push_back(std::move(sentence)); }

  const GeneratorContent& content_;
  const Certificate& certificate_;
  const Plan& plan_;
  const Digest& content_digest_;
  CheckedClaims claims_;
};

Status CheckReading(const StatedReading& stated, const ReadingEpsilons& computed) {
  if (stated.shares != computed.shares) {
    return VerificationFailed(
        fmt::format("the {} reading counts other noise shares", TrustReadingName(stated.reading)));
  }
  for (std::size_t i = 0; i < stated.by_sites.size(); ++i) {
    const StatedEpsilons& said = stated.by_sites[i];
    const EpsilonBounds& found = computed.by_sites[i];
    const bool holds = StatementHolds(said.upper, found.upper) && StatedUpper(said.upper) == said.upper &&
                       StatementHolds(said.rdp, found.rdp) && StatedUpper(said.rdp) == said.rdp &&
                       LowerStatementHolds(said.lower, found.lower) && StatedLower(said.lower) == said.lower;
    if (holds) continue;
    return VerificationFailed(
        fmt::format("epsilon of the {} reading for a subject at {} sites: stated {}, the plan "
                    "makes {}",
                    TrustReadingName(stated.reading), i + 1, said.upper, StatedUpper(found.upper)));
  }
  return {};
}

}  // namespace

Result<CheckedClaims> VerifyFacts(const GeneratorContent& content, const Certificate& certificate,
                                  const Digest& content_digest) {
  return FactChecker(content, certificate, content_digest).Run();
}

Result<CheckedClaims> VerifyEpsilons(const Plan& plan, const Certificate& certificate) {
  CheckedClaims claims;
  const Result<std::vector<ReadingEpsilons>> computed = ComputeReadings(plan);
  if (!computed.ok()) {
    return VerificationFailed(fmt::format("epsilon cannot be recomputed: {}", computed.error().message));
  }
  for (std::size_t i = 0; i < computed->size(); ++i) {
    SYNOD_RETURN_IF_ERROR(CheckReading(certificate.readings[i], (*computed)[i]));
  }
  claims.recomputed = *computed;
  claims.epsilon_stated = certificate.headline().upper;
  claims.epsilon_recomputed = (*computed)[0].by_sites[certificate.max_sites_per_subject - 1].upper;
  if (claims.epsilon_recomputed > plan.facts().epsilon_target) {
    return VerificationFailed("the epsilon of the plan is above its own target");
  }
  claims.checked.push_back(
      fmt::format("Epsilon, recomputed from the plan with all its retries, is {:.3f}; stated is {:.3f}.",
                  StatedUpper(claims.epsilon_recomputed), claims.epsilon_stated));
  return claims;
}

Result<CheckedClaims> VerifyClaims(const GeneratorDraft& draft) {
  const Certificate& certificate = draft.certificate();
  // A draft that exists was checked to have the digest that its certificate names.
  SYNOD_ASSIGN_OR_RETURN(CheckedClaims facts, VerifyFacts(draft.content(), certificate, certificate.content_digest));
  SYNOD_ASSIGN_OR_RETURN(CheckedClaims claims, VerifyEpsilons(draft.content().plan, certificate));
  claims.checked.insert(claims.checked.begin(), facts.checked.begin(), facts.checked.end());
  return claims;
}

}  // namespace synod
