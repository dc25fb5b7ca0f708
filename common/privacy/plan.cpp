#include "common/privacy/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "common/core/check.h"
#include "common/crypto/sha256.h"
#include "common/privacy/noise_arithmetic.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

Status CheckRoster(const PlanFacts& facts) {
  const std::vector<RosterSite>& roster = facts.roster;
  if (roster.empty() || roster.size() > Plan::kMaxSites) {
    return BadInput(fmt::format("a plan needs 1 to {} sites", Plan::kMaxSites));
  }
  for (const RosterSite& site : roster) {
    if (!IsPlainName(site.id, 64)) return BadInput("a site id is not 1 to 64 printable ASCII characters");
  }
  for (std::size_t i = 1; i < roster.size(); ++i) {
    if (roster[i - 1].id >= roster[i].id) {
      return BadInput(fmt::format("the roster is not in ascending order without repeats at \"{}\"", roster[i].id));
    }
  }
  return {};
}

Status CheckTrust(const PlanFacts& facts) {
  const std::size_t n = facts.roster.size();
  const std::uint32_t t = facts.threshold;
  const std::uint32_t c = facts.max_colluding;
  if (facts.quorum > n || facts.quorum < t || t < 1) {
    return BadInput(fmt::format("N = {}, quorum = {}, t = {}: needs N >= quorum >= t >= 1", n, facts.quorum, t));
  }
  if (facts.aggregation == Aggregation::kCurator && c != 0) {
    return BadInput("a trusted curator is trusted with all data: max_colluding must be 0 there");
  }
  if (facts.aggregation == Aggregation::kCurator && facts.quorum != n) {
    return BadInput(
        fmt::format("a curator's sums are accounted with the noise of all {} sites; quorum is {}", n, facts.quorum),
        "set the quorum to the number of sites");
  }
  if (facts.aggregation != Aggregation::kSecure) return {};
  if (n < kLeastSecureSites || n > kMostSecureSites) {
    return BadInput(fmt::format("secure aggregation works with {} to {} sites; the plan has {}", kLeastSecureSites,
                                kMostSecureSites, n),
                    "use aggregation none");
  }
  if (2 * std::uint64_t{t} <= n + std::uint64_t{c}) {
    return BadInput(fmt::format("t = {} is not above (N + c) / 2 with N = {}, c = {}", t, n, c),
                    fmt::format("use t >= {}, more sites, or tolerate fewer colluding ones", (n + c) / 2 + 1));
  }
  if (HonestShares(facts) < 1) {
    return BadInput(fmt::format("quorum = {} leaves no honest noise share with c = {}", facts.quorum, c),
                    "raise the quorum or tolerate fewer colluding sites");
  }
  return {};
}

Status CheckGuarantee(const PlanFacts& facts) {
  if (facts.units < 1 || facts.units > (std::uint64_t{1} << 48)) return BadInput("units must be 1 to 2^48");
  if (!(facts.epsilon_target > 0 && facts.epsilon_target <= Plan::kMaxEpsilon)) {
    return BadInput(fmt::format("epsilon must be above 0 and at most {}", Plan::kMaxEpsilon));
  }
  if (!(facts.delta >= Plan::kMinDelta && facts.delta < 1)) {
    return BadInput(fmt::format("delta must be at least {} and below 1", Plan::kMinDelta));
  }
  if (facts.delta * static_cast<double>(facts.units) > 1.0) {
    return BadInput(fmt::format("delta = {} is above 1 / units: it would allow to publish one unit", facts.delta),
                    fmt::format("use a delta well below {}", 1.0 / static_cast<double>(facts.units)));
  }
  const std::size_t most = std::min<std::size_t>(facts.roster.size(), Plan::kMaxSitesPerSubject);
  if (facts.max_sites_per_subject < 1 || facts.max_sites_per_subject > most) {
    return BadInput(fmt::format("max_sites_per_subject must be 1 to {} here", most));
  }
  return {};
}

Status CheckEntry(const PlanFacts& facts, const PlanEntry& entry) {
  SYNOD_RETURN_IF_ERROR(entry.Check());
  const double batch = BatchWithMargin(static_cast<double>(facts.units), entry.sampling_rate);
  const WordDemand demand{entry.grid_scale, entry.clip, batch, entry.site_variance,
                          static_cast<std::uint32_t>(facts.roster.size())};
  if (!WordBitsSuffice(entry.word_bits, demand)) {
    return BadInput(fmt::format("a sum over the expected batch can wrap around in words of {} bits", entry.word_bits));
  }
  if (!(AccountedMultiplier(entry.site_variance, HonestShares(facts), entry.sensitivity) > 0)) {
    return BadInput("the honest noise shares give no noise");
  }
  return {};
}

}  // namespace

Status CheckPlanFacts(const PlanFacts& facts) {
  if (!IsPlainName(facts.name)) return BadInput("the name of a plan is 1 to 128 printable ASCII characters");
  if (!IsPlainName(facts.model_family)) return BadInput("the model family is 1 to 128 printable ASCII characters");
  if (!(facts.slot_seconds >= 0 && facts.slot_seconds <= Plan::kMaxSlotSeconds)) {
    return BadInput(fmt::format("slot_seconds must be 0 to {}", Plan::kMaxSlotSeconds));
  }
  SYNOD_RETURN_IF_ERROR(CheckRoster(facts));
  SYNOD_RETURN_IF_ERROR(CheckTrust(facts));
  return CheckGuarantee(facts);
}

std::uint32_t HonestShares(const PlanFacts& facts) {
  switch (facts.aggregation) {
    case Aggregation::kCurator:
      return static_cast<std::uint32_t>(facts.roster.size());
    case Aggregation::kNone:
      return 1;
    case Aggregation::kSecure:
      return facts.quorum > facts.max_colluding ? facts.quorum - facts.max_colluding : 0;
  }
  SYNOD_CHECK(false, "an aggregation without a rule for its noise shares");
  return 0;
}

Result<Plan> Plan::Create(PlanFacts facts, std::vector<PlanEntry> entries) {
  SYNOD_RETURN_IF_ERROR(CheckPlanFacts(facts));
  if (entries.empty() || entries.size() > kMaxEntries) {
    return BadInput(fmt::format("a plan needs 1 to {} entries", kMaxEntries));
  }
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Status checked = CheckEntry(facts, entries[i]);
    if (!checked.ok()) return checked.error().Within(fmt::format("plan entry {}", i));
    if (!names.insert(entries[i].name).second) {
      return BadInput(fmt::format("two entries of the plan are called \"{}\"", entries[i].name));
    }
  }
  return Plan(std::move(facts), std::move(entries));
}

std::uint32_t Plan::honest_shares() const {
  return HonestShares(facts_);
}

PrivacyEvents Plan::Events(std::uint32_t shares, bool include_retries) const {
  PrivacyEvents events;
  events.reserve(entries_.size());
  for (const PlanEntry& entry : entries_) {
    events.push_back(entry.Event(shares, include_retries ? entry.allowed() : entry.count));
  }
  return events;
}

double AccountedDelta(double delta, double answers) {
  // The slack is usually below one rounding of delta: then the next smaller number is the safe one.
  return std::nextafter(delta - answers * kNoiseSlackPerAnswer, 0.0);
}

double Plan::AccountedDelta() const {
  double answers = 0;
  for (const PlanEntry& entry : entries_) answers += static_cast<double>(entry.allowed());
  return synod::AccountedDelta(facts_.delta, answers);
}

std::string Plan::CanonicalText() const {
  Result<std::string> text = CanonicalJson(kLabel, kVersion, ToJson());
  SYNOD_CHECK(text.ok(), "a valid plan has only finite numbers and ASCII texts");
  return std::move(text).value();
}

Digest Plan::Hash() const {
  return Sha256(AsBytes(CanonicalText()));
}

Result<Digest> HashModelOptions(const Json& options) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, CanonicalJson("synod.model_options", 1, options));
  return Sha256(AsBytes(text));
}

}  // namespace synod
