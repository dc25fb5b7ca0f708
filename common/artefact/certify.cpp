#include "common/artefact/certify.h"

#include <fmt/format.h>

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

std::string RelationSentence(const Certificate& certificate) {
  const std::string_view unit = PrivacyUnitName(certificate.unit);
  switch (certificate.relation) {
    case Adjacency::kAddRemove:
      return fmt::format("adding or removing one {} at one site", unit);
    case Adjacency::kZeroOut:
      return fmt::format("blanking one {} at one site", unit);
    case Adjacency::kReplaceOne:
      return fmt::format("replacing one {} at one site", unit);
  }
  return "";
}

std::vector<std::string> Statements(const Certificate& certificate, const Plan& plan) {
  const StatedEpsilons& headline = certificate.headline();
  std::vector<std::string> sentences;
  if (certificate.kind == CertificateClass::kSimulation) {
    sentences.push_back(
        "Simulation: made in one process by somebody trusted with all data; no site's ledger was charged.");
    sentences.push_back(fmt::format("What the simulated plan would guarantee: epsilon {:.3f} at delta {} for {}.",
                                    headline.upper, certificate.delta, RelationSentence(certificate)));
  } else {
    sentences.push_back(fmt::format(
        "All that left the sites in this run is differentially private with epsilon {:.3f} at delta {} for {}, against "
        "the coordinator together with up to {} colluding sites.",
        headline.upper, certificate.delta, RelationSentence(certificate), certificate.max_colluding));
  }
  if (certificate.max_sites_per_subject > 1) {
    sentences.push_back(
        fmt::format("It holds for a subject present at up to {} sites.", certificate.max_sites_per_subject));
  }
  sentences.push_back(
      "Epsilon pays for every answer that the plan allows, retries included, also where fewer were used.");
  sentences.push_back("It holds for any early end of the run.");
  sentences.push_back(fmt::format("Answers are added up {}.", plan.facts().aggregation == Aggregation::kSecure
                                                                  ? "by secure aggregation: only sums were seen"
                                                                  : "without secure aggregation"));
  return sentences;
}

std::vector<std::string> NotClaimed(const Certificate& certificate, const Plan& plan, FloatError float_error) {
  std::vector<std::string> sentences = {
      "Which sites took part, and when, is not hidden.",
      "The schema, bounds, categories, number of units and the plan are public statements; their writer vouches for "
      "them.",
      "A site can lie about its own data.",
      "Choices made by looking at other runs are outside of this account; the sites' ledgers keep theirs.",
      "Whoever holds the consortium's root key could have invented sites; the roster shows them.",
      fmt::format("Nothing is claimed for a subject at more than {} sites.", certificate.max_sites_per_subject),
      "The lower bound is on the worst case of the accountant, not on any attack.",
  };
  if (plan.facts().aggregation == Aggregation::kSecure) {
    sentences.push_back(
        fmt::format("Nothing is claimed against more than {} colluding sites but the own-share reading.",
                    certificate.max_colluding));
  }
  if (float_error == FloatError::kMeasured) sentences.push_back("Float error measured, not proven.");
  if (plan.facts().slot_seconds == 0) {
    sentences.push_back("Timing is not hidden: answers left when they were ready (slot_seconds = 0).");
  } else {
    sentences.push_back(
        fmt::format("Timing within a slot of {} s is hidden; delays beyond it are not.", plan.facts().slot_seconds));
  }
  return sentences;
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
  certificate.statements = Statements(certificate, plan);
  certificate.not_claimed = NotClaimed(certificate, plan, request.float_error);
  return certificate;
}

}  // namespace synod
