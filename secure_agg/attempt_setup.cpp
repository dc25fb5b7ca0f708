#include "secure_agg/attempt_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/crypto/sha256.h"
#include "common/query/words.h"
#include "secure_agg/canonical_bytes.h"

namespace synod::secure_agg {
namespace {

Digest HashOfFacts(const AttemptFacts& facts) {
  CanonicalBytes bytes("synod.secure_agg.setup.v1");
  bytes.Name(facts.name).Fixed(facts.plan_hash).Fixed(facts.query_hash);
  bytes.Number(facts.threshold).Number(facts.quorum).Number(facts.max_colluding);
  bytes.Number(static_cast<std::uint64_t>(facts.bits)).Number(facts.dimension).Number(facts.roster.size());
  for (const RosterMember& member : facts.roster) bytes.Text(member.id).Fixed(member.key.bytes());
  return Sha256(bytes.bytes());
}

Status CheckRoster(const std::vector<RosterMember>& roster) {
  if (roster.size() < AttemptSetup::kMinSites || roster.size() > AttemptSetup::kMaxSites) {
    return BadInput(fmt::format("secure aggregation takes {} to {} sites, not {}", AttemptSetup::kMinSites,
                                AttemptSetup::kMaxSites, roster.size()));
  }
  std::set<PublicKey> keys;
  for (std::size_t i = 0; i < roster.size(); ++i) {
    if (i > 0 && roster[i - 1].id >= roster[i].id) return BadInput("the roster is not in ascending order of site ids");
    if (!keys.insert(roster[i].key).second) return BadInput("two sites of the roster have the same key");
  }
  return {};
}

}  // namespace

AttemptSetup::AttemptSetup(AttemptFacts facts) : facts_(std::move(facts)), hash_(HashOfFacts(facts_)) {}

Result<AttemptSetup> AttemptSetup::Create(AttemptFacts facts) {
  SYNOD_RETURN_IF_ERROR(CheckRoster(facts.roster));
  const std::uint64_t sites = facts.roster.size();
  if (facts.quorum > sites || facts.quorum < facts.threshold) {
    return BadInput("the quorum must lie between the threshold and the number of sites");
  }
  if (2 * std::uint64_t{facts.threshold} <= sites + facts.max_colluding) {
    return BadInput("the threshold must be above half of the sites and those that may collude together");
  }
  if (facts.quorum <= facts.max_colluding) return BadInput("the quorum must be above the number that may collude");
  if (facts.bits != WordBits::k32 && facts.bits != WordBits::k64) return BadInput("words have 32 or 64 bits");
  if (facts.dimension == 0 || facts.dimension > kMaxDimension ||
      facts.dimension > kMaxVectorBytes / WordBytes(facts.bits)) {
    return BadInput("the vector is empty or too long");
  }
  return AttemptSetup(std::move(facts));
}

std::optional<SiteIndex> AttemptSetup::IndexOf(std::string_view id) const {
  const auto& roster = facts_.roster;
  const auto place =
      std::lower_bound(roster.begin(), roster.end(), id,
                       [](const RosterMember& member, std::string_view wanted) { return member.id < wanted; });
  if (place == roster.end() || place->id != id) return std::nullopt;
  return static_cast<SiteIndex>(place - roster.begin());
}

std::uint64_t AttemptSetup::vector_bytes() const {
  return facts_.dimension * WordBytes(facts_.bits);
}

}  // namespace synod::secure_agg
