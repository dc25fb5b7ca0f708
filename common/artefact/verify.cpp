#include "common/artefact/verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/artefact/verify_claims.h"
#include "common/privacy/stated_epsilon.h"

namespace synod {
namespace {

// One verification: each step appends to the report or fails.
class Verifier {
 public:
  Verifier(const GeneratorFile& file, const TrustedKeys& keys)
      : certificate_(file.certificate()), plan_(file.content().plan), file_(file), keys_(keys) {}

  Result<VerifyReport> Run() {
    SYNOD_ASSIGN_OR_RETURN(CheckedClaims facts, VerifyFacts(file_.content(), certificate_, file_.content_digest()));
    report_.checked = std::move(facts.checked);
    if (certificate_.kind == CertificateClass::kSimulation) {
      SYNOD_RETURN_IF_ERROR(CheckSimulation());
    } else {
      SYNOD_RETURN_IF_ERROR(CheckCoordinator());
      SYNOD_RETURN_IF_ERROR(CheckSites());
    }
    SYNOD_ASSIGN_OR_RETURN(CheckedClaims claims, VerifyEpsilons(plan_, certificate_));  // last: it takes seconds
    for (std::string& sentence : claims.checked) Holds(std::move(sentence));
    report_.recomputed = std::move(claims.recomputed);
    report_.epsilon_stated = claims.epsilon_stated;
    report_.epsilon_recomputed = claims.epsilon_recomputed;
    return std::move(report_);
  }

 private:
  void Holds(std::string sentence) { report_.checked.push_back(std::move(sentence)); }

  Status CheckSimulation() {
    const FileSignatures& signatures = file_.signatures();
    if (signatures.coordinator || !signatures.sites.empty() || signatures.consortium) {
      return VerificationFailed("a simulation carries signatures of a federation");
    }
    report_.outcome = VerifyOutcome::kSimulation;
    Holds(
        "This is a simulation: nobody signed it and no site's ledger was charged. It is no guarantee of a federation.");
    return {};
  }

  Status CheckCoordinator() {
    if (plan_.facts().aggregation == Aggregation::kCurator) {
      return VerificationFailed("a federated certificate over the plan of a trusted curator");
    }
    if (!keys_.coordinator) return VerificationFailed("no trusted key of the coordinator was given");
    const std::optional<Signature>& signature = file_.signatures().coordinator;
    if (!signature) return VerificationFailed("the coordinator has not signed the file");
    if (!VerifyCoordinator(*keys_.coordinator, file_.file_digest(), *signature)) {
      return VerificationFailed("the coordinator's signature does not verify with the trusted key");
    }
    Holds("The coordinator signed the file.");
    return {};
  }

  Status CheckSite(const SiteSignature& site, std::uint32_t index) const {
    const auto wrong = [&](std::string_view what) {
      return VerificationFailed(fmt::format("site \"{}\": {}", site.site, what));
    };
    const auto key = keys_.sites.find(site.site);
    if (key == keys_.sites.end()) return wrong("no trusted key of it was given");
    if (KeyFingerprint(key->second) != plan_.facts().roster[index].key_fingerprint) {
      return wrong("the trusted key is not the one in the plan's roster");
    }
    const SiteStatement statement{site.site,     certificate_.run, certificate_.plan_hash,
                                  site.attempts, site.ledger_head, file_.file_digest()};
    if (!VerifySite(key->second, statement, site.signature)) return wrong("its signature does not verify");
    const Status covered = CheckCharged(plan_, certificate_.participation, index, site.attempts);
    return covered.ok() ? Status() : wrong(covered.error().message);
  }

  Status CheckSites() {
    const std::vector<RosterSite>& roster = plan_.facts().roster;
    std::vector<bool> signed_sites(roster.size(), false);
    for (const SiteSignature& site : file_.signatures().sites) {
      const auto found =
          std::find_if(roster.begin(), roster.end(), [&](const RosterSite& r) { return r.id == site.site; });
      if (found == roster.end()) {
        return VerificationFailed(fmt::format("site \"{}\" signed but is not in the plan's roster", site.site));
      }
      const auto index = static_cast<std::uint32_t>(found - roster.begin());
      SYNOD_RETURN_IF_ERROR(CheckSite(site, index));
      signed_sites[index] = true;
    }
    for (std::uint32_t i = 0; i < roster.size(); ++i) {
      const auto answered = certificate_.participation.AnsweredBy(i, plan_.entries().size());
      const bool took_part = std::any_of(answered.begin(), answered.end(), [](std::uint64_t n) { return n > 0; });
      if (took_part && !signed_sites[i]) report_.missing_sites.push_back(roster[i].id);
    }
    const std::size_t signatures = file_.signatures().sites.size();
    Holds(fmt::format("{} of {} sites signed, each within the plan by its own ledger and at least what is counted.",
                      signatures, roster.size()));
    report_.outcome = report_.missing_sites.empty() ? VerifyOutcome::kVerified : VerifyOutcome::kIncomplete;
    if (report_.missing_sites.empty()) Holds("Every site that answered signed.");
    return {};
  }

  const Certificate& certificate_;
  const Plan& plan_;
  const GeneratorFile& file_;
  const TrustedKeys& keys_;
  VerifyReport report_;
};

}  // namespace

std::string_view VerifyOutcomeName(VerifyOutcome outcome) {
  switch (outcome) {
    case VerifyOutcome::kVerified:
      return "verified";
    case VerifyOutcome::kIncomplete:
      return "incomplete";
    case VerifyOutcome::kSimulation:
      return "simulation";
  }
  SYNOD_CHECK(false, "an outcome without a name");
  return "";
}

int VerifyReport::ExitCode(bool allow_incomplete) const {
  const bool good = outcome == VerifyOutcome::kVerified || (outcome == VerifyOutcome::kIncomplete && allow_incomplete);
  return good ? 0 : static_cast<int>(ErrorCode::kVerificationFailed);
}

Json VerifyReport::ToJson() const {
  return {{"outcome", VerifyOutcomeName(outcome)},
          {"checked", checked},
          {"missing_sites", missing_sites},
          {"epsilon_stated", epsilon_stated},
          {"epsilon_recomputed", StatedUpper(epsilon_recomputed)}};
}

std::string VerifyReport::ToText() const {
  std::string text;
  for (const std::string& sentence : checked) text += fmt::format("  ok  {}\n", sentence);
  for (const std::string& site : missing_sites) text += fmt::format("  --  {} answered and has not signed\n", site);
  text += fmt::format("Outcome: {}\n", VerifyOutcomeName(outcome));
  return text;
}

Result<VerifyReport> Verify(const GeneratorFile& file, const TrustedKeys& keys) {
  return Verifier(file, keys).Run();
}

}  // namespace synod
