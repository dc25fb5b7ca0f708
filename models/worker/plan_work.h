// What a worker does with plans before anything runs: resolve, review. Takes seconds each; no records.
#pragma once

#include "models/worker/worker_messages.h"

namespace synod {

// Refused unless the worker can run a plan with this aggregation: only `none`, where each answer carries the whole
// noise.
Status CheckAggregation(Aggregation aggregation);

Result<ResolveReply> ResolveOffer(const ResolveRequest& request);

// An offer that does not hold is a reply that says so, never an error. The explanation is empty where the offer's plan
// cannot be read.
Result<ReviewReply> ReviewOffer(const ReviewRequest& request);

}  // namespace synod
