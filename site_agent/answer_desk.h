// From a query to an answer: admits it (SiteRound), has it computed, charges and stores the answer in one transaction,
// and lets it go at the end of a public time slot.
//
// What a peer can see of this depends on the plan and the names of queries alone: refusals are from the closed list; a
// worker that fails is silence, the same as a site that is away. Answers are kept until the coordinator closes their
// query, so that the same bytes are sent when they are asked for again: once a slot, however often they are asked for,
// and one answer of a run at a time. With secure aggregation the words go to MaskedAnswers instead, which charges them
// when the protocol takes them. Threads: one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/core/result.h"
#include "site_agent/masked_answers.h"
#include "site_agent/site_context.h"
#include "site_agent/site_round.h"

namespace synod {

class AnswerDesk {
 public:
  // A refusal because the charge could not be made durable goes out after this time, so that a full disk does not use
  // up the retries of a plan within a moment.
  static constexpr double kStorageRefusalSeconds = 2.0;

  explicit AnswerDesk(SiteContext& context);
  AnswerDesk(const AnswerDesk&) = delete;
  AnswerDesk& operator=(const AnswerDesk&) = delete;

  // Takes up what a former process left.
  void Start();
  void OnQuery(const QueryAsk& ask, ByteView payload);
  void OnStep(const AggregationStep& step, ByteView payload) { masked_.OnStep(step.name, payload); }
  void OnClosed(const QueryClosed& closed);
  void OnComputed(Computed computed);
  void OnMalformed(const QueryMalformed& malformed);
  void OnNotComputed(const NotComputed& failed);

  // The run gives no further answer; stored ones are forgotten.
  void Stop(const RunId& run);
  void OnLinkOpened() { masked_.OnLinkOpened(); }
  // The link is gone: what waits for its slot is asked for again by the coordinator.
  void OnLinkClosed();

  double next_timer() const;
  // Sends what is due.
  void Advance();

  // What the site charged for a run, by entry and by name: for counter-signatures.
  struct Charged {
    std::vector<std::uint64_t> attempts;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> entry_of;  // (query, attempt)
  };
  Result<Charged> ChargedFor(const SiteRunRecord& record) const;

  std::uint64_t answers_sent() const { return answers_sent_; }
  // Why the last query got no answer; empty once one was answered.
  const std::string& last_problem() const { return last_problem_; }
  void NoteProblem(const std::string& problem) { last_problem_ = problem; }

 private:
  struct ActiveRun {
    std::shared_ptr<const Plan> plan;
    std::shared_ptr<const OpenSiteRequest> records;
    std::unique_ptr<AnswerStore> answers;
    std::unique_ptr<SiteRound> round;
  };
  struct Waiting {
    double due = 0.0;
    Envelope envelope;
  };

  Result<ActiveRun*> Active(const SiteRunRecord& record);
  // Whether an answer of this name waits for the end of its slot.
  bool IsOnItsWay(const QueryName& name) const;
  void DropWaiting(const RunId& run, std::uint32_t last_query);
  // A query of secure aggregation, whose attempt begins or goes on.
  void OnSecureQuery(ActiveRun& run, const QueryName& name, const std::shared_ptr<const Query>& query, double seconds);
  void OnMaskedComputed(Computed computed);
  Result<SpendPermit> Charge(const QueryName& name);
  void OnMaskedEnded(const QueryName& name, const std::string& problem);
  void NoteStorage(const Error& error);
  void Act(ActiveRun& run, SiteRound::Action action, double until);
  void Refuse(const QueryName& name, RefusalReason reason, const std::string& why, double delay_seconds = 0.0);
  void SendNow(const Envelope& envelope);

  SiteContext& context_;
  std::map<RunId, ActiveRun> active_;
  std::vector<Waiting> outbox_;  // one answer of a run at most, and refusals
  MaskedAnswers masked_;
  std::string last_problem_;
  std::uint64_t answers_sent_ = 0;
};

}  // namespace synod
