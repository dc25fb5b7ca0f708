// The life cycle of a run at the coordinator, visible at a glance. Terminal states have no way out.
//
//   Submitted -> Resolving -> Proposed -> Running -> Signing -> Published
//        |           |           |           |          |
//        |           |           +-> Refused |          |        (denials leave too few sites)
//        +-----------+-----------+-----------+----------+-> Failed, Aborted
//
// A restart takes Resolving back to Submitted: nothing of it was kept.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "common/core/result.h"
#include "common/wire/messages.h"

namespace synod {

enum class RunState : std::uint8_t {
  kSubmitted,  // durable, waits for the worker
  kResolving,  // the worker resolves specification and roster to a plan
  kProposed,   // offered to the sites of the roster
  kRunning,    // asks and trains
  kSigning,    // the draft is durable and waits for the sites' signatures
  kPublished,
  kFailed,
  kAborted,
  kRefused,  // the sites said no
};
std::string_view RunStateName(RunState state);  // "submitted", "resolving", ...
Result<RunState> RunStateFromName(std::string_view name);

// Where a run may go from `state`; nothing for terminal states.
std::span<const RunState> NextStates(RunState state);
bool MayFollow(RunState from, RunState to);
inline bool IsTerminal(RunState state) {
  return NextStates(state).empty();
}

// What the sites are told.
RunPhase PhaseOf(RunState state);

}  // namespace synod
