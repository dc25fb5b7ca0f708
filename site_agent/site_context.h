// What the parts of a site's agent share: its ports and its state. Everything outlives them. Threads: one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/consortium/trust.h"
#include "common/core/clock.h"
#include "common/core/fail_points.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/secret_streams.h"
#include "common/log/event_log.h"
#include "common/wire/messages.h"
#include "site_agent/compute_queue.h"
#include "site_agent/run_judge.h"
#include "site_agent/site_configuration.h"
#include "site_agent/site_policy.h"
#include "site_agent/site_state.h"
#include "site_agent/witness_port.h"

namespace synod {

// The link to the coordinator as the agent sees it.
class CoordinatorPort {
 public:
  virtual ~CoordinatorPort() = default;
  virtual bool open() const = 0;
  virtual Status Send(Envelope envelope) = 0;
  // Of what was sent and has not left yet.
  virtual std::uint64_t queued_bytes() const = 0;
  // What this site trusts has changed: a coordinator that it does not trust any more is not heard or answered from here
  // on, and its link is closed.
  virtual void CheckPeerAgain() = 0;
};

// What could not be made durable is tried again after a while (a full disk may be cleared); bounded. What is tried has
// a name, and waits once under it: a peer that repeats itself takes the place of nobody else.
class RetryList {
 public:
  static constexpr double kRetrySeconds = 5.0;
  static constexpr std::size_t kMaxActions = 256;

  // Dropped where something of this name waits already, and beyond kMaxActions.
  void Add(std::string name, std::function<void()> action, double now);
  void Advance(double now);
  double next_timer() const;
  std::size_t size() const { return actions_.size(); }

 private:
  struct Action {
    std::string name;
    std::function<void()> run;
  };
  std::vector<Action> actions_;  // in the order in which they came
  double due_ = 0.0;
};

struct SiteContext {
  const Clock& clock;
  FailPoints& fail_points;
  EventLog& log;
  AuditLog& audit;
  Trust& trust;
  const SigningKey& signing_key;
  SiteConfiguration& configuration;
  SitePolicy& policy;
  SiteState& state;
  CoordinatorPort& coordinator;
  ComputeQueue& compute;
  RetryList& retries;
  SecretStreams& secrets;  // of keys and masks
  const WitnessPort& witness;
  std::string storage_problem;  // of the last durable write; empty: it went well

  const std::string& own_name() const { return trust.self().name; }
  double now() const { return clock.MonotonicSeconds(); }
  RunJudge Judge() const;
  // Notes how a durable write went, for log and status; returns it.
  Status Stored(Status status, std::string_view what);
  // An act of a person or a policy. An audit log that cannot be written is logged; the act stands.
  void Audit(std::string_view act, Json fields);
};

}  // namespace synod
