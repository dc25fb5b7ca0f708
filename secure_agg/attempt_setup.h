// What all parties of one attempt at one query agree on before the first message: who takes part, the thresholds, the
// form of the vector, and what is asked. Everything is bound by one hash, which every signature, label and key of the
// attempt contains: parties with different set-ups cannot complete a sum together.
//
// Sites are known by their place in the roster, 0 .. N-1. Threads: immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/result.h"
#include "common/core/strong_id.h"
#include "common/crypto/ed25519.h"
#include "common/query/sums.h"

namespace synod::secure_agg {

using SiteIndex = std::uint32_t;

struct RosterMember {
  std::string id;
  PublicKey key;  // the site's Ed25519 key, from a source that the coordinator does not control
  bool operator==(const RosterMember&) const = default;
};

struct AttemptFacts {
  std::vector<RosterMember> roster;  // of the plan, ascending by id: N sites, whoever is connected
  std::uint32_t threshold = 0;       // t: shares that rebuild a secret, and signatures that open a sum
  std::uint32_t quorum = 0;          // answers that a sum needs at least
  std::uint32_t max_colluding = 0;   // c
  WordBits bits = WordBits::k32;
  std::uint64_t dimension = 0;  // d: words of one vector
  QueryName name;
  Digest plan_hash{};
  Digest query_hash{};  // of everything public that the coordinator sent with the query: HashOfQuery
  bool operator==(const AttemptFacts&) const = default;
};

class AttemptSetup {
 public:
  static constexpr std::uint32_t kMinSites = 3;
  static constexpr std::uint32_t kMaxSites = 128;
  static constexpr std::uint64_t kMaxDimension = std::uint64_t{1} << 32;
  static constexpr std::uint64_t kMaxVectorBytes = std::uint64_t{1} << 34;

  // Fails, naming the rule, unless kMinSites <= N <= kMaxSites, ids ascend, keys differ, N >= quorum >= t > (N + c) /
  // 2, quorum > c, and 1 <= d with at most kMaxVectorBytes of words.
  static Result<AttemptSetup> Create(AttemptFacts facts);

  const AttemptFacts& facts() const { return facts_; }
  const QueryName& name() const { return facts_.name; }
  std::uint32_t sites() const { return static_cast<std::uint32_t>(facts_.roster.size()); }
  std::uint32_t threshold() const { return facts_.threshold; }
  // Survivors that a sum needs: the quorum, which is at least t.
  std::uint32_t least_survivors() const { return facts_.quorum; }
  const PublicKey& key_of(SiteIndex site) const { return facts_.roster[site].key; }
  const std::string& id_of(SiteIndex site) const { return facts_.roster[site].id; }
  std::optional<SiteIndex> IndexOf(std::string_view id) const;
  std::uint64_t vector_bytes() const;
  // SHA-256 of all facts.
  const Digest& hash() const { return hash_; }

 private:
  explicit AttemptSetup(AttemptFacts facts);
  AttemptFacts facts_;
  Digest hash_{};
};

}  // namespace synod::secure_agg
