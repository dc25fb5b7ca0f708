// The part of a site's round that touches records: draws the units of a query, sums, rounds, adds noise. Runs in the
// worker; what comes out is a NoisedSum or nothing. Whether the query may be answered at all, and the charge, are the
// daemon's (site_agent/site_round.h).
//
// Nothing that a caller can see depends on rows except through the noised sum.
// Threads: one at a time; `threads` of noise run inside.
#pragma once

#include <memory>

#include "common/crypto/secret_streams.h"
#include "common/data/unit_table.h"
#include "common/privacy/plan.h"
#include "common/query/keyed_blocks.h"
#include "common/query/sums.h"
#include "models/family.h"

namespace synod {

class SiteComputer {
 public:
  struct Setup {
    std::shared_ptr<const Plan> plan;
    RunId run;
    std::shared_ptr<const UnitTable> units;
    unsigned threads = 1;
  };

  // Contribution and streams must outlive it.
  SiteComputer(Setup setup, Contribution& contribution, SecretStreams& streams);

  // BadInput if the query is malformed or not one of the plan's entries; never because of a record.
  Result<NoisedSum> Answer(const Query& query, const QueryName& name);

 private:
  Setup setup_;
  Contribution& contribution_;
  SecretStreams& streams_;
  KeyedBlocks blocks_;
};

}  // namespace synod
