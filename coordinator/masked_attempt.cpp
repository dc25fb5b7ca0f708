#include "coordinator/masked_attempt.h"

#include <algorithm>
#include <limits>

#include "common/privacy/ledger_witness.h"
#include "coordinator/run_record.h"
#include "secure_agg/codec.h"

namespace synod {

using secure_agg::ServerAction;
using secure_agg::ServerActions;
using secure_agg::ServerPhase;
using secure_agg::SiteIndex;

namespace {

constexpr unsigned kUnmaskThreads = 1;  // the loop's own: others would compete with the trainer

Envelope StepOf(const QueryName& name, const secure_agg::CoordinatorMessage& message) {
  return {AggregationStep{name}, std::make_shared<const Bytes>(secure_agg::Encode(message))};
}

// A site may state nothing; what it states is heads of ledgers, which its peers shall be able to read.
bool StatesWhatCanBeRead(const secure_agg::Advertisement& advertisement) {
  return advertisement.statement.empty() || DecodeWitnessStatement(advertisement.statement).ok();
}

}  // namespace

MaskedAttempt::MaskedAttempt(std::shared_ptr<const secure_agg::AttemptSetup> setup, double query_seconds, Ports ports)
    : setup_(setup), attempt_(std::move(setup)), query_seconds_(query_seconds), ports_(std::move(ports)) {}

std::optional<MaskedAttempt::Outcome> MaskedAttempt::Start() {
  return Do(attempt_.Start());
}

std::optional<MaskedAttempt::Outcome> MaskedAttempt::OnStep(const std::string& site, const QueryName& name,
                                                            ByteView payload) {
  const std::optional<SiteIndex> from = setup_->IndexOf(site);
  if (!from || name != setup_->name()) return std::nullopt;
  const Result<secure_agg::SiteMessage> message = secure_agg::DecodeSiteMessage(payload);
  if (!message.ok() || message->name != name) {
    ports_.log.Warning(
        "bad_step", {{"site", site},
                     {"reason", message.ok() ? "it is of another attempt than its header" : message.error().message}});
    return OnLeft(site);
  }
  if (const auto* advertisement = std::get_if<secure_agg::Advertisement>(&message->body)) {
    if (!StatesWhatCanBeRead(*advertisement)) {
      LogExcluded(*from, secure_agg::BlameReason::kMalformed);
      return OnLeft(site);
    }
    began_.emplace(site, ports_.sites.Link(site).instance);
  }
  // An upload's end is the site's word that it charged the answer.
  if (std::holds_alternative<secure_agg::UploadEnd>(message->body)) uploaded_.insert(site);
  return Do(attempt_.OnMessage(*from, *message));
}

std::optional<MaskedAttempt::Outcome> MaskedAttempt::OnChunk(const std::string& site, const AggregationChunk& chunk,
                                                             ByteView words) {
  const std::optional<SiteIndex> from = setup_->IndexOf(site);
  if (!from || chunk.name != setup_->name()) return std::nullopt;
  still_[site] = 0.0;
  return Do(attempt_.OnChunk(*from, {chunk.name, chunk.index, words}));
}

std::optional<MaskedAttempt::Outcome> MaskedAttempt::OnLeft(const std::string& site) {
  const std::optional<SiteIndex> left = setup_->IndexOf(site);
  if (!left) return std::nullopt;
  return Do(attempt_.OnSiteLeft(*left));
}

std::optional<MaskedAttempt::Outcome> MaskedAttempt::OnConnected(const std::string& site) {
  const std::optional<SiteIndex> index = setup_->IndexOf(site);
  const auto began = began_.find(site);
  if (!index || began == began_.end()) return std::nullopt;
  // Another process than the one that advertised: keys and masks are gone.
  if (began->second != ports_.sites.Link(site).instance) return OnLeft(site);
  return Do(attempt_.OnReconnect(*index));
}

bool MaskedAttempt::WantsQuery(const std::string& site) const {
  if (attempt_.ended() || attempt_.phase() != ServerPhase::kAdvertise || began_.contains(site)) return false;
  const std::vector<SiteIndex> missing = attempt_.Missing();
  const std::optional<SiteIndex> index = setup_->IndexOf(site);
  return index && std::find(missing.begin(), missing.end(), *index) != missing.end();
}

double MaskedAttempt::phase_limit() const {
  const ServerPhase phase = attempt_.phase();
  const bool of_query = phase == ServerPhase::kAdvertise || phase == ServerPhase::kMaskedInput;
  return of_query ? query_seconds_ : kStepSeconds;
}

double MaskedAttempt::seconds_left() const {
  const double steps = 3.0 * kStepSeconds + query_seconds_;
  return attempt_.phase() == ServerPhase::kAdvertise ? std::max(0.0, query_seconds_ - elapsed_) + steps : steps;
}

std::vector<std::string> MaskedAttempt::NamesOf(const std::vector<SiteIndex>& sites) const {
  std::vector<std::string> names;
  names.reserve(sites.size());
  for (const SiteIndex site : sites) names.push_back(setup_->id_of(site));
  return names;
}

std::vector<std::string> MaskedAttempt::Missing() const {
  if (attempt_.ended()) return {};
  return NamesOf(attempt_.Missing());
}

bool MaskedAttempt::IsWaitedFor(const std::string& site) const {
  // Before a site begins, nothing is lost by its absence: it is waited for as long as the caller wants.
  if (attempt_.phase() == ServerPhase::kAdvertise) {
    return !ports_.silent(site) && ports_.sites.AbsentSeconds(site) < query_seconds_;
  }
  return ports_.sites.AbsentSeconds(site) < kReturnSeconds;
}

std::optional<MaskedAttempt::Outcome> MaskedAttempt::EndPhaseIfNobodyIsWaitedFor() {
  if (attempt_.ended()) return std::nullopt;
  const ServerPhase phase = attempt_.phase();
  // Too few to begin: whoever is away may come, and nothing has been charged.
  if (phase == ServerPhase::kAdvertise && began_.size() < setup_->least_survivors()) return std::nullopt;
  const std::vector<std::string> missing = Missing();
  if (missing.empty() || std::any_of(missing.begin(), missing.end(), [&](const auto& s) { return IsWaitedFor(s); })) {
    return std::nullopt;
  }
  return Do(attempt_.OnPhaseDeadline());
}

void MaskedAttempt::WatchUploads(double seconds, ServerActions& actions) {
  for (const SiteIndex site : attempt_.Uploading()) {
    double& still = still_[setup_->id_of(site)];
    still += seconds;
    if (still < kStallSeconds) continue;
    still = 0.0;
    for (ServerAction& action : attempt_.OnUploadStalled(site)) actions.push_back(std::move(action));
  }
}

std::optional<MaskedAttempt::Outcome> MaskedAttempt::Tick(double seconds) {
  if (attempt_.ended()) return std::nullopt;
  elapsed_ += seconds;
  ServerActions actions;
  if (attempt_.phase() == ServerPhase::kMaskedInput) WatchUploads(seconds, actions);
  if (std::optional<Outcome> outcome = Do(std::move(actions))) return outcome;
  if (attempt_.ended() || elapsed_ < phase_limit()) return std::nullopt;
  return Do(attempt_.OnPhaseDeadline());
}

MaskedAttempt::NotOpened MaskedAttempt::EndWithout(const secure_agg::Failure& failure) const {
  return {{uploaded_.begin(), uploaded_.end()}, secure_agg::Describe(failure, *setup_)};
}

void MaskedAttempt::LogExcluded(SiteIndex site, secure_agg::BlameReason reason) const {
  ports_.log.Warning("site_excluded", {{"run", RunIdText(setup_->name().run)},
                                       {"query", setup_->name().query},
                                       {"attempt", setup_->name().attempt},
                                       {"site", setup_->id_of(site)},
                                       {"reason", secure_agg::BlameReasonName(reason)}});
}

std::optional<MaskedAttempt::Outcome> MaskedAttempt::Do(ServerActions actions) {
  std::optional<Outcome> outcome;
  bool open = false;
  for (ServerAction& action : actions) {
    if (const auto* send = std::get_if<secure_agg::SendToSite>(&action)) {
      ports_.to_site(setup_->id_of(send->site), StepOf(setup_->name(), *send->message));
    } else if (std::holds_alternative<secure_agg::PhaseBegan>(action)) {
      elapsed_ = 0.0;
      still_.clear();
    } else if (const auto* blamed = std::get_if<secure_agg::Blamed>(&action)) {
      LogExcluded(blamed->blame.site, blamed->blame.reason);
    } else if (std::holds_alternative<secure_agg::ReadyToOpen>(action)) {
      open = true;
    } else if (auto* opened = std::get_if<secure_agg::Opened>(&action)) {
      outcome.emplace(Opened{NamesOf(opened->survivors), std::move(opened->sum)});
    } else if (const auto* failure = std::get_if<secure_agg::Failure>(&action)) {
      outcome.emplace(EndWithout(*failure));
    }
  }
  if (open) return Do(attempt_.Open(kUnmaskThreads));
  if (!outcome) return EndPhaseIfNobodyIsWaitedFor();
  return outcome;
}

}  // namespace synod
