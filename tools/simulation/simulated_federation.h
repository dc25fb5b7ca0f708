// A whole federation in one process: one CoordinatorRound, its trainer, and N sites of one SiteRound and SiteComputer
// each, over a queue. The same classes as the daemons drive, without network; every site has a ledger in memory that
// goes away with the process, so no site's real budget is charged: the certificate has the class `simulation`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/artefact/generator_file.h"
#include "common/core/clock.h"
#include "common/crypto/secret_streams.h"
#include "common/data/unit_table.h"
#include "models/family_table.h"
#include "models/module/compute_module.h"
#include "models/run_plan.h"

namespace synod {

// One query was answered.
struct SimulationNews {
  std::uint64_t queries_done = 0;
  std::uint64_t queries_planned = 0;
  TrainingNews training;
  std::vector<std::uint64_t> used;  // answers of each entry that were charged, the open query included
};

struct SimulationPorts {
  LoadCompute load_compute;  // asked only where the family of the run needs LibTorch
  const Clock& clock;
  // The secret streams of each site; the operating system's unless a test gives its own.
  std::function<std::unique_ptr<SecretStreams>(std::size_t site)> streams = [](std::size_t) {
    return std::make_unique<OperatingSystemStreams>();
  };
  std::function<void(const SimulationNews&)> on_news = [](const SimulationNews&) {};
  unsigned threads = 1;
};

// Trains on `site_units` (one table of units a site, in roster order) and makes the file. `run` is the plan's resolved
// run with any aggregation; the shares of a plan with secure aggregation are added up in the clear, which gives what
// the masked sum of all its sites would give.
Result<GeneratorFile> SimulateFederation(const ResolvedRun& resolved,
                                         const std::vector<std::shared_ptr<const UnitTable>>& site_units,
                                         const SimulationPorts& ports);

// The rows of `table` by position: `sites` contiguous parts whose sizes differ by at most one.
std::vector<Table> SplitByPosition(const Table& table, std::uint32_t sites);
// One part for each value of a categorical column, in the order of its values; empty parts are left out.
Result<std::vector<Table>> SplitByColumn(const Table& table, const std::string& column);

}  // namespace synod
