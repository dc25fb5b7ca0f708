#include "common/artefact/participation.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "common/privacy/strict_object.h"

namespace synod {
namespace {

constexpr std::uint32_t kMax32 = std::numeric_limits<std::uint32_t>::max();

Status CheckRow(const ParticipationRow& row, const Plan& plan) {
  if (row.first_query > row.last_query) return BadInput("its queries end before they begin");
  if (row.first_query != row.last_query && (row.attempt != 0 || !row.completed)) {
    return BadInput("it joins queries that were not completed at once");
  }
  if (row.entry >= plan.entries().size()) return BadInput("its entry is not in the plan");
  for (std::size_t i = 0; i < row.answered.size(); ++i) {
    if (row.answered[i] >= plan.sites()) return BadInput("a site is not in the roster");
    if (i > 0 && row.answered[i - 1] >= row.answered[i]) return BadInput("its sites are not in ascending order");
  }
  if (row.completed && row.answered.size() < plan.facts().quorum) return BadInput("it was completed below the quorum");
  return {};
}

// Whether `row` may come after `before`.
bool Follows(const ParticipationRow& row, const ParticipationRow& before) {
  if (row.first_query > before.last_query) return row.attempt == 0;
  return !before.completed && row.first_query == before.last_query && row.entry == before.entry &&
         row.attempt == before.attempt + 1;
}

Result<ParticipationRow> RowFromJson(const Json& json) {
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, "participation",
                                          {"first_query", "last_query", "attempt", "entry", "completed", "answered"}));
  ParticipationRow row;
  SYNOD_ASSIGN_OR_RETURN(row.first_query, fields.Unsigned32("first_query", 0, kMax32));
  SYNOD_ASSIGN_OR_RETURN(row.last_query, fields.Unsigned32("last_query", 0, kMax32));
  SYNOD_ASSIGN_OR_RETURN(row.attempt, fields.Unsigned32("attempt", 0, kMax32));
  SYNOD_ASSIGN_OR_RETURN(row.entry, fields.Unsigned32("entry", 0, kMax32));
  SYNOD_ASSIGN_OR_RETURN(row.completed, fields.Boolean("completed"));
  SYNOD_ASSIGN_OR_RETURN(const Json* sites, fields.Array("answered", Plan::kMaxSites));
  for (const Json& site : *sites) {
    if (!site.is_number_unsigned() || site.get<std::uint64_t>() >= Plan::kMaxSites) {
      return fields.Wrong("answered", "has an item that is not an index into the roster");
    }
    row.answered.push_back(site.get<std::uint32_t>());
  }
  return row;
}

}  // namespace

void Participation::Record(std::uint32_t query, std::uint32_t attempt, std::uint32_t entry, bool completed,
                           std::vector<std::uint32_t> answered) {
  std::sort(answered.begin(), answered.end());
  if (!rows_.empty() && completed && attempt == 0) {
    ParticipationRow& last = rows_.back();
    if (last.completed && last.attempt == 0 && last.entry == entry && last.answered == answered &&
        query == last.last_query + 1) {
      last.last_query = query;
      return;
    }
  }
  rows_.push_back({query, query, attempt, entry, completed, std::move(answered)});
}

Status Participation::CheckAgainst(const Plan& plan) const {
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Status checked = CheckRow(rows_[i], plan);
    if (!checked.ok()) return checked.error().Within(fmt::format("participation row {}", i));
    const bool follows = i == 0 ? rows_[i].attempt == 0 : Follows(rows_[i], rows_[i - 1]);
    if (!follows) return BadInput(fmt::format("participation row {} does not follow the one before it", i));
  }
  const std::vector<std::uint64_t> used = UsedOfEntries(plan.entries().size());
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i] > plan.entries()[i].allowed()) {
      return BadInput(fmt::format("entry \"{}\" was used {} times; the plan allows {}", plan.entries()[i].name, used[i],
                                  plan.entries()[i].allowed()));
    }
  }
  return {};
}

bool Participation::AnyCompleted() const {
  return std::any_of(rows_.begin(), rows_.end(), [](const ParticipationRow& row) { return row.completed; });
}

std::vector<std::uint64_t> Participation::UsedOfEntries(std::size_t entries) const {
  std::vector<std::uint64_t> used(entries, 0);
  for (const ParticipationRow& row : rows_) {
    if (row.entry < entries) used[row.entry] += row.answers();
  }
  return used;
}

std::vector<std::uint64_t> Participation::AnsweredBy(std::uint32_t site, std::size_t entries) const {
  std::vector<std::uint64_t> answers(entries, 0);
  for (const ParticipationRow& row : rows_) {
    const bool took_part = std::binary_search(row.answered.begin(), row.answered.end(), site);
    if (took_part && row.entry < entries) answers[row.entry] += row.answers();
  }
  return answers;
}

Json Participation::ToJson() const {
  Json list = Json::array();
  for (const ParticipationRow& row : rows_) {
    list.push_back({{"first_query", row.first_query},
                    {"last_query", row.last_query},
                    {"attempt", row.attempt},
                    {"entry", row.entry},
                    {"completed", row.completed},
                    {"answered", row.answered}});
  }
  return list;
}

Result<Participation> Participation::FromJson(const Json& json) {
  if (!json.is_array() || json.size() > kMaxRows) {
    return BadInput(fmt::format("participation is not a list of at most {} rows", kMaxRows));
  }
  Participation participation;
  participation.rows_.reserve(json.size());
  for (const Json& item : json) {
    SYNOD_ASSIGN_OR_RETURN(ParticipationRow row, RowFromJson(item));
    participation.rows_.push_back(std::move(row));
  }
  return participation;
}

Status CheckCharged(const Plan& plan, const Participation& counted, std::uint32_t site,
                    const std::vector<std::uint64_t>& charged) {
  const std::vector<PlanEntry>& entries = plan.entries();
  if (charged.size() != entries.size()) return VerificationFailed("it counts other entries than the plan's");
  const std::vector<std::uint64_t> answered = counted.AnsweredBy(site, entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (charged[i] > entries[i].allowed()) {
      return VerificationFailed(
          fmt::format("it was charged for \"{}\" more often than the plan allows", entries[i].name));
    }
    if (charged[i] < answered[i]) {
      return VerificationFailed(
          fmt::format("it was charged for \"{}\" less often than the coordinator counts", entries[i].name));
    }
  }
  return {};
}

}  // namespace synod
