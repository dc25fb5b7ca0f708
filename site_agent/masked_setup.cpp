#include "site_agent/masked_setup.h"

#include <fmt/format.h>

#include "common/artefact/trusted_keys.h"
#include "common/query/words.h"

namespace synod {
namespace {

Result<secure_agg::RosterMember> MemberOf(const RosterSite& site, const Trust& trust) {
  const Manifest& manifest = trust.manifest();
  const Member* member = manifest.Find({manifest.consortium, Role::kSite, site.id});
  if (member == nullptr) return VerificationFailed(fmt::format("\"{}\" is no site of the consortium", site.id));
  if (trust.revocations().Contains(member->tls_key_fingerprint)) {
    return VerificationFailed(fmt::format("\"{}\", a site of the run, was revoked", site.id));
  }
  if (KeyFingerprint(member->signing_key) != site.key_fingerprint) {
    return VerificationFailed(fmt::format("\"{}\" has another signing key than the plan says", site.id));
  }
  return secure_agg::RosterMember{site.id, member->signing_key};
}

}  // namespace

Result<secure_agg::AttemptSetup> SetUpAttempt(const Plan& plan, const AskedAttempt& asked, const Trust& trust,
                                              const PublicKey& own_key) {
  const PlanFacts& agreed = plan.facts();
  const PlanEntry& entry = plan.entries()[asked.entry];
  secure_agg::AttemptFacts facts;
  for (const RosterSite& site : agreed.roster) {
    SYNOD_ASSIGN_OR_RETURN(secure_agg::RosterMember member, MemberOf(site, trust));
    facts.roster.push_back(std::move(member));
  }
  facts.threshold = agreed.threshold;
  facts.quorum = agreed.quorum;
  facts.max_colluding = agreed.max_colluding;
  SYNOD_ASSIGN_OR_RETURN(facts.bits, WordBitsFromNumber(entry.word_bits));
  facts.dimension = entry.dimension;
  facts.name = asked.name;
  facts.plan_hash = asked.plan_hash;
  facts.query_hash = asked.query_hash;
  SYNOD_ASSIGN_OR_RETURN(secure_agg::AttemptSetup setup, secure_agg::AttemptSetup::Create(std::move(facts)));
  const std::optional<secure_agg::SiteIndex> own = setup.IndexOf(trust.self().name);
  if (!own) return VerificationFailed("the run's roster does not list this site");
  if (setup.key_of(*own) != own_key) {
    return VerificationFailed("the run's roster has another signing key for this site");
  }
  return setup;
}

}  // namespace synod
