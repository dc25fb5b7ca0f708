#include "site_agent/site_round.h"

#include "common/core/check.h"
#include "common/query/grid.h"
#include "common/query/noise_share.h"
#include "common/query/poisson_sampler.h"

namespace synod {
namespace {

std::vector<std::uint64_t> IdsOf(const UnitTable& units) {
  std::vector<std::uint64_t> ids;
  ids.reserve(units.size());
  for (std::size_t unit = 0; unit < units.size(); ++unit) ids.push_back(units.id(unit));
  return ids;
}

}  // namespace

SiteRound::SiteRound(Setup setup, Contribution& contribution, Ledger& ledger, SecretRandom random)
    : setup_(std::move(setup)),
      contribution_(contribution),
      ledger_(ledger),
      random_(std::move(random)),
      // A site may have been away for earlier attempts: each still has its own name and its own charge.
      guard_(*setup_.plan, setup_.run, setup_.dataset, BudgetGuard::Attempts::kIncreasing),
      blocks_(IdsOf(*setup_.units), random_) {
  SYNOD_CHECK(setup_.plan->facts().aggregation != Aggregation::kSecure, "masked answers have a path of their own");
}

SiteRound::Reply SiteRound::Refuse(RefusalReason reason, Error error) {
  last_error_ = std::move(error);
  return reason;
}

SiteRound::Reply SiteRound::Answer(const Query& query, const QueryName& name) {
  last_error_.reset();
  const auto& entries = setup_.plan->entries();
  if (query.entry >= entries.size() || entries[query.entry].kind != query.kind || name.query != query.index) {
    return Refuse(RefusalReason::kOutsidePlan, Refused("a query is not one of the plan's entries"));
  }
  if (const Status admitted = guard_.Admit(query.entry, name); !admitted.ok()) {
    const bool exhausted = admitted.error().code == ErrorCode::kBudgetExhausted;
    return Refuse(exhausted ? RefusalReason::kOutsidePlan : RefusalReason::kReplayed, admitted.error());
  }
  Result<NoisedSum> noised = NoisedAnswer(query, entries[query.entry]);
  if (!noised.ok()) return Refuse(RefusalReason::kMalformed, noised.error());
  const Result<SpendPermit> permit = guard_.Reserve(query.entry, name, ledger_);
  if (!permit.ok()) return Refuse(RefusalReason::kLedgerUnavailable, permit.error());
  if (setup_.plan->facts().aggregation == Aggregation::kNone) return StandaloneSum(std::move(noised).value());
  return std::move(noised).value();
}

Result<NoisedSum> SiteRound::NoisedAnswer(const Query& query, const PlanEntry& entry) {
  SYNOD_ASSIGN_OR_RETURN(const SamplingRate rate, SamplingRate::FromDouble(entry.sampling_rate));
  const PoissonSampler sampler(rate);
  SecretRandom sampling = random_.Fork("synod.sampling", query.index);
  const std::vector<std::uint32_t> drawn = sampler.Draw(sampling, static_cast<std::uint32_t>(setup_.units->size()));

  // The number of blocks follows from public numbers: the plan's units spread evenly over its sites.
  const double expected =
      entry.sampling_rate * static_cast<double>(setup_.plan->facts().units) / static_cast<double>(setup_.plan->sites());
  const std::uint32_t units_per_block = contribution_.UnitsPerBlock(query);
  const BlockedBatch batch = blocks_.Group(drawn, KeyedBlocks::LeadingBits(expected, units_per_block), units_per_block);

  SYNOD_ASSIGN_OR_RETURN(ClippedSum sum, contribution_.Sum(query, batch));
  if (sum.dimension() != entry.dimension) return BadInput("a query asks for a sum of another length than its entry");
  SYNOD_ASSIGN_OR_RETURN(const Grid grid, Grid::Make(entry.grid_scale, entry.clip, entry.dimension));
  const std::uint32_t shares = setup_.plan->honest_shares();
  SYNOD_ASSIGN_OR_RETURN(const NoiseShare share, NoiseShare::Make(grid, entry.site_variance, shares));
  SecretRandom noise = random_.Fork("synod.noise", query.index);
  return share.Add(grid.Encode(std::move(sum)), noise, setup_.threads);
}

}  // namespace synod
