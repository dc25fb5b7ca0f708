#include "coordinator/run_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace synod {
namespace {

struct StateRow {
  RunState state;
  std::string_view name;
  RunPhase phase;
  std::vector<RunState> next;
};

const std::array<StateRow, 9>& Table() {
  using enum RunState;
  static const std::array<StateRow, 9> kTable = {{
      {kSubmitted, "submitted", RunPhase::kProposed, {kResolving, kFailed, kAborted}},
      {kResolving, "resolving", RunPhase::kProposed, {kSubmitted, kProposed, kFailed, kAborted}},
      {kProposed, "proposed", RunPhase::kProposed, {kRunning, kRefused, kFailed, kAborted}},
      {kRunning, "running", RunPhase::kRunning, {kSigning, kFailed, kAborted}},
      {kSigning, "signing", RunPhase::kSigning, {kPublished, kFailed, kAborted}},
      {kPublished, "published", RunPhase::kPublished, {}},
      {kFailed, "failed", RunPhase::kFailed, {}},
      {kAborted, "aborted", RunPhase::kAborted, {}},
      {kRefused, "refused", RunPhase::kFailed, {}},
  }};
  return kTable;
}

const StateRow& RowOf(RunState state) {
  return Table().at(static_cast<std::size_t>(state));
}

}  // namespace

std::string_view RunStateName(RunState state) {
  return RowOf(state).name;
}

Result<RunState> RunStateFromName(std::string_view name) {
  for (const StateRow& row : Table()) {
    if (row.name == name) return row.state;
  }
  return BadInput(fmt::format("there is no state \"{}\" of a run", name));
}

std::span<const RunState> NextStates(RunState state) {
  return RowOf(state).next;
}

bool MayFollow(RunState from, RunState to) {
  const std::span<const RunState> next = NextStates(from);
  return std::find(next.begin(), next.end(), to) != next.end();
}

RunPhase PhaseOf(RunState state) {
  return RowOf(state).phase;
}

}  // namespace synod
