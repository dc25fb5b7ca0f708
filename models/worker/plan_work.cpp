#include "models/worker/plan_work.h"

#include <fmt/format.h>

#include "common/privacy/plan_explain.h"
#include "common/privacy/plan_readings.h"

namespace synod {
namespace {

ReviewReply Differs(ReviewReply reply, const Error& error) {
  reply.plan_matches = false;
  reply.difference = error.message;
  return reply;
}

}  // namespace

Status CheckAggregation(Aggregation aggregation) {
  if (aggregation != Aggregation::kCurator) return {};
  return Refused("a plan with a trusted curator is a simulation's: sites of a federation do not answer it");
}

Result<ResolveReply> ResolveOffer(const ResolveRequest& request) {
  ResolveReply reply;
  SYNOD_ASSIGN_OR_RETURN(reply.offer, MakeOffer(request.specification, request.schema, request.roster));
  SYNOD_ASSIGN_OR_RETURN(const Plan plan, Plan::FromCanonicalText(reply.offer.plan));
  SYNOD_ASSIGN_OR_RETURN(const Json explanation, ExplainPlan(plan));
  SYNOD_ASSIGN_OR_RETURN(reply.explanation, CanonicalJsonText(explanation));
  return reply;
}

Result<ReviewReply> ReviewOffer(const ReviewRequest& request) {
  ReviewReply reply;
  const Result<OpenedOffer> opened = OpenOffer(request.offer);
  if (!opened.ok()) return Differs(std::move(reply), opened.error());
  const Plan& plan = *opened->resolved.run.plan;
  reply.parameters = opened->resolved.layout.size();
  if (const Status known = CheckAggregation(plan.facts().aggregation); !known.ok()) {
    return Differs(std::move(reply), known.error());
  }
  const Result<std::vector<ReadingEpsilons>> readings = ComputeReadings(plan);
  if (!readings.ok()) return Differs(std::move(reply), readings.error().Within("its epsilon cannot be computed"));
  for (std::size_t reading = 0; reading < reply.epsilon.size(); ++reading) {
    for (std::size_t m = 0; m < reply.epsilon[reading].size(); ++m) {
      reply.epsilon[reading][m] = (*readings)[reading].by_sites[m].upper;
    }
  }
  SYNOD_ASSIGN_OR_RETURN(const Json explanation, ExplainPlan(plan, *readings));
  SYNOD_ASSIGN_OR_RETURN(reply.explanation, CanonicalJsonText(explanation));
  if (const Status same = CompareOffer(request.offer); !same.ok()) return Differs(std::move(reply), same.error());
  reply.plan_matches = true;
  return reply;
}

}  // namespace synod
