#include "common/artefact/verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/artefact/certify.h"
#include "common/privacy/stated_epsilon.h"

namespace synod {
namespace {

// One verification: each step appends to the report or fails.
class Verifier {
 public:
  Verifier(const GeneratorFile& file, const TrustedKeys& keys)
      : certificate_(file.certificate()), plan_(file.content().plan), file_(file), keys_(keys) {}

  Result<VerifyReport> Run() {
    SYNOD_RETURN_IF_ERROR(CheckDigests());
    SYNOD_RETURN_IF_ERROR(CheckFacts());
    SYNOD_RETURN_IF_ERROR(CheckUse());
    if (certificate_.kind == CertificateClass::kSimulation) {
      SYNOD_RETURN_IF_ERROR(CheckSimulation());
    } else {
      SYNOD_RETURN_IF_ERROR(CheckCoordinator());
      SYNOD_RETURN_IF_ERROR(CheckSites());
    }
    SYNOD_RETURN_IF_ERROR(CheckEpsilons());  // last: it takes seconds
    return std::move(report_);
  }

 private:
  void Holds(std::string sentence) { report_.checked.push_back(std::move(sentence)); }

  Status CheckDigests() {
    if (certificate_.content_digest != file_.content_digest()) {
      return VerificationFailed("the certificate was made for another content");
    }
    if (certificate_.plan_hash != plan_.Hash() || certificate_.schema_hash != file_.content().schema.Hash()) {
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
    expected.statements = certificate_.statements;
    expected.not_claimed = certificate_.not_claimed;
    if (expected == certificate_) {
      Holds("Unit, relation, delta, N, t, c, quorum, h and the allowed answers are those of the plan.");
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
    Holds("No entry of the plan was used more often than allowed, and every sum that was used reached the quorum.");
    return {};
  }

  Status CheckReading(const StatedReading& stated, const ReadingEpsilons& computed) const {
    if (stated.shares != computed.shares) {
      return VerificationFailed(
          fmt::format("the {} reading counts other noise shares", TrustReadingName(stated.reading)));
    }
    for (std::size_t i = 0; i < stated.by_sites.size(); ++i) {
      const StatedEpsilons& said = stated.by_sites[i];
      const EpsilonBounds& found = computed.by_sites[i];
      const bool holds = StatementHolds(said.upper, found.upper) && StatementHolds(said.rdp, found.rdp) &&
                         said.lower >= 0 && said.lower <= found.upper;
      if (holds) continue;
      return VerificationFailed(
          fmt::format("epsilon of the {} reading for a subject at {} sites: stated {}, the plan "
                      "makes {}",
                      TrustReadingName(stated.reading), i + 1, said.upper, StatedUpper(found.upper)));
    }
    return {};
  }

  Status CheckEpsilons() {
    const Result<std::vector<ReadingEpsilons>> computed = ComputeReadings(plan_);
    if (!computed.ok()) {
      return VerificationFailed(fmt::format("epsilon cannot be recomputed: {}", computed.error().message));
    }
    for (std::size_t i = 0; i < computed->size(); ++i) {
      SYNOD_RETURN_IF_ERROR(CheckReading(certificate_.readings[i], (*computed)[i]));
    }
    report_.recomputed = *computed;
    report_.epsilon_stated = certificate_.headline().upper;
    report_.epsilon_recomputed = (*computed)[0].by_sites[certificate_.max_sites_per_subject - 1].upper;
    if (report_.epsilon_recomputed > plan_.facts().epsilon_target) {
      return VerificationFailed("the epsilon of the plan is above its own target");
    }
    Holds(fmt::format("Epsilon, recomputed from the plan with all its retries, is {:.3f}; stated is {:.3f}.",
                      StatedUpper(report_.epsilon_recomputed), report_.epsilon_stated));
    return {};
  }

  Status CheckSimulation() {
    if (file_.signatures().coordinator || !file_.signatures().sites.empty()) {
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
    if (site.attempts.size() != plan_.entries().size()) return wrong("it counts other entries than the plan's");
    const auto answered = certificate_.participation.AnsweredBy(index, site.attempts.size());
    for (std::size_t i = 0; i < site.attempts.size(); ++i) {
      const std::string& name = plan_.entries()[i].name;
      if (site.attempts[i] > plan_.entries()[i].allowed()) {
        return wrong(fmt::format("it was charged for \"{}\" more often than the plan allows", name));
      }
      if (site.attempts[i] < answered[i]) {
        return wrong(fmt::format("it was charged for \"{}\" less often than the coordinator counts", name));
      }
    }
    return {};
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
