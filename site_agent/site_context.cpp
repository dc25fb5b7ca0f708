#include "site_agent/site_context.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace synod {

void RetryList::Add(std::string name, std::function<void()> action, double now) {
  const bool waits =
      std::any_of(actions_.begin(), actions_.end(), [&](const Action& waiting) { return waiting.name == name; });
  if (waits || actions_.size() >= kMaxActions) return;
  if (actions_.empty()) due_ = now + kRetrySeconds;
  actions_.push_back({std::move(name), std::move(action)});
}

void RetryList::Advance(double now) {
  if (actions_.empty() || now < due_) return;
  // What fails again adds itself again.
  const std::vector<Action> actions = std::exchange(actions_, {});
  for (const Action& action : actions) action.run();
}

double RetryList::next_timer() const {
  return actions_.empty() ? std::numeric_limits<double>::infinity() : due_;
}

RunJudge SiteContext::Judge() const {
  return RunJudge({configuration, policy, state, trust.manifest(), trust.revocations(), own_name(),
                   KeyFingerprint(signing_key.public_key())});
}

Status SiteContext::Stored(Status status, std::string_view what) {
  if (status.ok()) {
    storage_problem.clear();
    return status;
  }
  storage_problem = status.error().message;
  log.Error("storage_failed", {{"what", std::string(what)}, {"error", status.error().message}});
  return status;
}

void SiteContext::Audit(std::string_view act, Json fields) {
  const Status written = audit.Append(act, fields);
  if (!written.ok()) log.Error("audit_failed", {{"act", std::string(act)}, {"error", written.error().message}});
}

}  // namespace synod
