#include "site_agent/run_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "common/data/schema.h"

namespace synod {
namespace {

std::vector<std::string> ReadColumns(const Schema& schema) {
  std::vector<std::string> columns;
  for (const Column& column : schema.columns()) {
    if (column.is_modelled() || column.role == ColumnRole::kSubject) columns.push_back(column.name);
  }
  std::sort(columns.begin(), columns.end());
  return columns;
}

RunVerdict Refuse(DenialReason reason, std::string finding) {
  return {Judgement::Verdict::kRefused, reason, "", {std::move(finding)}};
}

// The more fundamental of two reasons; none is the least.
DenialReason First(DenialReason a, DenialReason b) {
  static constexpr DenialReason kOrder[] = {DenialReason::kMalformed, DenialReason::kNotOnRoster,
                                            DenialReason::kPlanMismatch, DenialReason::kPolicy, DenialReason::kBudget};
  for (const DenialReason reason : kOrder) {
    if (a == reason || b == reason) return reason;
  }
  return a;
}

void Append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

std::vector<std::string> RunJudge::RosterFailures(const Plan& plan, std::uint32_t& known_peers) const {
  std::vector<std::string> failures;
  bool own = false;
  for (const RosterSite& site : plan.facts().roster) {
    if (site.id == site_.own_name) {
      own = site.key_fingerprint == site_.own_key_fingerprint;
      if (!own) failures.push_back("roster: it names another signing key for this site");
      continue;
    }
    const Member* member = site_.manifest.Find({site_.manifest.consortium, Role::kSite, site.id});
    if (member == nullptr || KeyFingerprint(member->signing_key) != site.key_fingerprint) {
      failures.push_back(fmt::format("roster: \"{}\" with this signing key is no site of the consortium", site.id));
    } else if (site_.revocations.Contains(member->tls_key_fingerprint)) {
      failures.push_back(fmt::format("roster: \"{}\" was revoked", site.id));
    } else {
      ++known_peers;
    }
  }
  if (!own && failures.empty()) failures.push_back("roster: it does not list this site");
  return failures;
}

std::vector<std::string> RunJudge::AccountFailures(const std::string& dataset, const Plan& plan,
                                                   DenialReason& reason) const {
  const Result<RegisteredDataset> registered = site_.state.datasets().Usable(dataset);
  if (!registered.ok()) {
    reason = First(reason, DenialReason::kPolicy);
    return {registered.error().message};
  }
  std::vector<std::string> failures;
  if (registered->unit != plan.facts().unit) {
    reason = First(reason, DenialReason::kPolicy);
    failures.push_back(fmt::format("unit: the data set's account is kept for a {}", PrivacyUnitName(registered->unit)));
  }
  if (const Status room = site_.state.CheckRoom(dataset, plan); !room.ok()) {
    reason = First(reason, DenialReason::kBudget);
    failures.push_back("budget: " + room.error().message);
  }
  return failures;
}

RunVerdict RunJudge::Judge(const SiteRunRecord& record, int minute_of_day) const {
  if (!record.review) return Refuse(DenialReason::kUnavailable, "the run has not been reviewed");
  if (site_.state.rolled_back()) {
    return Refuse(DenialReason::kUnavailable, "ledger: " + site_.state.ledger().frozen()->message);
  }
  const Result<Plan> plan = Plan::FromCanonicalText(record.offer.plan);
  if (!plan.ok()) return Refuse(DenialReason::kMalformed, plan.error().message);
  const Result<Schema> schema = Schema::FromToml(record.offer.schema, "schema.toml");
  if (!schema.ok()) return Refuse(DenialReason::kMalformed, schema.error().message);
  if (plan->Hash() != record.plan_hash || schema->Hash() != plan->facts().schema_hash) {
    return Refuse(DenialReason::kMalformed, "plan and schema are not those that the proposal names");
  }
  RunVerdict verdict;
  RunFacts facts;
  facts.plan = plan->facts();
  facts.columns = ReadColumns(*schema);
  facts.epsilon = record.review->epsilon;
  facts.parameters = record.review->parameters;
  facts.coordinator = record.coordinator;
  facts.submitter = record.submitter;
  if (const DatasetSettings* dataset = site_.configuration.ForSchema(schema->name())) facts.dataset = dataset->name;

  const std::vector<std::string> roster = RosterFailures(*plan, facts.known_peers);
  if (!roster.empty()) verdict.reason = First(verdict.reason, DenialReason::kNotOnRoster);
  Append(verdict.findings, roster);
  if (!record.review->plan_matches) {
    verdict.reason = First(verdict.reason, DenialReason::kPlanMismatch);
    verdict.findings.push_back("plan: this site resolves another one: " + record.review->difference);
  }
  if (plan->facts().aggregation == Aggregation::kCurator) {
    verdict.reason = First(verdict.reason, DenialReason::kPolicy);
    verdict.findings.push_back("aggregation: a trusted curator is a simulation's, not a federation's");
  }
  const Judgement judgement = site_.policy.Judge(facts, minute_of_day);
  if (judgement.verdict == Judgement::Verdict::kRefused) {
    verdict.reason = First(verdict.reason, DenialReason::kPolicy);
  }
  Append(verdict.findings, judgement.failures);
  if (!facts.dataset.empty()) Append(verdict.findings, AccountFailures(facts.dataset, *plan, verdict.reason));
  verdict.dataset = facts.dataset;
  verdict.verdict = verdict.reason == DenialReason::kNone ? judgement.verdict : Judgement::Verdict::kRefused;
  for (const std::string& advice : judgement.advice) verdict.findings.push_back("advice: " + advice);
  return verdict;
}

int LocalMinuteOfDay(std::int64_t unix_seconds) {
  const std::time_t time = unix_seconds;
  std::tm local{};
  if (localtime_r(&time, &local) == nullptr) return 0;
  return local.tm_hour * 60 + local.tm_min;
}

}  // namespace synod
