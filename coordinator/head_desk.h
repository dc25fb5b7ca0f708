// The coordinator as a witness of its sites' ledgers: keeps the newest signed head of each, durably; gives each site
// that connects the heads that it holds, the site's own first; passes news on to the other sites of the run that trains
// when it begins, when a site's ledger has grown by kPassRows rows, and when it ends. A head that does not go with the
// one that is kept is evidence of a ledger that was put back, and is kept, logged and shown.
//
// What sites say of others' ledgers is taken as well: a coordinator that lost its database learns the heads again.
// No sockets. Threads: one.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/consortium/trust.h"
#include "common/core/canonical_json.h"
#include "common/log/event_log.h"
#include "common/store/head_book.h"
#include "common/wire/messages.h"

namespace synod {

class HeadDesk {
 public:
  static constexpr std::uint64_t kPassRows = 64;
  // Heads come with every answer; a write waits for the disk. What a crash of this process loses of this, sites tell
  // again when they connect.
  static constexpr double kFlushSeconds = 1.0;

  struct Ports {
    HeadBook& book;
    const Trust& trust;  // replaced in place when the kit is read again
    const Clock& clock;
    EventLog& log;
    std::function<void(const std::string& site, Envelope)> to_site;  // dropped if it is not connected
    std::function<std::vector<std::string>()> training_sites;        // of the run that trains; empty: none does
  };
  explicit HeadDesk(Ports ports) : ports_(std::move(ports)) {}

  void OnSiteConnected(const std::string& site);
  // Heads that `from` sent: of its own ledger, or witnessed. One that cannot be verified changes nothing.
  void OnHeads(const std::string& from, const LedgerHeads& message);
  // Some times a second.
  void Tick();
  // Writes what is new.
  void Flush();

  // Of a site, for `synod site list`: its newest head, how often its ledger was begun anew, and the evidence.
  Json View(const std::string& site) const;

 private:
  void Take(const std::string& from, const SignedHead& head);
  bool Verified(const SignedHead& head) const;
  // Passes news on where a run has begun to train or ended, or where there is enough of it.
  void WatchTraining();
  // What each of `sites` was not given yet.
  void PassNews(const std::vector<std::string>& sites);
  void Give(const std::string& site, const std::vector<HeadBook::Kept>& heads);

  Ports ports_;
  std::map<std::string, std::uint64_t> given_;  // by site: the book's number up to which it has everything
  std::map<HeadBook::Key, std::uint64_t> passed_rows_;
  std::vector<std::string> training_;
  bool news_ = false;
  double next_flush_ = 0.0;
};

}  // namespace synod
