// An operator's connection to the coordinator, for commands: connects with the keys of a kit, asks, waits for replies.
// Blocks the calling thread; that is what a command is for. Threads: one.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/core/canonical_json.h"
#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/core/strong_id.h"
#include "common/wire/messages.h"

namespace synod {

class OperatorLink {
 public:
  static constexpr double kConnectSeconds = 15.0;
  static constexpr double kReplySeconds = 120.0;

  // With the kit of an operator, viewer or admin. kConnection, naming address and reason, where the coordinator cannot
  // be reached or does not let this kit in.
  static Result<std::unique_ptr<OperatorLink>> Connect(const std::string& kit, const Clock& clock);
  ~OperatorLink();
  OperatorLink(const OperatorLink&) = delete;
  OperatorLink& operator=(const OperatorLink&) = delete;

  // The payload of the reply. What the coordinator refuses is its error; a link that breaks is kConnection.
  Result<Bytes> Ask(OperatorVerb verb, const RunId& run = {}, std::string payload = "");
  Result<Json> AskJson(OperatorVerb verb, const RunId& run = {}, std::string payload = "");
  // Every view until the run has ended; the last one is returned.
  Result<Json> Watch(const RunId& run, const std::function<void(const Json& view)>& on_view);

  const std::string& address() const;

 private:
  class State;
  explicit OperatorLink(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The kit that a command uses: what was given, else the environment's SYNOD_KIT, else the current folder.
std::string OperatorKit(const std::string& given);

// The run whose id begins with `text`; BadInput where none or several do.
Result<RunId> FindRun(OperatorLink& link, const std::string& text);

}  // namespace synod
