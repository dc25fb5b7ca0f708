#include "tools/simulation/simulated_federation.h"

#include <fmt/format.h>

#include <optional>

#include "common/artefact/certify.h"
#include "common/core/check.h"
#include "common/core/version.h"
#include "coordinator/coordinator_round.h"
#include "models/family_table.h"
#include "models/worker/site_computer.h"
#include "site_agent/site_round.h"

namespace synod {
namespace {

// A simulation never asks for the same answer again.
class ForgetfulAnswerStore final : public AnswerStore {
 public:
  void Stage(const QueryName&, Bytes) override {}
  Result<std::optional<Bytes>> StoredAnswer(const QueryName&) const override { return std::optional<Bytes>(); }
  Status Forget(std::uint32_t) override { return {}; }
};

// What a site needs for a run, in the order of construction.
struct SimulatedSite {
  std::string name;
  WordBits word_bits(std::uint32_t entry) const {
    return plan->entries()[entry].word_bits == 32 ? WordBits::k32 : WordBits::k64;
  }

  std::shared_ptr<const Plan> plan;
  InMemoryLedgerStore store;
  std::unique_ptr<Ledger> ledger;
  ForgetfulAnswerStore answers;
  std::unique_ptr<SecretStreams> streams;
  std::unique_ptr<Contribution> contribution;
  std::unique_ptr<SiteComputer> computer;
  std::optional<SiteRound> round;
  std::optional<Error> computing_error;  // of the last query
};

// Ids of a run and of data sets: random, never a digest of content.
template <typename Id>
Id RandomName(SecretRandom& random) {
  Id id;
  random.Fill(id.bytes);
  return id;
}

Result<std::unique_ptr<SimulatedSite>> MakeSite(const ResolvedRun& resolved, RunId run, std::size_t index,
                                                std::shared_ptr<const UnitTable> units, const SimulationPorts& ports) {
  auto site = std::make_unique<SimulatedSite>();
  site->plan = resolved.run.plan;
  site->name = site->plan->facts().roster[index].id;
  SYNOD_ASSIGN_OR_RETURN(Ledger ledger, Ledger::Open(site->store));
  site->ledger = std::make_unique<Ledger>(std::move(ledger));
  site->streams = ports.streams(index);
  SYNOD_ASSIGN_OR_RETURN(
      site->contribution,
      MakeContribution(resolved.run, units, site->streams->ForRun("synod.contribution", run), ports.load_compute));
  SiteComputer::Setup setup{site->plan, run, std::move(units), ports.threads};
  site->computer = std::make_unique<SiteComputer>(std::move(setup), *site->contribution, *site->streams);
  SecretRandom names = SecretRandom::FromOperatingSystem();
  SYNOD_ASSIGN_OR_RETURN(SiteRound round, SiteRound::Begin({site->plan, run, RandomName<DatasetId>(names)},
                                                           *site->ledger, site->answers, {}));
  site->round.emplace(std::move(round));
  return site;
}

// One ask to one site, and what comes back to the coordinator.
std::optional<CoordinatorRound::Action> AskSite(CoordinatorRound& round, SimulatedSite& site,
                                                const CoordinatorRound::Ask& ask) {
  site.computing_error.reset();
  SiteRound::Action action = site.round->OnQuery(ask.query, ask.name);
  std::optional<NoisedSum> share;
  if (std::holds_alternative<SiteRound::Compute>(action)) {
    Result<NoisedSum> computed = site.computer->Answer(*ask.query, ask.name);
    if (!computed.ok()) {
      site.computing_error = computed.error();
      action = site.round->OnMalformed(ask.name);
    } else if (site.plan->facts().aggregation == Aggregation::kSecure) {
      if (const Result<SpendPermit> permit = site.round->Charge(ask.name); !permit.ok()) {
        return round.OnRefusal(site.name, ask.name, RefusalReason::kLedgerUnavailable);
      }
      return round.OnAnswer(site.name, ask.name, std::move(*computed));
    } else if (site.plan->facts().aggregation == Aggregation::kCurator) {
      share.emplace(std::move(*computed));
      action = site.round->OnComputed(ask.name, {});
    } else {
      const StandaloneSum sum(std::move(*computed));
      action = site.round->OnComputed(ask.name, sum.Encode(site.word_bits(ask.query->entry)));
    }
  }
  if (const auto* refused = std::get_if<SiteRound::Refuse>(&action)) {
    return round.OnRefusal(site.name, ask.name, refused->reason);
  }
  // Only what was charged goes on.
  SYNOD_CHECK(std::holds_alternative<SiteRound::Send>(action), "a query is computed at once");
  if (share) return round.OnAnswer(site.name, ask.name, std::move(*share));
  return round.OnAnswer(site.name, ask.name, ByteView(*std::get<SiteRound::Send>(action).answer));
}

// The sites' own reasons name what a refusal only classes.
Error WithReasonOfASite(const Error& error, const std::vector<std::unique_ptr<SimulatedSite>>& sites) {
  for (const auto& site : sites) {
    if (site->computing_error) return error.Within(site->computing_error->message);
    if (site->round->last_error()) return error.Within(site->round->last_error()->message);
  }
  return error;
}

SimulationNews NewsOf(const CoordinatorRound& round, const Plan& plan, const Trainer& trainer) {
  SimulationNews news;
  news.used = round.used();
  // Charged is what was asked, the open query included; done is what was closed.
  const std::vector<std::uint64_t> done = round.participation().UsedOfEntries(news.used.size());
  for (std::size_t e = 0; e < news.used.size(); ++e) {
    news.queries_done += done[e];
    news.queries_planned += plan.entries()[e].allowed();
  }
  news.training = trainer.news();
  return news;
}

CoordinatorRound::Action TrainNow(CoordinatorRound& round, Trainer& trainer, const CoordinatorRound::Train& train) {
  if (train.sum != nullptr) {
    if (Status absorbed = trainer.Absorb(*train.answered, *train.sum); !absorbed.ok()) {
      return round.OnTrainingFailed(absorbed.error());
    }
  }
  return round.OnTrained(trainer.Next(train.left));
}

// Drives the round until it finishes: each ask goes to every site, each reply goes back, in order.
Status Drive(CoordinatorRound& round, const std::vector<std::unique_ptr<SimulatedSite>>& sites, const Plan& plan,
             Trainer& trainer, const SimulationPorts& ports) {
  CoordinatorRound::Action action = round.Start();
  while (true) {
    if (std::holds_alternative<CoordinatorRound::Finished>(action)) return {};
    if (const auto* gave_up = std::get_if<CoordinatorRound::GaveUp>(&action)) {
      return WithReasonOfASite(gave_up->error, sites);
    }
    if (const auto* train = std::get_if<CoordinatorRound::Train>(&action)) {
      const bool answered = train->sum != nullptr;
      action = TrainNow(round, trainer, *train);
      if (answered) ports.on_news(NewsOf(round, plan, trainer));
      continue;
    }
    const CoordinatorRound::Ask ask = std::get<CoordinatorRound::Ask>(action);
    std::optional<CoordinatorRound::Action> next;
    for (const auto& site : sites) {
      SYNOD_CHECK(!next, "a query ends with the reply of the last site");
      next = AskSite(round, *site, ask);
    }
    if (!next) return Failed("the simulated federation stopped without a result");
    action = std::move(*next);
  }
}

Result<GeneratorFile> MakeFile(const ResolvedRun& resolved, RunId run, GeneratorModel model,
                               const Participation& participation, const Clock& clock) {
  GeneratorContent content{*resolved.run.schema,       *resolved.run.plan,     std::move(model.family),
                           std::move(model.options),   std::move(model.state), model.layout.Hash(),
                           std::move(model.parameters)};
  CertificateRequest request;
  request.kind = CertificateClass::kSimulation;
  request.run = run;
  request.participation = participation;
  SYNOD_ASSIGN_OR_RETURN(request.content_digest, ContentDigest(content));
  request.software_version = kVersion;
  request.created_unix = clock.UnixSeconds();
  request.float_error = FloatError::kMeasured;
  SYNOD_ASSIGN_OR_RETURN(const Certificate certificate, Certify(*resolved.run.plan, std::move(request)));
  SYNOD_ASSIGN_OR_RETURN(const GeneratorDraft draft, GeneratorDraft::Create(content, certificate));
  return draft.Finish(std::nullopt, {});
}

}  // namespace

Result<GeneratorFile> SimulateFederation(const ResolvedRun& resolved,
                                         const std::vector<std::shared_ptr<const UnitTable>>& site_units,
                                         const SimulationPorts& ports) {
  const Plan& plan = *resolved.run.plan;
  if (site_units.size() != plan.sites()) {
    return BadInput(fmt::format("the plan has {} sites and there are {} tables", plan.sites(), site_units.size()));
  }
  SecretRandom names = SecretRandom::FromOperatingSystem();
  const auto run = RandomName<RunId>(names);
  std::vector<std::unique_ptr<SimulatedSite>> sites;
  for (std::size_t i = 0; i < site_units.size(); ++i) {
    SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<SimulatedSite> site, MakeSite(resolved, run, i, site_units[i], ports));
    sites.push_back(std::move(site));
  }
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<Trainer> trainer, MakeTrainer(resolved.run));
  InMemoryLedgerStore coordinator_store;
  SYNOD_ASSIGN_OR_RETURN(Ledger coordinator_ledger, Ledger::Open(coordinator_store));
  ForgetfulRoundStore sums;
  CoordinatorRound round(resolved.run.plan, run, {coordinator_ledger, sums});
  SYNOD_RETURN_IF_ERROR(Drive(round, sites, plan, *trainer, ports));
  SYNOD_ASSIGN_OR_RETURN(GeneratorModel model, trainer->Finish());
  return MakeFile(resolved, run, std::move(model), round.participation(), ports.clock);
}

std::vector<Table> SplitByPosition(const Table& table, std::uint32_t sites) {
  std::vector<Table> parts;
  for (std::uint32_t site = 0; site < sites; ++site) {
    std::vector<std::size_t> rows;
    for (std::size_t row = table.rows() * site / sites; row < table.rows() * (site + 1) / sites; ++row) {
      rows.push_back(row);
    }
    parts.push_back(table.Select(rows));
  }
  return parts;
}

Result<std::vector<Table>> SplitByColumn(const Table& table, const std::string& column) {
  const auto& columns = table.schema().columns();
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].name != column || columns[c].is_numeric()) continue;
    std::vector<std::vector<std::size_t>> rows(columns[c].values.size());
    for (std::size_t row = 0; row < table.rows(); ++row) {
      if (!table.IsMissing(c, row)) rows[table.column(c).codes[row]].push_back(row);
    }
    std::vector<Table> parts;
    for (const std::vector<std::size_t>& own : rows) {
      if (!own.empty()) parts.push_back(table.Select(own));
    }
    return parts;
  }
  return BadInput(fmt::format("there is no categorical column \"{}\" to split by", column),
                  "name a categorical or binary column of the schema");
}

}  // namespace synod
