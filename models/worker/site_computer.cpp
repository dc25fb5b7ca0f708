#include "models/worker/site_computer.h"

#include "common/core/check.h"
#include "common/data/csv_limits.h"
#include "common/query/grid.h"
#include "common/query/noise_share.h"
#include "common/query/poisson_sampler.h"

namespace synod {

static_assert(kCsvMaxRows <= kMostUnits, "no number of units ends a computation");

namespace {

KeyedBlocks BlocksOf(const UnitTable& units, SecretRandom random) {
  std::vector<std::uint64_t> ids;
  ids.reserve(units.size());
  for (std::size_t unit = 0; unit < units.size(); ++unit) ids.push_back(units.id(unit));
  return {ids, random};
}

}  // namespace

SiteComputer::SiteComputer(Setup setup, Contribution& contribution, SecretStreams& streams)
    : setup_(std::move(setup)),
      contribution_(contribution),
      streams_(streams),
      blocks_(BlocksOf(*setup_.units, streams.ForRun("synod.blocks", setup_.run))) {}

Result<NoisedSum> SiteComputer::Answer(const Query& query, const QueryName& name) {
  const auto& entries = setup_.plan->entries();
  if (query.entry >= entries.size() || entries[query.entry].kind != query.kind || name.query != query.index ||
      name.run != setup_.run) {
    return BadInput("a query is not one of the plan's entries");
  }
  const PlanEntry& entry = entries[query.entry];
  SYNOD_ASSIGN_OR_RETURN(const SamplingRate rate, SamplingRate::FromDouble(entry.sampling_rate));
  const PoissonSampler sampler(rate);
  SecretRandom sampling = streams_.ForAttempt("synod.sampling", name);
  const std::vector<std::uint32_t> drawn = sampler.Draw(sampling, static_cast<std::uint32_t>(setup_.units->size()));

  // The number of blocks follows from public numbers: the plan's units spread evenly over its sites.
  const double expected =
      entry.sampling_rate * static_cast<double>(setup_.plan->facts().units) / static_cast<double>(setup_.plan->sites());
  const std::uint32_t units_per_block = contribution_.UnitsPerBlock(query);
  const BlockedBatch batch = blocks_.Group(drawn, KeyedBlocks::BaseBlocks(expected, units_per_block), units_per_block);

  SYNOD_ASSIGN_OR_RETURN(ClippedSum sum, contribution_.Sum(query, batch));
  if (sum.dimension() != entry.dimension) return BadInput("a query asks for a sum of another length than its entry");
  SYNOD_ASSIGN_OR_RETURN(const Grid grid, Grid::Make(entry.grid_scale, entry.clip, entry.dimension));
  const std::uint32_t shares = setup_.plan->honest_shares();
  SYNOD_ASSIGN_OR_RETURN(const NoiseShare share, NoiseShare::Make(grid, entry.site_variance, shares));
  SecretRandom noise = streams_.ForAttempt("synod.noise", name);
  return share.Add(grid.Encode(std::move(sum)), noise, setup_.threads);
}

}  // namespace synod
