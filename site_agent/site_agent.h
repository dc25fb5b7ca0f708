// A site's agent: what a site does with what its coordinator, its worker and its administrator say. No sockets and no
// processes: those are ports (CoordinatorPort, WorkerPort); the daemon drives the same class as the tests.
//
// The owner calls Advance after every event and at next_timer. Threads: one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/core/result.h"
#include "common/net/link_events.h"
#include "site_agent/answer_desk.h"
#include "site_agent/compute_queue.h"
#include "site_agent/draft_desk.h"
#include "site_agent/proposal_desk.h"
#include "site_agent/site_context.h"
#include "site_agent/witness_desk.h"

namespace synod {

class SiteAgent {
 public:
  struct Ports {
    const Clock& clock;
    FailPoints& fail_points;
    EventLog& log;
    AuditLog& audit;
    CoordinatorPort& coordinator;
    WorkerPort& worker;
    SecretStreams& secrets;
  };
  struct Setup {
    std::string kit;  // folder
    SiteConfiguration configuration;
    SitePolicy policy;
    Trust trust;
    SigningKey signing_key;
    std::unique_ptr<SiteState> state;
    std::optional<WitnessPort> witness = {};  // nothing: heads of ledgers (WitnessDesk)
  };

  // Registers data sets and takes up runs that a former process left.
  static Result<std::unique_ptr<SiteAgent>> Create(Ports ports, Setup setup);
  SiteAgent(const SiteAgent&) = delete;
  SiteAgent& operator=(const SiteAgent&) = delete;

  void OnLinkOpened(const PeerOpened& opened);
  void OnLinkClosed(const PeerClosed& closed);
  void OnMessage(const Envelope& envelope);
  void OnWorkerReply(WorkerReply reply);
  void OnWorkerLost(const Error& error);
  double next_timer() const;
  void Advance();
  // The files of the kit's local and trust folders as they are now. An error leaves everything as it was.
  Status Reload();

  // How many bytes of payload are taken with a message: by the plan of the run that it belongs to.
  std::uint64_t PayloadLimit(const Message& message) const;

  // Of a person at the site. A run by a prefix of its id.
  Status Approve(const RunId& run) { return proposals_.Approve(run); }
  Status Deny(const RunId& run, const std::string& note) { return proposals_.Deny(run, note); }
  Status AcceptDataset(const std::string& name);
  // Counts what a ledger that was rolled back has lost, and goes on with it. Refused where nothing was lost.
  Result<LedgerRestoration> RestoreLedger();
  // For `status` and the service manager.
  struct LinkState {
    bool open = false;
    std::int64_t since_unix = 0;
    std::string coordinator;
    std::string last_close;  // why the last link closed, or could not be made
  };
  const LinkState& link() const { return link_; }
  const SiteContext& context() const { return context_; }
  const std::string& last_problem() const { return answers_.last_problem(); }
  // What was found in the records when they were last opened; empty: they were not.
  const std::string& records_report() const { return records_report_; }

 private:
  SiteAgent(Ports ports, Setup setup);
  void Take(std::vector<ComputeEvent> events);
  void OnTrustUpdate(ByteView bundle);
  Status Reconcile();

  std::string kit_;
  SiteConfiguration configuration_;
  SitePolicy policy_;
  Trust trust_;
  SigningKey signing_key_;
  std::unique_ptr<SiteState> state_;
  WitnessPort witness_;
  RetryList retries_;
  ComputeQueue compute_;
  SiteContext context_;
  AnswerDesk answers_;
  ProposalDesk proposals_;
  DraftDesk drafts_;
  WitnessDesk witnesses_;
  std::uint64_t answers_announced_ = 0;
  LinkState link_;
  std::string records_report_;
};

}  // namespace synod
