// The part of TrainingRun that drives a query with secure aggregation.
#include <fmt/format.h>

#include <algorithm>

#include "coordinator/round_history.h"
#include "coordinator/training_run.h"
#include "secure_agg/plan_setup.h"

namespace synod {

Status TrainingRun::BeginMasked(const CoordinatorRound::Ask& ask) {
  SYNOD_ASSIGN_OR_RETURN(secure_agg::AttemptSetup setup,
                         secure_agg::SetupOf(*record_.plan, ask.name, *ask.query, ports_.site_keys()));
  masked_ = std::make_unique<MaskedAttempt>(
      std::make_shared<const secure_agg::AttemptSetup>(std::move(setup)), record_.summary.deadline_seconds,
      MaskedAttempt::Ports{ports_.sites, ports_.log, ports_.to_site,
                           [this](const std::string& site) { return silent_.contains(site); }});
  std::optional<MaskedAttempt::Outcome> outcome = masked_->Start();
  ports_.fail_points.At(FailPoint::kCoordinatorBeforeQuerySent);
  for (const std::string& site : MissingAndConnected()) SendQuery(site);
  ports_.fail_points.At(FailPoint::kCoordinatorAfterQuerySent);
  for (const RosterSite& site : record_.plan->facts().roster) {
    if (outcome) break;
    if (!record_.Approved(site.id)) outcome = masked_->OnLeft(site.id);
  }
  TakeOutcome(std::move(outcome));
  return {};
}

// The attempt is over before the round hears of it: the round may begin the next one at once.
void TrainingRun::TakeOutcome(std::optional<MaskedAttempt::Outcome> outcome) {
  if (!outcome) return;
  const QueryName name = masked_->name();
  masked_.reset();
  std::optional<CoordinatorRound::Action> action;
  if (auto* opened = std::get_if<MaskedAttempt::Opened>(&*outcome)) {
    worker_losses_ = 0;
    action = round_->OnOpened(name, opened->survivors, std::move(opened->sum));
  } else {
    auto& failed = std::get<MaskedAttempt::NotOpened>(*outcome);
    ports_.log.Warning(
        "sum_not_opened",
        {{"run", RunIdText(run())}, {"query", name.query}, {"attempt", name.attempt}, {"reason", failed.reason}});
    action = round_->OnNotOpened(name, failed.answered, std::move(failed.reason));
  }
  if (action) Do(std::move(*action));
}

void TrainingRun::OnStep(const std::string& site, const QueryName& name, ByteView payload) {
  silent_.erase(site);
  if (masked_) TakeOutcome(masked_->OnStep(site, name, payload));
}

void TrainingRun::OnChunk(const std::string& site, const AggregationChunk& chunk, ByteView words) {
  silent_.erase(site);
  if (masked_) TakeOutcome(masked_->OnChunk(site, chunk, words));
}

void TrainingRun::AdvanceMasked(double seconds) {
  if (masked_->phase() != secure_agg::ServerPhase::kAdvertise) {
    const bool last = masked_->phase_seconds() + seconds >= masked_->phase_limit();
    if (last && masked_->phase() == secure_agg::ServerPhase::kMaskedInput) {
      for (const std::string& site : masked_->Missing()) silent_.insert(site);
    }
    return TakeOutcome(masked_->Tick(seconds));
  }
  const auto reachable =
      std::ranges::count_if(masked_->Missing(), [&](const std::string& site) { return ports_.sites.connected(site); });
  const bool short_of_sites = masked_->began() + static_cast<std::size_t>(reachable) < AnswersNeeded(*record_.plan);
  if (short_of_sites != short_of_sites_) phase_since_unix_ = ports_.clock.UnixSeconds();
  short_of_sites_ = short_of_sites;
  if (short_of_sites) return;
  if (masked_->phase_seconds() + seconds >= masked_->phase_limit()) {
    for (const std::string& site : masked_->Missing()) silent_.insert(site);
  }
  TakeOutcome(masked_->Tick(seconds));
}

void TrainingRun::DescribeMasked(TrainingWait& wait) const {
  wait.kind = short_of_sites_ ? WaitKind::kQuorum : WaitKind::kAnswers;
  wait.detail = fmt::format("masked sum: {}", secure_agg::ServerPhaseName(masked_->phase()));
  wait.sites = masked_->Missing();
  if (short_of_sites_) {
    std::erase_if(wait.sites, [&](const std::string& site) { return ports_.sites.connected(site); });
  }
  wait.query = masked_->name().query;
  wait.attempt = masked_->name().attempt;
  wait.elapsed_seconds = masked_->phase_seconds();
  wait.deadline_seconds = masked_->phase_limit();
  const bool uploading = masked_->phase() >= secure_agg::ServerPhase::kMaskedInput;
  wait.answers = static_cast<std::uint32_t>(uploading ? masked_->uploaded() : 0);
  wait.answers_needed = AnswersNeeded(*record_.plan);
}

}  // namespace synod
