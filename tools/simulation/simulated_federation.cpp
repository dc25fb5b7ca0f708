#include "tools/simulation/simulated_federation.h"

#include <fmt/format.h>

#include <deque>

#include "common/artefact/certify.h"
#include "common/core/version.h"
#include "coordinator/coordinator_round.h"
#include "models/family_table.h"
#include "site_agent/site_round.h"

namespace synod {
namespace {

// What a site needs for a run, in the order of construction.
struct SimulatedSite {
  std::string name;
  InMemoryLedgerStore store;
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<Contribution> contribution;
  std::unique_ptr<SiteRound> round;
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
  site->name = resolved.run.plan->facts().roster[index].id;
  SYNOD_ASSIGN_OR_RETURN(Ledger ledger, Ledger::Open(site->store));
  site->ledger = std::make_unique<Ledger>(std::move(ledger));
  SecretRandom random = ports.random(index);
  SYNOD_ASSIGN_OR_RETURN(site->contribution,
                         ports.compute.MakeContribution(resolved.run, units, random.Fork("synod.contribution", 0)));
  SiteRound::Setup setup{resolved.run.plan, run, RandomName<DatasetId>(random), std::move(units), ports.threads};
  site->round = std::make_unique<SiteRound>(std::move(setup), *site->contribution, *site->ledger, std::move(random));
  return site;
}

std::optional<CoordinatorRound::Action> Deliver(CoordinatorRound& round, const SimulatedSite& site,
                                                const QueryName& name, SiteRound::Reply reply) {
  if (auto* share = std::get_if<NoisedSum>(&reply)) return round.OnAnswer(site.name, name, std::move(*share));
  if (auto* sum = std::get_if<StandaloneSum>(&reply)) return round.OnAnswer(site.name, name, std::move(*sum));
  return round.OnRefusal(site.name, name, std::get<RefusalReason>(reply));
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

// Drives the round until it finishes: each ask goes to every site, each reply goes back, in order.
Status Drive(CoordinatorRound& round, const std::vector<std::unique_ptr<SimulatedSite>>& sites, const Plan& plan,
             const Trainer& trainer, const SimulationPorts& ports) {
  std::deque<CoordinatorRound::Action> actions;
  actions.push_back(round.Start());
  while (!actions.empty()) {
    CoordinatorRound::Action action = std::move(actions.front());
    actions.pop_front();
    if (const auto* gave_up = std::get_if<CoordinatorRound::GaveUp>(&action)) {
      // The sites' own reasons name what a refusal only classes.
      for (const auto& site : sites) {
        if (site->round->last_error()) return gave_up->error.Within(site->round->last_error()->message);
      }
      return gave_up->error;
    }
    const auto* ask = std::get_if<CoordinatorRound::Ask>(&action);
    if (ask == nullptr) return {};
    for (const auto& site : sites) {
      std::optional<CoordinatorRound::Action> next =
          Deliver(round, *site, ask->name, site->round->Answer(*ask->query, ask->name));
      if (next) actions.push_back(std::move(*next));
    }
    ports.on_news(NewsOf(round, plan, trainer));
  }
  return Failed("the simulated federation stopped without a result");
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
  CoordinatorRound round(resolved.run.plan, run, {*trainer, coordinator_ledger, sums});
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
