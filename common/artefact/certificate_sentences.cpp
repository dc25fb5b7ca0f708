#include "common/artefact/certificate_sentences.h"

#include <fmt/format.h>

namespace synod {
namespace {

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

std::string AggregationSentence(CertificateClass kind, Aggregation aggregation) {
  if (kind == CertificateClass::kSimulation && aggregation != Aggregation::kCurator) {
    return fmt::format(
        "The plan is that of a federation with aggregation \"{}\"; the simulation added its answers up "
        "in one trusted process.",
        AggregationName(aggregation));
  }
  switch (aggregation) {
    case Aggregation::kCurator:
      return "Answers are added up without secure aggregation, by one trusted process.";
    case Aggregation::kNone:
      return "There is no secure aggregation: the coordinator saw each site's answers, and each carried the whole "
             "noise.";
    case Aggregation::kSecure:
      return "Answers are added up by secure aggregation: only sums were seen.";
  }
  return "";
}

}  // namespace

std::vector<std::string> StatementsOf(const Certificate& certificate, const Plan& plan) {
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
        "the coordinator together with {}.",
        headline.upper, certificate.delta, RelationSentence(certificate),
        plan.facts().aggregation == Aggregation::kNone
            ? "all other sites"
            : fmt::format("up to {} colluding sites", certificate.max_colluding)));
  }
  if (certificate.max_sites_per_subject > 1) {
    sentences.push_back(
        fmt::format("It holds for a subject present at up to {} sites.", certificate.max_sites_per_subject));
  }
  sentences.push_back(
      "Epsilon pays for every answer that the plan allows, retries included, also where fewer were used.");
  sentences.push_back("It holds for any early end of the run.");
  sentences.push_back(AggregationSentence(certificate.kind, plan.facts().aggregation));
  return sentences;
}

std::vector<std::string> NotClaimedOf(const Certificate& certificate, const Plan& plan, FloatError float_error) {
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

}  // namespace synod
