// Answers the requests of operators: `synod run ...`, `synod site list`, and later the console.
//
//   verb     viewer  operator, admin   reply
//   submit           yes               the run's line
//   list     yes     yes               {"runs": [line, ...]}, in the order of submission
//   show     yes     yes               the run's view, with "plan_text" and "explanation"
//   watch    yes     yes               views as they change, until the run has ended
//   why      yes     yes               {"run", "name", "state", "waits", "failure"}
//   abort            yes               the run's line
//   fetch            yes               the generator file
//   sites            yes               SiteListView, with what is known of each site's ledger
//
// No sockets. Threads: one.
#pragma once

#include <functional>
#include <list>
#include <string>

#include "common/consortium/trust.h"
#include "common/log/event_log.h"
#include "coordinator/run_book.h"
#include "coordinator/run_director.h"
#include "coordinator/site_book.h"

namespace synod {

class OperatorDesk {
 public:
  static constexpr double kWatchSeconds = 0.5;
  static constexpr std::size_t kMaxWatches = 256;

  struct Ports {
    RunBook& book;
    RunDirector& director;
    const SiteBook& sites;
    const Trust& trust;
    const Clock& clock;
    EventLog& log;
    std::function<void(PeerId, Envelope)> reply;
    std::function<std::string(const RunId&)> file_of;
    // What is known of a site's ledger (HeadDesk::View).
    std::function<Json(const std::string& site)> ledger_of = [](const std::string&) { return Json::object(); };
  };

  explicit OperatorDesk(Ports ports) : ports_(std::move(ports)) {}

  // Bytes of payload that a request may have: those of a submission, from whoever may submit.
  static std::uint64_t PayloadLimit(Role role, const OperatorRequest& request);

  void OnRequest(PeerId peer, const Identity& identity, const OperatorRequest& request, ByteView payload);
  void OnPeerClosed(PeerId peer);
  // Some times a second: the watches.
  void Tick();

 private:
  struct Watch {
    PeerId peer = 0;
    std::uint64_t request = 0;
    RunId run;
    std::string last;
  };

  Result<Bytes> Answer(const Identity& identity, const OperatorRequest& request, ByteView payload);
  Result<Json> AnswerJson(const Identity& identity, const OperatorRequest& request, ByteView payload);
  Result<Json> Submit(const Identity& identity, const RunId& run, ByteView payload);
  Result<Json> Abort(const Identity& identity, const RunId& run);
  Result<Bytes> Fetch(const RunId& run) const;
  Json List() const;
  Json Show(const RunRecord& record) const;
  Json Why(const RunRecord& record) const;
  // False once the run has ended.
  bool Report(Watch& watch);

  Ports ports_;
  std::list<Watch> watches_;
  double next_report_ = 0.0;
};

}  // namespace synod
