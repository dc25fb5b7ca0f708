#include "tools/synod/run_watch.h"

#include <fmt/format.h>

#include <optional>

#include "tools/synod/epsilon_so_far.h"
#include "tools/synod/run_text.h"

namespace synod {
namespace {

class RunWatcher {
 public:
  RunWatcher(OperatorLink& link, const RunId& run, CommandContext& context)
      : link_(link), run_(run), context_(context) {}

  // The plan is public and does not change: asked for once, on a link of its own turn, before the watch begins.
  void LoadPlan() {
    const Result<Json> shown = link_.AskJson(OperatorVerb::kRunShow, run_);
    if (!shown.ok() || !shown->contains("plan_text")) return;
    Result<Plan> plan = Plan::FromCanonicalText(shown->value("plan_text", ""));
    if (!plan.ok()) return;
    plan_ = std::make_unique<const Plan>(std::move(*plan));
    epsilon_ = std::make_unique<EpsilonSoFar>(*plan_, context_.clock);
  }
  bool has_plan() const { return plan_ != nullptr; }

  void Show(const Json& view) {
    const std::string state = RunStateText(view);
    if (state != last_state_) context_.progress.Say(state);
    last_state_ = state;
    if (view.contains("progress")) ShowProgress(view);
  }

 private:
  void ShowProgress(const Json& view) {
    const Json& progress = view.at("progress");
    std::string detail;
    const auto add = [&detail](const std::string& part) {
      if (!part.empty()) detail += (detail.empty() ? "" : "  ") + part;
    };
    if (epsilon_ != nullptr) add(epsilon_->Text(progress.value("used", std::vector<std::uint64_t>{})));
    if (progress.contains("noisy_loss")) add(fmt::format("noisy loss {:.3f}", progress.value("noisy_loss", 0.0)));
    std::size_t connected = 0;
    const Json sites = view.value("sites", Json::array());
    for (const Json& site : sites) connected += site.value("connected", false) ? 1 : 0;
    add(fmt::format("sites {}/{}", connected, sites.size()));
    const Json waits = view.value("waits", Json::array());
    const std::string kind = waits.empty() ? "" : waits[0].value("kind", "");
    if (kind != "trainer" && !waits.empty()) add(waits[0].value("text", ""));
    context_.progress.Step("train", progress.value("queries_done", std::uint64_t{0}),
                           progress.value("queries_planned", std::uint64_t{0}), detail);
  }

  OperatorLink& link_;
  RunId run_;
  CommandContext& context_;
  std::unique_ptr<const Plan> plan_;
  std::unique_ptr<EpsilonSoFar> epsilon_;
  std::string last_state_;
};

}  // namespace

Result<Json> WatchRun(OperatorLink& link, const RunId& run, CommandContext& context) {
  RunWatcher watcher(link, run, context);
  watcher.LoadPlan();
  return link.Watch(run, [&](const Json& view) {
    if (!watcher.has_plan() && view.contains("plan")) watcher.LoadPlan();
    watcher.Show(view);
  });
}

}  // namespace synod
