// A federation whose run trains while a test does something bad to it; afterwards the run must be whole.
#pragma once

#include "tests/federation/federation.h"

namespace synod::testing {

// A run of at least two and a half seconds: the sites' answers leave at the ends of slots.
FederationOptions LongRun();

class TrainingFederation {
 public:
  explicit TrainingFederation(const FederationOptions& options = LongRun()) : federation(options) {}

  // Starts what does not run yet, submits a run and waits for its first answered query.
  void Begin();
  void WaitUntilItTrains();
  // The run is published and complete, its file verifies, and everybody is still there. Tells how many queries were
  // answered while the bad thing went on.
  void ExpectPublishedAndComplete();
  std::uint64_t QueriesDone() const;

  Federation federation;
  std::string run;
};

}  // namespace synod::testing
