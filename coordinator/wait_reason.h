// Why a run does not go on right now: what it waits for, since when, and what ends the wait. A closed list, so that
// every wait of the daemon has a name; `synod run why` and the console print them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/core/canonical_json.h"
#include "common/core/strong_id.h"
#include "coordinator/run_record.h"
#include "coordinator/site_book.h"

namespace synod {

enum class WaitKind : std::uint8_t {
  kResolving,     // the worker works the plan out
  kNotConnected,  // a site that has to decide, or to sign, is not connected
  kDecision,      // a connected site has not said anything yet: it reviews the plan
  kPerson,        // a site's administrator has to decide
  kQueued,        // another run trains
  kAnswers,       // sites owe answers to the open query
  kQuorum,        // too few sites are connected for the open query: its clock stands still
  kTrainer,       // the worker absorbs a sum and makes the next query
  kWorker,        // the worker ended and is started again
  kStorage,       // a durable write failed; it is tried again
  kSignature,     // a connected site checks the draft
};
std::string_view WaitKindName(WaitKind kind);

struct WaitReason {
  WaitKind kind = WaitKind::kResolving;
  std::vector<std::string> sites;  // whom it waits for; empty: nobody else
  std::int64_t since_unix = 0;
  std::string text;  // one sentence
  std::string ends;  // what ends it, one sentence
  Json ToJson() const;
};

// What the driver of the run that trains says of itself.
struct TrainingWait {
  WaitKind kind = WaitKind::kTrainer;
  std::vector<std::string> sites;
  std::int64_t since_unix = 0;
  std::uint32_t query = 0;
  std::uint32_t attempt = 0;
  double elapsed_seconds = 0.0;
  double deadline_seconds = 0.0;
  std::uint32_t answers = 0;
  std::uint32_t answers_needed = 0;
  std::string detail;  // an error's message
};

WaitReason Describe(const TrainingWait& wait);

// A site that is not connected; `wanted`: what it has to do when it is back ("answers").
WaitReason NotConnectedWait(const std::string& site, const SiteBook& sites, std::string_view wanted);

// Of a run that does not train. `ahead`: the run that trains, if one does.
std::vector<WaitReason> WaitsOf(const RunRecord& record, const SiteBook& sites, const RunRecord* ahead);

}  // namespace synod
