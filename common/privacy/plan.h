// The privacy plan: the contract of a run. A finite list of what may be asked, with the noise of every answer, the
// roster and the trust that the account rests on. The coordinator may ask nothing else, every site recomputes the
// epsilon of the plan on its own before it approves, and the certificate of the generator states it.
//
// A Plan that exists is valid: see Plan::Create for the rules. Its epsilon is a function of it (plan_readings.h), never
// a field that could be wrong. Threads: immutable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/privacy/plan_entry.h"
#include "common/privacy/privacy_event.h"

namespace synod {

// Who adds up the answers, which decides how many noise shares an answer is protected by.
enum class Aggregation : std::uint8_t {
  kCurator,  // one trusted process holds all data and adds the noise of all N sites (simulation)
  kNone,     // every site's answer is seen on its own and carries the whole noise
  kSecure,   // only the sum of the answers is seen
};
std::string_view AggregationName(Aggregation aggregation);

// Sites of a run with secure aggregation: two hide nothing from each other, and the complete graph of keys ends at the
// most.
inline constexpr std::uint32_t kLeastSecureSites = 3;
inline constexpr std::uint32_t kMostSecureSites = 128;

enum class PrivacyUnit : std::uint8_t { kRecord, kSubject };
std::string_view PrivacyUnitName(PrivacyUnit unit);

struct RosterSite {
  std::string id;
  Digest key_fingerprint{};  // SHA-256 of the 32 bytes of the site's Ed25519 public key
  bool operator==(const RosterSite&) const = default;
};

// Everything in a plan but its entries.
struct PlanFacts {
  std::string name;
  std::vector<RosterSite> roster;   // ascending by id; its length is N
  std::uint32_t threshold = 1;      // t: shares that rebuild a mask
  std::uint32_t max_colluding = 0;  // c: sites that may collude with the coordinator
  std::uint32_t quorum = 1;         // answers that a sum needs at least
  Adjacency relation = Adjacency::kAddRemove;
  PrivacyUnit unit = PrivacyUnit::kRecord;
  std::uint32_t max_sites_per_subject = 1;  // m: the target is met for a subject at m sites
  Digest schema_hash{};
  double delta = 0.0;
  double epsilon_target = 0.0;
  std::uint64_t units = 0;  // public statement of the number of units of all sites together
  std::string model_family;
  Digest model_hash{};   // HashModelOptions of the family's options
  Digest layout_hash{};  // of the parameter layout
  Aggregation aggregation = Aggregation::kCurator;
  double slot_seconds = 0.05;  // answers leave at the end of such a slot; 0 is off
  bool operator==(const PlanFacts&) const = default;
};

class Plan {
 public:
  static constexpr std::size_t kMaxSites = 1024;
  static constexpr std::size_t kMaxEntries = 256;
  static constexpr std::uint32_t kMaxSitesPerSubject = 3;
  static constexpr double kMaxEpsilon = 1000.0;
  static constexpr double kMinDelta = 1e-15;
  static constexpr double kMaxSlotSeconds = 3600.0;
  static constexpr std::size_t kMaxJsonBytes = 8u << 20;
  static constexpr std::string_view kLabel = "synod.plan";
  static constexpr std::uint32_t kVersion = 1;

  // Fails, naming the rule and what would satisfy it, unless: the roster has 1 to kMaxSites unique ids in ascending
  // order; N >= quorum >= t >= 1; with secure aggregation t > (N + c) / 2 and quorum > c, so that h >= 1; with a
  // curator c = 0 and quorum = N; 0 < delta <= 1 / units; 1 <= m <= min(N, kMaxSitesPerSubject); every entry passes
  // PlanEntry::Check, its sampled sum cannot wrap, its name is unique, and h shares give it a positive multiplier.
  static Result<Plan> Create(PlanFacts facts, std::vector<PlanEntry> entries);

  // Strict: unknown, missing or mistyped keys are errors, and so is everything that Create refuses.
  static Result<Plan> FromJson(const Json& json);
  // From the bytes of CanonicalText.
  static Result<Plan> FromCanonicalText(std::string_view text);

  Json ToJson() const;
  std::string CanonicalText() const;  // CanonicalJson(kLabel, kVersion, ToJson())
  Digest Hash() const;                // SHA-256 of CanonicalText

  const PlanFacts& facts() const { return facts_; }
  const std::vector<PlanEntry>& entries() const { return entries_; }
  std::uint32_t sites() const { return static_cast<std::uint32_t>(facts_.roster.size()); }

  // h: noise shares that count against the coordinator with c colluding sites. Derived, never configured:
  // curator N, none 1, secure quorum - c.
  std::uint32_t honest_shares() const;

  // What the plan can run, when `shares` noise shares protect each answer: one event an entry.
  PrivacyEvents Events(std::uint32_t shares, bool include_retries = true) const;

  // The delta at which events are accounted: what the smoothing argument of the integer noise costs is taken off.
  double AccountedDelta() const;

  bool operator==(const Plan&) const = default;

 private:
  Plan(PlanFacts facts, std::vector<PlanEntry> entries) : facts_(std::move(facts)), entries_(std::move(entries)) {}
  PlanFacts facts_;
  std::vector<PlanEntry> entries_;
};

// h of facts that need not be valid yet; 0 where quorum does not exceed c.
std::uint32_t HonestShares(const PlanFacts& facts);

// The rules of Plan::Create that need no entries.
Status CheckPlanFacts(const PlanFacts& facts);

// delta, less what the smoothing argument costs for `answers` answers; see Plan::AccountedDelta.
double AccountedDelta(double delta, double answers);

// SHA-256 of CanonicalJson("synod.model_options", 1, options).
Result<Digest> HashModelOptions(const Json& options);

// The names in a plan's JSON, back to values.
Result<Adjacency> AdjacencyFromName(std::string_view name);
Result<Aggregation> AggregationFromName(std::string_view name);
Result<PrivacyUnit> PrivacyUnitFromName(std::string_view name);

}  // namespace synod
