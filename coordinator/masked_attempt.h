// One attempt at a masked sum, from the coordinator's side: the protocol (secure_agg::ServerAttempt) with sites by
// name, encoded messages, and deadlines.
//
//   Advertise     sites say that they take part   until all did that may come back; the deadline of the query
//   ShareKeys     keys and shares                 kStepSeconds
//   MaskedInput   sites compute and upload        the deadline of the query
//   Consistency   one signed survivor set         kStepSeconds
//   Unmask        shares of secrets               kStepSeconds; then the sum is opened
//
// A phase ends early when everybody who is still waited for answered. Not waited for: sites that refused or left, those
// whose process ended since they advertised (their masks died with it), those whose link has been gone for
// kReturnSeconds, and those that the caller names as silent. An upload that stands still gives its slot to one that
// waits after kStallSeconds.
//
// An outcome is given once; after it nothing more happens. No sockets, no clock: seconds come with Tick. Threads: one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/log/event_log.h"
#include "common/query/opened_sum.h"
#include "common/wire/messages.h"
#include "coordinator/site_book.h"
#include "secure_agg/server_attempt.h"

namespace synod {

class MaskedAttempt {
 public:
  static constexpr double kStepSeconds = 30.0;
  static constexpr double kReturnSeconds = 10.0;
  static constexpr double kStallSeconds = 5.0;

  struct Ports {
    const SiteBook& sites;
    EventLog& log;
    std::function<void(const std::string& site, Envelope)> to_site;
    // Not waited for where enough others answer.
    std::function<bool(const std::string& site)> silent;
  };

  struct Opened {
    std::vector<std::string> survivors;
    OpenedSum sum;
  };
  struct NotOpened {
    std::vector<std::string> answered;  // gave a whole masked answer
    std::string reason;
  };
  using Outcome = std::variant<Opened, NotOpened>;

  // `query_seconds`: the deadline of the query.
  MaskedAttempt(std::shared_ptr<const secure_agg::AttemptSetup> setup, double query_seconds, Ports ports);

  // First; once.
  std::optional<Outcome> Start();
  // What `site` sent. Messages of other attempts are dropped. A site whose message or statement cannot be read takes no
  // further part.
  std::optional<Outcome> OnStep(const std::string& site, const QueryName& name, ByteView payload);
  std::optional<Outcome> OnChunk(const std::string& site, const AggregationChunk& chunk, ByteView words);
  // The site takes no part in this attempt.
  std::optional<Outcome> OnLeft(const std::string& site);
  // Its link opened. See WantsQuery.
  std::optional<Outcome> OnConnected(const std::string& site);
  std::optional<Outcome> Tick(double seconds);

  // Whether the site may still be asked the query: it has not begun, and may.
  bool WantsQuery(const std::string& site) const;
  // Until the site can contribute nothing any more.
  double seconds_left() const;
  secure_agg::ServerPhase phase() const { return attempt_.phase(); }
  double phase_seconds() const { return elapsed_; }
  double phase_limit() const;
  // Who has said something in this phase's terms, and who is still waited for.
  std::vector<std::string> Missing() const;
  std::size_t began() const { return began_.size(); }        // sites that advertised
  std::size_t uploaded() const { return uploaded_.size(); }  // sites whose masked answer is whole
  const QueryName& name() const { return attempt_.setup().name(); }

 private:
  std::optional<Outcome> Do(secure_agg::ServerActions actions);
  std::optional<Outcome> EndPhaseIfNobodyIsWaitedFor();
  bool IsWaitedFor(const std::string& site) const;
  std::vector<std::string> NamesOf(const std::vector<secure_agg::SiteIndex>& sites) const;
  void WatchUploads(double seconds, secure_agg::ServerActions& actions);
  void LogExcluded(secure_agg::SiteIndex site, secure_agg::BlameReason reason) const;
  NotOpened EndWithout(const secure_agg::Failure& failure) const;

  std::shared_ptr<const secure_agg::AttemptSetup> setup_;
  secure_agg::ServerAttempt attempt_;
  double query_seconds_;
  Ports ports_;
  double elapsed_ = 0.0;                          // in this phase
  std::map<std::string, ProcessInstance> began_;  // the process that advertised
  std::set<std::string> uploaded_;
  std::map<std::string, double> still_;  // seconds since the last chunk of a site that holds a slot
};

}  // namespace synod
