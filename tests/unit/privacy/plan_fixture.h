// A small plan that the tests change and attack.
#pragma once

#include "common/privacy/plan_resolve.h"

namespace synod::testing {

// Four sites, secure aggregation, one histogram and 50 training steps.
inline PlanRequest SmallPlanRequest() {
  PlanRequest request;
  PlanFacts& facts = request.facts;
  facts.name = "small";
  for (const char* id : {"site-a", "site-b", "site-c", "site-d"}) {
    RosterSite site;
    site.id = id;
    site.key_fingerprint.fill(static_cast<std::uint8_t>(id[5]));
    facts.roster.push_back(site);
  }
  facts.threshold = 3;
  facts.max_colluding = 1;
  facts.quorum = 3;
  facts.delta = 1e-5;
  facts.epsilon_target = 3.0;
  facts.units = 20000;
  facts.model_family = "table_test";
  facts.schema_hash.fill(1);
  facts.model_hash.fill(2);
  facts.layout_hash.fill(3);
  facts.aggregation = Aggregation::kSecure;
  EntryRequest histogram;
  histogram.name = "histograms";
  histogram.kind = QueryKind::kHistogram;
  histogram.dimension = 40;
  histogram.parts = {{"age", 1.0}, {"sex", 1.0}, {"stay", 1.0}};
  histogram.budget_share = 0.1;
  EntryRequest training;
  training.name = "training";
  training.kind = QueryKind::kGradient;
  training.count = 50;
  training.dimension = 1000;
  training.sampling_rate = 0.01;
  training.parts = {{"gradient", 1.0}, {"loss", 0.05}};
  request.entries = {histogram, training};
  return request;
}

}  // namespace synod::testing
