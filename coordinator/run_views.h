// What people see of runs and sites, as JSON: the one form for the command line and the console.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/consortium/manifest.h"
#include "common/core/canonical_json.h"
#include "coordinator/run_record.h"
#include "coordinator/site_book.h"
#include "coordinator/wait_reason.h"

namespace synod {

// Progress of the run that trains; public, from noisy sums and counts alone.
struct TrainingProgress {
  std::uint64_t queries_done = 0;
  std::uint64_t queries_planned = 0;  // retries included
  std::uint64_t queries_needed = 0;   // without them
  std::vector<std::uint64_t> used;    // answers charged of each entry of the plan
  std::string entry;                  // name of the open query's entry
  std::optional<double> loss;
  std::optional<double> clipped_fraction;
  double queries_per_second = 0.0;  // of the last minute; 0: not known
};

struct RunSight {
  const RunRecord& record;
  const SiteBook& sites;
  std::vector<WaitReason> waits;
  std::optional<TrainingProgress> progress;
};

// One line of a list.
Json RunLine(const RunSight& sight);
// All of it but the long texts.
Json RunView(const RunSight& sight);
// Members with the role of a site, and their links.
Json SiteListView(const Manifest& manifest, const Revocations& revocations, const SiteBook& sites);

}  // namespace synod
