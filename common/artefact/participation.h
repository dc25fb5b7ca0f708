// Which sites answered which query: the coordinator's record of a run, in runs of equal rows.
#pragma once

#include <cstdint>
#include <vector>

#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/privacy/plan.h"

namespace synod {

// Consecutive queries of one entry that were asked once and that the same sites answered; or one attempt of one query.
struct ParticipationRow {
  std::uint32_t first_query = 0;
  std::uint32_t last_query = 0;  // inclusive; equal to first_query unless attempt 0 of each completed
  std::uint32_t attempt = 0;
  std::uint32_t entry = 0;              // index of the plan's entry
  bool completed = true;                // the sum was used; a later attempt otherwise replaced it, or the run ended
  std::vector<std::uint32_t> answered;  // indices into the roster, ascending; all others dropped out
  std::uint64_t answers() const { return std::uint64_t{last_query} - first_query + 1; }
  bool operator==(const ParticipationRow&) const = default;
};

class Participation {
 public:
  static constexpr std::size_t kMaxRows = 1'000'000;

  // Adds what happened in one attempt; merges it into the last row where it continues it.
  void Record(std::uint32_t query, std::uint32_t attempt, std::uint32_t entry, bool completed,
              std::vector<std::uint32_t> answered);

  // Queries and attempts count up without gaps within a query, completed ones are followed by a new query and reached
  // the quorum, entries and sites are in the plan, and no entry was used more often than the plan allows.
  Status CheckAgainst(const Plan& plan) const;

  // Whether any sum was used; the quorum answered it, then.
  bool AnyCompleted() const;
  // Attempts of each entry.
  std::vector<std::uint64_t> UsedOfEntries(std::size_t entries) const;
  // Attempts of each entry that one site answered.
  std::vector<std::uint64_t> AnsweredBy(std::uint32_t site, std::size_t entries) const;

  const std::vector<ParticipationRow>& rows() const { return rows_; }
  Json ToJson() const;
  static Result<Participation> FromJson(const Json& json);
  bool operator==(const Participation&) const = default;

 private:
  std::vector<ParticipationRow> rows_;
};

// Whether what a site charged by its own ledger, an entry of the plan each, covers what is counted of it: never less
// than that, and never more than the plan allows. It may be more: an answer may have come too late, or its attempt may
// have ended without a sum. VerificationFailed says which entry is wrong.
Status CheckCharged(const Plan& plan, const Participation& counted, std::uint32_t site,
                    const std::vector<std::uint64_t>& charged);

}  // namespace synod
