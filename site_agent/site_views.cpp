#include "site_agent/site_views.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/core/clock.h"
#include "common/core/hex.h"
#include "common/privacy/ledger_chain.h"
#include "common/privacy/plan_readings.h"
#include "common/privacy/stated_epsilon.h"

namespace synod {
namespace {

constexpr std::size_t kMaxExplanationBytes = 16u << 20;

Json ReviewView(const SiteReview& review) {
  Json readings = Json::object();
  for (const TrustReading reading : kTrustReadings) {
    Json by_sites = Json::array();
    for (const double epsilon : review.epsilon[static_cast<std::size_t>(reading)]) {
      by_sites.push_back(StatedUpper(std::max(epsilon, 0.0)));
    }
    readings[std::string(TrustReadingName(reading))] = std::move(by_sites);
  }
  return {{"plan_matches", review.plan_matches},
          {"difference", review.difference},
          {"parameters", review.parameters},
          {"epsilon", readings}};
}

void AddPlanFacts(const Plan& plan, Json& view) {
  const PlanFacts& facts = plan.facts();
  Json roster = Json::array();
  for (const RosterSite& site : facts.roster) roster.push_back(site.id);
  view.update({{"name", facts.name},
               {"family", facts.model_family},
               {"epsilon_target", facts.epsilon_target},
               {"delta", facts.delta},
               {"unit", PrivacyUnitName(facts.unit)},
               {"roster", roster}});
}

Json LifetimeView(const LifetimeFilter& account) {
  const LifetimeBudget& budget = account.budget();
  const LifetimeCost held = account.held();
  return {{"epsilon", budget.epsilon},
          {"delta", budget.delta},
          {"order", budget.order},
          {"rdp", budget.rdp},
          {"held_rdp", held.rdp},
          {"left_rdp", account.left_rdp()},
          {"share_held", held.rdp / budget.rdp},
          {"held_epsilon", StatedUpper(account.held_epsilon())},
          {"answers", held.answers}};
}

Json RuleView(const AllowRule& rule) {
  Json view = {{"dataset", rule.dataset},
               {"families", rule.families},
               {"columns", rule.columns},
               {"operators", rule.operators},
               {"coordinators", rule.coordinators},
               {"aggregation", rule.aggregation},
               {"max_epsilon", rule.max_epsilon},
               {"max_own_share_epsilon", rule.max_own_share_epsilon},
               {"max_delta", rule.max_delta},
               {"max_parameters", rule.max_parameters},
               {"min_known_peers", rule.min_known_peers},
               {"unit", PrivacyUnitName(rule.unit)},
               {"min_units", rule.min_units},
               {"approval", rule.automatic ? "automatic" : "person"}};
  if (rule.hours) view["hours"] = rule.hours->Text();
  return view;
}

}  // namespace

Json RunView(const SiteRunRecord& record) {
  // What was decided of a run that has ended.
  const bool took_part =
      record.state == SiteRunState::kEnded && record.decided_unix != 0 && record.reason == DenialReason::kNone;
  const Decision decision = took_part ? Decision::kApproved : record.decision();
  Json view = {{"id", RunText(record.run)},
               {"plan_hash", ToHex(record.plan_hash)},
               {"state", SiteRunStateName(record.state)},
               {"decision", DecisionName(decision)},
               {"reason", DenialReasonName(record.reason)},
               {"coordinator", record.coordinator},
               {"submitter", record.submitter},
               {"dataset", record.dataset},
               {"decided_by", record.decided_by},
               {"note", record.note},
               {"findings", record.findings},
               {"proposed", Rfc3339(record.proposed_unix)}};
  if (record.decided_unix != 0) view["decided"] = Rfc3339(record.decided_unix);
  if (record.end) view["ended_as"] = RunPhaseName(*record.end);
  if (record.review) view["review"] = ReviewView(*record.review);
  if (const Result<Plan> plan = Plan::FromCanonicalText(record.offer.plan); plan.ok()) AddPlanFacts(*plan, view);
  return view;
}

Json RunsView(const SiteState& state, bool all) {
  std::vector<const SiteRunRecord*> records;
  for (const auto& [run, record] : state.runs().runs()) {
    const bool over = record.state == SiteRunState::kEnded || record.state == SiteRunState::kDenied;
    if (all || !over) records.push_back(&record);
  }
  std::stable_sort(records.begin(), records.end(),
                   [](const SiteRunRecord* a, const SiteRunRecord* b) { return a->proposed_unix > b->proposed_unix; });
  Json list = Json::array();
  for (const SiteRunRecord* record : records) list.push_back(RunView(*record));
  return list;
}

Result<Json> ExplainView(const SiteState& state, const SiteRunRecord& record) {
  Json view = RunView(record);
  if (record.review) {
    SYNOD_ASSIGN_OR_RETURN(view["plan"], ParseJson(record.review->explanation, kMaxExplanationBytes));
  }
  SYNOD_ASSIGN_OR_RETURN(const Plan plan, Plan::FromCanonicalText(record.offer.plan));
  SYNOD_ASSIGN_OR_RETURN(const std::vector<LedgerRow> rows, state.RowsOf(record.run));
  std::vector<std::uint64_t> charged(plan.entries().size(), 0);
  for (const LedgerRow& row : rows) {
    if (row.charge.entry < charged.size()) ++charged[row.charge.entry];
  }
  Json by_entry = Json::array();
  for (std::size_t i = 0; i < charged.size(); ++i) {
    by_entry.push_back(
        {{"entry", plan.entries()[i].name}, {"charged", charged[i]}, {"allowed", plan.entries()[i].allowed()}});
  }
  view["charged"] = std::move(by_entry);
  return view;
}

Json DatasetsView(const SiteState& state) {
  Json list = Json::array();
  const auto& problems = state.datasets().problems();
  for (const auto& [name, dataset] : state.datasets().registered()) {
    Json view = {{"name", name},
                 {"id", ToHex(dataset.id.bytes)},
                 {"file", dataset.source},
                 {"unit", PrivacyUnitName(dataset.unit)},
                 {"registered", Rfc3339(dataset.registered_unix)},
                 {"usable", !problems.contains(name)}};
    if (const auto problem = problems.find(name); problem != problems.end()) view["problem"] = problem->second;
    if (const LifetimeFilter* account = state.Account(name)) view["lifetime"] = LifetimeView(*account);
    list.push_back(std::move(view));
  }
  for (const auto& [name, problem] : problems) {
    if (state.datasets().Find(name) != nullptr) continue;
    list.push_back({{"name", name}, {"usable", false}, {"problem", problem}});
  }
  return list;
}

Json PolicyView(const SitePolicy& policy) {
  Json allow = Json::array();
  for (const AllowRule& rule : policy.allow()) allow.push_back(RuleView(rule));
  Json lifetime = Json::array();
  for (const LifetimeRule& rule : policy.lifetime()) {
    lifetime.push_back({{"dataset", rule.dataset}, {"epsilon", rule.epsilon}, {"delta", rule.delta}});
  }
  return {{"allow", allow}, {"lifetime", lifetime}};
}

Json JudgementsView(const SiteState& state, const RunJudge& judge, int minute_of_day) {
  Json list = Json::array();
  for (const auto& [run, record] : state.runs().runs()) {
    const bool undecided = record.state == SiteRunState::kWaiting || record.state == SiteRunState::kReviewing;
    if (!undecided || !record.review) continue;
    const RunVerdict verdict = judge.Judge(record, minute_of_day);
    list.push_back({{"id", RunText(run)},
                    {"verdict", VerdictName(verdict.verdict)},
                    {"dataset", verdict.dataset},
                    {"findings", verdict.findings}});
  }
  return list;
}

Result<Json> LedgerView(const SiteState& state) {
  SYNOD_ASSIGN_OR_RETURN(const std::vector<LedgerRow> rows, state.ledger_store().Load());
  std::map<RunId, std::uint64_t> answers;
  Json restorations = Json::array();
  for (const LedgerRow& row : rows) {
    if (row.is_answer()) {
      ++answers[row.charge.name.run];
    } else {
      Json view = RestorationView(state, *row.restored);
      view["row"] = row.index;
      restorations.push_back(std::move(view));
    }
  }
  Json runs = Json::array();
  for (const auto& [run, count] : answers) {
    const SiteRunRecord* record = state.runs().Find(run);
    runs.push_back({{"id", RunText(run)},
                    {"dataset", record == nullptr ? "" : record->dataset},
                    {"state", record == nullptr ? "unknown" : std::string(SiteRunStateName(record->state))},
                    {"answers", count}});
  }
  return Json{{"rows", rows.size()},
              {"head", ToHex(rows.empty() ? LedgerGenesis() : rows.back().hash)},
              {"ledger", ToHex(state.ledger().id().bytes)},
              {"runs", runs},
              {"restorations", restorations},
              {"rolled_back", state.rolled_back() ? state.ledger().frozen()->message : ""},
              {"datasets", DatasetsView(state)}};
}

Json RestorationView(const SiteState& state, const LedgerRestoration& restoration) {
  Json charges = Json::array();
  for (const RestoredCharge& charge : restoration.charges) {
    Json view = {{"dataset", ToHex(charge.dataset.bytes)}, {"rdp", charge.rdp}, {"answers", charge.answers}};
    for (const auto& [name, dataset] : state.datasets().registered()) {
      if (dataset.id != charge.dataset) continue;
      view["name"] = name;
      view["share_of_budget"] = charge.rdp / dataset.budget.rdp;
    }
    charges.push_back(std::move(view));
  }
  Json ended = Json::array();
  for (const RunId& run : restoration.ended) ended.push_back(RunText(run));
  Json lost = Json::array();
  for (const LostHead& head : restoration.lost) {
    lost.push_back({{"ledger", ToHex(head.ledger.bytes)}, {"rows", head.rows}, {"head", ToHex(head.digest)}});
  }
  return {
      {"restored", Rfc3339(restoration.restored_unix)}, {"lost", lost}, {"charges", charges}, {"ended_runs", ended}};
}

Result<Json> LedgerRowsView(const SiteState& state, std::uint64_t first, std::uint64_t count) {
  SYNOD_ASSIGN_OR_RETURN(const std::vector<LedgerRow> rows, state.ledger_store().Load());
  Json list = Json::array();
  for (std::uint64_t i = first; i < rows.size() && i - first < count; ++i) list.push_back(rows[i].ToJson());
  return Json{{"rows", rows.size()}, {"first", first}, {"list", std::move(list)}};
}

Result<Json> VerifyLedger(const SiteState& state) {
  SYNOD_ASSIGN_OR_RETURN(const std::vector<LedgerRow> rows, state.ledger_store().Load());
  SYNOD_ASSIGN_OR_RETURN(const LedgerChain chain, VerifyChain(rows));
  std::map<RunId, Plan> plans;
  std::map<RunId, std::vector<std::uint64_t>> used;
  std::uint64_t restorations = 0;
  for (const LedgerRow& row : rows) {
    if (!row.is_answer()) {
      ++restorations;
      continue;
    }
    const RunId& run = row.charge.name.run;
    const SiteRunRecord* record = state.runs().Find(run);
    const auto wrong = [&](std::string_view what) {
      return VerificationFailed(fmt::format("ledger row {} {}", row.index, what));
    };
    if (record == nullptr) return wrong("belongs to no run that this site knows");
    if (row.charge.plan_hash != record->plan_hash) return wrong("was charged under another plan than its run's");
    if (!plans.contains(run)) {
      SYNOD_ASSIGN_OR_RETURN(Plan plan, Plan::FromCanonicalText(record->offer.plan));
      used[run].assign(plan.entries().size(), 0);
      plans.emplace(run, std::move(plan));
    }
    const Plan& plan = plans.at(run);
    if (row.charge.entry >= plan.entries().size()) return wrong("names an entry that its plan does not have");
    const PlanEntry& entry = plan.entries()[row.charge.entry];
    if (row.charge.event != entry.Event(plan.honest_shares(), 1)) return wrong("charges another event than its plan's");
    if (++used[run][row.charge.entry] > entry.allowed()) return wrong("goes beyond what its plan allows");
  }
  if (state.rolled_back()) {
    return Error{ErrorCode::kVerificationFailed, state.ledger().frozen()->message, state.ledger().frozen()->hint};
  }
  return Json{
      {"rows", chain.rows()}, {"head", ToHex(chain.head())}, {"runs", plans.size()}, {"restorations", restorations}};
}

}  // namespace synod
