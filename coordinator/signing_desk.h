// From a durable draft to a published file: asks every site that answered to sign, checks what they sign, publishes.
//
// A file is published when all of them signed, or incomplete when the run's deadline is over; a signature that comes
// later completes it. A site that says the draft does not agree with its own ledger ends the run: nothing is published.
// Threads: one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/artefact/participation.h"
#include "common/consortium/trust.h"
#include "common/core/clock.h"
#include "common/core/fail_points.h"
#include "common/crypto/ed25519.h"
#include "common/log/event_log.h"
#include "coordinator/run_book.h"
#include "coordinator/site_book.h"

namespace synod {

class SigningDesk {
 public:
  static constexpr double kRetrySeconds = 5.0;
  // A site that says nothing to a draft for this time, beyond what its bytes take on a slow link, is sent it again: its
  // workers may have failed, which is silence.
  static constexpr double kAnswerSeconds = 300.0;
  static constexpr double kSlowestBytesPerSecond = 65'536.0;

  struct Ports {
    RunBook& book;
    const RunStore& store;
    const SiteBook& sites;
    const Trust& trust;  // replaced in place when the kit is read again
    const SigningKey& key;
    const Clock& clock;
    FailPoints& fail_points;
    EventLog& log;
    std::function<void(const std::string& site, Envelope)> to_site;
    std::function<std::string(const RunId&)> file_of;  // path of the published file
    std::function<void(const RunRecord&)> on_moved;    // published or failed
  };

  explicit SigningDesk(Ports ports);

  void OnSiteConnected(const std::string& site);
  // Fails if the message breaks the protocol: signed by another key, or for another file.
  Status OnCounterSignature(const std::string& site, const CounterSignature& message);
  void OnDraftRefused(const std::string& site, const DraftRefused& message);
  // Some times a second: sends drafts, publishes what is signed or late, tries again what failed, and forgets the
  // drafts of runs that ended.
  void Tick();
  // Why the run cannot be published, where that is a failed read or write; empty otherwise.
  std::string StorageError(const RunId& run) const;

 private:
  struct Draft {
    std::shared_ptr<const Bytes> bytes;
    Participation participation;
  };

  static bool WaitsForSignatures(const RunRecord& record);
  Result<const Draft*> DraftOf(const RunRecord& record);
  void SendDraft(const RunRecord& record, const std::string& site);
  // What stands in the way of the file: logged once, shown until it is over, tried again.
  void NotePublication(const RunId& run, std::string_view event, const Error& error);
  void ForgetEnded();
  Status Check(const RunRecord& record, const std::string& site, const CounterSignature& message);
  Status Publish(const RunRecord& record);
  void PublishIfDue(const RunRecord& record);

  Ports ports_;
  std::map<RunId, Draft> drafts_;
  std::map<std::pair<RunId, PeerId>, double> sent_;  // until when an answer is waited for
  std::map<RunId, std::string> storage_errors_;
  double retry_at_ = 0.0;
};

}  // namespace synod
