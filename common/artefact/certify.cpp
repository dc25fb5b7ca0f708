#include "common/artefact/certify.h"

#include "common/artefact/certificate_sentences.h"
#include "common/privacy/stated_epsilon.h"

namespace synod {
namespace {

StatedReading State(const ReadingEpsilons& computed) {
  StatedReading stated;
  stated.reading = computed.reading;
  stated.shares = computed.shares;
  for (std::size_t i = 0; i < computed.by_sites.size(); ++i) {
    const EpsilonBounds& bounds = computed.by_sites[i];
    stated.by_sites[i] = {StatedUpper(bounds.upper), StatedLower(bounds.lower), StatedUpper(bounds.rdp)};
  }
  return stated;
}

}  // namespace

Certificate FactsOfPlan(const Plan& plan, Participation participation) {
  const PlanFacts& facts = plan.facts();
  Certificate certificate;
  certificate.unit = facts.unit;
  certificate.relation = facts.relation;
  certificate.delta = facts.delta;
  certificate.max_sites_per_subject = facts.max_sites_per_subject;
  const std::vector<std::uint64_t> used = participation.UsedOfEntries(plan.entries().size());
  for (std::size_t i = 0; i < used.size(); ++i) {
    certificate.entries.push_back({plan.entries()[i].name, plan.entries()[i].allowed(), used[i]});
  }
  certificate.participation = std::move(participation);
  certificate.sites = plan.sites();
  certificate.threshold = facts.threshold;
  certificate.max_colluding = facts.max_colluding;
  certificate.quorum = facts.quorum;
  certificate.honest_shares = plan.honest_shares();
  certificate.schema_hash = facts.schema_hash;
  certificate.plan_hash = plan.Hash();
  return certificate;
}

Result<Certificate> Certify(const Plan& plan, CertificateRequest request) {
  SYNOD_RETURN_IF_ERROR(request.participation.CheckAgainst(plan));
  if (request.kind == CertificateClass::kFederated && plan.facts().aggregation == Aggregation::kCurator) {
    return BadInput("a plan with a trusted curator has no federated certificate");
  }
  if (request.kind == CertificateClass::kFederated && !request.participation.AnyCompleted()) {
    return BadInput("no sum of the run was completed: there is nothing that a federation could vouch for");
  }
  Certificate certificate = FactsOfPlan(plan, std::move(request.participation));
  SYNOD_ASSIGN_OR_RETURN(const std::vector<ReadingEpsilons> readings, ComputeReadings(plan));
  if (readings[0].by_sites[plan.facts().max_sites_per_subject - 1].upper > plan.facts().epsilon_target) {
    return BadInput("the epsilon of the plan is above its target");
  }
  for (const ReadingEpsilons& reading : readings) certificate.readings.push_back(State(reading));
  certificate.kind = request.kind;
  certificate.run = request.run;
  certificate.content_digest = request.content_digest;
  certificate.software_version = std::move(request.software_version);
  certificate.created_unix = request.created_unix;
  certificate.statements = StatementsOf(certificate, plan);
  certificate.not_claimed = NotClaimedOf(certificate, plan, request.float_error);
  return certificate;
}

}  // namespace synod
