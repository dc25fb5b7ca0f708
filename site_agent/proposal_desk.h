// From a proposed run to a decision: stores the proposal, has the worker resolve it, judges, and tells the coordinator;
// a person's approval, denial and withdrawal; the end of a run.
//
// A decision is durable before it is told, and told again whenever the same run is proposed again. Deciding depends on
// the plan and public facts alone. Threads: one.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include "common/core/result.h"
#include "site_agent/site_context.h"

namespace synod {

class ProposalDesk {
 public:
  // Proposals that are kept in memory, once each, until the disk takes them again. More are told kUnavailable.
  static constexpr std::size_t kMaxUnstored = 8;

  // `stopped`: called when a run may give no further answer. `announce`: before an approval is told, so that whoever
  // hears of it holds a head of the ledger that counts it.
  ProposalDesk(SiteContext& context, std::function<void(const RunId&)> stopped, std::function<void()> announce)
      : context_(context), stopped_(std::move(stopped)), announce_(std::move(announce)) {}

  // Takes up what a former process left: reviews that were not finished.
  void Start();
  void OnProposal(const std::string& coordinator, const RunProposal& proposal, ByteView offer);
  void OnReviewed(const Reviewed& reviewed);
  void OnNotice(const RunNotice& notice);

  // Undecided runs are judged again: the policy changed, or an hour began.
  void JudgeWaiting();
  double next_timer() const;
  void Advance();

  // A person's decisions. Refused where the rules do not allow them; nothing changed then.
  Status Approve(const RunId& run);
  Status Deny(const RunId& run, const std::string& note);
  // Runs that a restoration of the ledger ended.
  void OnRestored(const std::vector<RunId>& ended);

 private:
  struct Unstored {
    std::string coordinator;
    RunProposal proposal;
    Bytes offer;
  };

  void StoreAgain();
  void Decide(const RunId& run, const SiteReview& review);
  void Apply(const RunId& run, const RunVerdict& verdict);
  Status StoreApproval(const RunId& run, const std::string& dataset, const std::string& by,
                       const std::vector<std::string>& findings);
  Status StoreDenial(const RunId& run, DenialReason reason, const std::string& by,
                     const std::vector<std::string>& findings, const std::string& note);
  void Stop(const RunId& run);
  void Tell(const RunId& run);
  void TellRefusal(const RunProposal& proposal, DenialReason reason, const Error& why);
  void End(const RunId& run, RunPhase phase);

  SiteContext& context_;
  std::function<void(const RunId&)> stopped_;
  std::function<void()> announce_;
  std::map<RunId, Unstored> unstored_;
  double next_judgement_ = 0.0;
};

// What an approval signs: run | plan hash | site name, under the label "synod.approval".
inline constexpr std::string_view kApprovalLabel = "synod.approval";
Bytes ApprovalStatement(const RunId& run, const Digest& plan_hash, const std::string& site);

}  // namespace synod
