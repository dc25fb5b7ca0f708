// This site's part in attempts at masked sums: drives the protocol (secure_agg::SiteAttempt) with the coordinator's
// messages, joins it with the words that the worker computed at the same time, and lets the masked answer go at the end
// of a public time slot, no more of it at once than the link takes.
//
//   Begin            the advertisement leaves
//   both are there:  the protocol needs the input, and the words came    charged durably; only then masked
//   a grant          the upload begins at the end of a slot, at the chunk that the coordinator wants
//   the link opens   what it may have missed is sent again, the same bytes; the upload waits for its next grant
//   ended            by the coordinator, by a break of its rules, by a later attempt of the run, or because nothing was
//                    heard for too long: keys and words are gone, and the owner is told
//
// One attempt of a run is alive at a time. Words are kept in memory until they are masked, nowhere else. What a peer
// can see depends on its messages and on the slot in which computing ended. Threads: one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "secure_agg/site_attempt.h"
#include "site_agent/site_context.h"

namespace synod {

class MaskedAnswers {
 public:
  // Of masked chunks that wait in the link; the rest stay where they are.
  static constexpr std::uint64_t kUploadWindowBytes = 4u << 20;
  // When a full link is looked at again, though nothing was heard.
  static constexpr double kLookSeconds = 0.01;
  // An attempt that hears nothing from its coordinator is kept this long after the last message, or as long as the
  // query had when it was asked, whichever is longer.
  static constexpr double kLeastPatienceSeconds = 60.0;

  struct Owner {
    // Makes the charge for the words, which the protocol needs now, durable. After an error nothing leaves.
    std::function<Result<SpendPermit>(const QueryName&)> charge;
    // The attempt is no longer alive. `problem`: for the administrator; empty where all went well.
    std::function<void(const QueryName&, const std::string& problem)> ended;
  };

  MaskedAnswers(SiteContext& context, Owner owner) : context_(context), owner_(std::move(owner)) {}

  struct Begun {
    std::shared_ptr<const secure_agg::AttemptSetup> setup;
    double slot_seconds = 0.0;
    double seconds = 0.0;  // that the query has left
  };
  // Ends an attempt of the same run first. It may have ended again when this returns.
  void Begin(Begun begun);
  // Its set-up while it is alive.
  const secure_agg::AttemptSetup* Alive(const QueryName& name) const;
  // Asked again: the coordinator may have missed something.
  void Resume(const QueryName& name);
  void OnStep(const QueryName& name, ByteView payload);
  // Of the set-up's form (our own duty). Of an attempt that is not alive: wiped.
  void OnWords(const QueryName& name, UnmaskedWords words);
  // No words will come: the site is silent from here on.
  void Drop(const QueryName& name, const std::string& problem);
  void DropUpTo(const RunId& run, std::uint32_t query);
  void DropRun(const RunId& run) { DropUpTo(run, UINT32_MAX); }

  void OnLinkOpened();
  void OnLinkClosed();
  double next_timer() const;
  void Advance();

  std::size_t alive() const { return attempts_.size(); }

 private:
  struct Upload {
    std::uint32_t next_chunk = 0;
    double due = 0.0;
    bool begun = false;
  };
  struct Attempt {
    secure_agg::SiteAttempt protocol;
    double slot_seconds = 0.0;
    double patience_seconds = 0.0;
    double deadline = 0.0;
    std::optional<UnmaskedWords> words;
    std::optional<Upload> upload;
    bool revealed = false;  // the site did its part; what it sent may have to be sent again
    bool over = false;
    std::string problem;  // of one that is over
    const QueryName& name() const { return protocol.setup().name(); }
  };

  Attempt* Find(const QueryName& name);
  std::vector<QueryName> Names() const;
  // Takes all actions, and those that they lead to; ends the attempt where it is over.
  void Do(Attempt& attempt, secure_agg::SiteActions actions);
  secure_agg::SiteActions Act(Attempt& attempt, secure_agg::SiteAction action);
  secure_agg::SiteActions Judge(Attempt& attempt, const std::vector<secure_agg::PeerStatement>& statements);
  secure_agg::SiteActions GiveInput(Attempt& attempt);
  void End(const RunId& run);
  void Pump(Attempt& attempt);
  bool SendChunk(Attempt& attempt);
  Status SendStep(const secure_agg::SiteMessage& message);

  SiteContext& context_;
  Owner owner_;
  std::map<RunId, std::unique_ptr<Attempt>> attempts_;
};

}  // namespace synod
