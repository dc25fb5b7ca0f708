#include "coordinator/wait_reason.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace synod {
namespace {

constexpr std::array<std::string_view, 11> kNames = {"resolving", "not_connected", "decision", "person",
                                                     "queued",    "answers",       "quorum",   "trainer",
                                                     "worker",    "storage",       "signature"};

WaitReason Undecided(const RunRecord& record, const std::string& site, const SiteBook& sites) {
  if (!sites.connected(site)) return NotConnectedWait(site, sites, "decides");
  const auto said = record.decisions.find(site);
  if (said == record.decisions.end() || said->second.reason != DenialReason::kPerson) {
    return {WaitKind::kDecision,
            {site},
            record.state_since_unix,
            fmt::format("waiting for {} to review the plan", site),
            fmt::format("ends when {} approves or denies the run", site)};
  }
  return {WaitKind::kPerson,
          {site},
          said->second.at_unix,
          fmt::format("waiting for {} to approve: its policy leaves it to a person, or to a later hour", site),
          fmt::format("ends when the administrator of {} says `synod-site approve {}` or `deny`", site,
                      RunIdText(record.run()).substr(0, 8))};
}

std::vector<WaitReason> WaitsOfProposal(const RunRecord& record, const SiteBook& sites, const RunRecord* ahead) {
  std::vector<WaitReason> waits;
  for (const RosterSite& member : record.plan->facts().roster) {
    const auto said = record.decisions.find(member.id);
    if (said != record.decisions.end() && said->second.decision != Decision::kWaiting) continue;
    waits.push_back(Undecided(record, member.id, sites));
  }
  if (waits.empty() && ahead != nullptr) {
    waits.push_back({WaitKind::kQueued,
                     {},
                     record.state_since_unix,
                     fmt::format("queued behind run {} ({}): one run trains at a time",
                                 RunIdText(ahead->run()).substr(0, 8), ahead->summary.name),
                     "ends when that run has trained, fails or is aborted"});
  }
  return waits;
}

std::vector<WaitReason> WaitsForSignatures(const RunRecord& record, const SiteBook& sites) {
  std::vector<WaitReason> waits;
  for (const std::string& site : record.MissingSignatures()) {
    if (!sites.connected(site)) {
      waits.push_back(NotConnectedWait(site, sites, "signs"));
      continue;
    }
    waits.push_back({WaitKind::kSignature,
                     {site},
                     record.state_since_unix,
                     fmt::format("waiting for {} to check the file and sign it", site),
                     fmt::format("ends when {} signs or refuses", site)});
  }
  return waits;
}

std::string AnswersText(const TrainingWait& wait) {
  return fmt::format("waiting for answers of {} to query {} attempt {} ({:.0f} s of {:.0f} s)",
                     fmt::join(wait.sites, ", "), wait.query, wait.attempt, wait.elapsed_seconds,
                     wait.deadline_seconds);
}

}  // namespace

WaitReason NotConnectedWait(const std::string& site, const SiteBook& sites, std::string_view wanted) {
  const SiteLink link = sites.Link(site);
  std::string text = fmt::format("{} is not connected since {}", site, Rfc3339(link.since_unix));
  if (link.last_contact_unix == 0) text += " (not seen since the coordinator started)";
  if (!link.last_close.empty()) text += fmt::format("; its last link closed: {}", link.last_close);
  return {WaitKind::kNotConnected,
          {site},
          link.since_unix,
          std::move(text),
          fmt::format("ends when {} connects and {}", site, wanted)};
}

std::string_view WaitKindName(WaitKind kind) {
  return kNames.at(static_cast<std::size_t>(kind));
}

Json WaitReason::ToJson() const {
  return {
      {"kind", WaitKindName(kind)}, {"sites", sites}, {"since", Rfc3339(since_unix)}, {"text", text}, {"ends", ends}};
}

WaitReason Describe(const TrainingWait& wait) {
  WaitReason reason{wait.kind, wait.sites, wait.since_unix, "", ""};
  switch (wait.kind) {
    case WaitKind::kAnswers:
      reason.text = AnswersText(wait);
      reason.ends = fmt::format(
          "ends with the answers, or at the deadline: with {} of {} needed answers it goes on, with "
          "fewer the query is asked again",
          wait.answers, wait.answers_needed);
      break;
    case WaitKind::kQuorum:
      reason.text = fmt::format("waiting for {} to connect: query {} needs {} answers and has {}",
                                fmt::join(wait.sites, ", "), wait.query, wait.answers_needed, wait.answers);
      reason.ends = "ends when enough of them are connected; the query's clock stands still until then";
      break;
    case WaitKind::kWorker:
      reason.text = fmt::format("the worker is being started again: {}", wait.detail);
      reason.ends = "ends when the worker has replayed what was answered so far";
      break;
    case WaitKind::kStorage:
      reason.text = fmt::format("the run stands still, since a write failed: {}", wait.detail);
      reason.ends = "ends when the write succeeds; it is tried again every few seconds and nothing is lost";
      break;
    default:
      reason.text = wait.detail.empty() ? "the worker absorbs the last sum and makes the next query" : wait.detail;
      reason.ends = "ends when the worker is done; no site is waited for";
      break;
  }
  return reason;
}

std::vector<WaitReason> WaitsOf(const RunRecord& record, const SiteBook& sites, const RunRecord* ahead) {
  switch (record.state) {
    case RunState::kSubmitted:
    case RunState::kResolving:
      return {{WaitKind::kResolving,
               {},
               record.state_since_unix,
               "the worker works out the plan",
               "ends in some seconds, when noise and epsilon are calibrated"}};
    case RunState::kProposed:
      return WaitsOfProposal(record, sites, ahead);
    case RunState::kSigning:
      return WaitsForSignatures(record, sites);
    case RunState::kPublished:
      return record.complete ? std::vector<WaitReason>{} : WaitsForSignatures(record, sites);
    default:
      return {};
  }
}

}  // namespace synod
