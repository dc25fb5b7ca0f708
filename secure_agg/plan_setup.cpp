#include "secure_agg/plan_setup.h"

#include <fmt/format.h>

#include <utility>

#include "common/crypto/sha256.h"
#include "common/query/words.h"
#include "secure_agg/query_hash.h"

namespace synod::secure_agg {
Result<AttemptSetup> SetupOf(const Plan& plan, const QueryName& name, const Query& query,
                             const std::map<std::string, PublicKey>& site_keys) {
  if (plan.facts().aggregation != Aggregation::kSecure) return BadInput("the plan's answers are not masked");
  if (query.entry >= plan.entries().size() || query.index != name.query) {
    return BadInput("the query is not one of the plan's entries");
  }
  const PlanEntry& entry = plan.entries()[query.entry];
  AttemptFacts facts;
  for (const RosterSite& site : plan.facts().roster) {
    const auto key = site_keys.find(site.id);
    if (key == site_keys.end() || Sha256(key->second.bytes()) != site.key_fingerprint) {
      return Refused(fmt::format("{} has another signing key than the plan's roster names, or none", site.id),
                     "the member was revoked or replaced; start a new run");
    }
    facts.roster.push_back({site.id, key->second});
  }
  facts.threshold = plan.facts().threshold;
  facts.quorum = plan.facts().quorum;
  facts.max_colluding = plan.facts().max_colluding;
  SYNOD_ASSIGN_OR_RETURN(facts.bits, WordBitsFromNumber(entry.word_bits));
  facts.dimension = entry.dimension;
  facts.name = name;
  facts.plan_hash = plan.Hash();
  facts.query_hash = HashOfQuery(query);
  return AttemptSetup::Create(std::move(facts));
}

}  // namespace synod::secure_agg
