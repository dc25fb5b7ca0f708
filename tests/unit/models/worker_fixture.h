// A worker without a process, as the tests ask it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "models/worker/worker.h"
#include "tests/support/seeded_streams.h"
#include "tests/unit/models/worker_world.h"

namespace synod::testing {

inline const RunId kRun{{4, 2}};

inline Result<ComputeModule*> NoModule() {
  return Failed("there is no LibTorch here");
}

// A worker of one site, or of the coordinator, whose streams repeat.
struct TestWorker {
  explicit TestWorker(std::string site, LoadCompute load_compute = &NoModule)
      : streams(1, std::move(site)), worker(streams, 1, std::move(load_compute)) {}
  SeededStreams streams;
  Worker worker;

  template <typename Reply>
  Reply Ask(const WorkerRequest& request) {
    const WorkerReply reply = worker.Handle(request);
    const auto* wanted = std::get_if<Reply>(&reply);
    if (wanted == nullptr) ADD_FAILURE() << "another reply: " << ErrorOf(reply).message;
    return wanted != nullptr ? *wanted : Reply{};
  }
  static Error ErrorOf(const WorkerReply& reply) {
    const auto* failed = std::get_if<FailedReply>(&reply);
    return failed != nullptr ? failed->error : Error{ErrorCode::kInternal, "not failed", ""};
  }
  Error FailureOf(const WorkerRequest& request) { return ErrorOf(worker.Handle(request)); }
};

inline RunOffer OfferOf(const std::string& model) {
  return TestWorker("coordinator").Ask<ResolveReply>(WardResolve(WardSpecification(model))).offer;
}

inline const RunOffer& WardOffer() {
  static const RunOffer kOffer = TestWorker("coordinator").Ask<ResolveReply>(WardResolve()).offer;
  return kOffer;
}

inline Plan PlanOf(const RunOffer& offer) {
  return Plan::FromCanonicalText(offer.plan).value();
}

}  // namespace synod::testing
