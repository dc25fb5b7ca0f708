#include "common/privacy/plan_explain.h"

#include <fmt/format.h>

#include <cmath>

#include "common/core/hex.h"
#include "common/privacy/noise_arithmetic.h"
#include "common/privacy/plan_readings.h"
#include "common/privacy/rdp_accountant.h"
#include "common/privacy/stated_epsilon.h"

namespace synod {
namespace {

Json Stated(const EpsilonBounds& bounds) {
  return {{"epsilon_upper", StatedUpper(bounds.upper)},
          {"epsilon_lower", StatedLower(bounds.lower)},
          {"epsilon_rdp", StatedUpper(bounds.rdp)}};
}

Json ReadingsToJson(const std::vector<ReadingEpsilons>& readings) {
  Json list = Json::array();
  for (const ReadingEpsilons& reading : readings) {
    Json epsilons = Json::array();
    for (std::size_t i = 0; i < reading.by_sites.size(); ++i) {
      Json one = Stated(reading.by_sites[i]);
      one["sites_per_subject"] = i + 1;
      epsilons.push_back(std::move(one));
    }
    list.push_back(
        {{"reading", TrustReadingName(reading.reading)}, {"shares", reading.shares}, {"epsilons", epsilons}});
  }
  return list;
}

std::uint64_t AnswerBytes(const PlanEntry& entry) {
  return entry.dimension * (entry.word_bits / 8);
}

// Explains entries against one plan's composition.
class EntryExplainer {
 public:
  static Result<EntryExplainer> Of(const Plan& plan) {
    EntryExplainer explainer(plan);
    const std::uint32_t m = plan.facts().max_sites_per_subject;
    const PrivacyEvents events = plan.Events(plan.honest_shares());
    SYNOD_ASSIGN_OR_RETURN(const RdpBound bound, RdpEpsilon(events, plan.AccountedDelta(), plan.facts().relation, m));
    explainer.order_ = bound.order > 1 ? bound.order : 2.0;
    SYNOD_ASSIGN_OR_RETURN(explainer.total_, RdpAtOrder(events, explainer.order_, plan.facts().relation, m));
    return explainer;
  }

  Result<Json> Explain(const PlanEntry& entry) const {
    const PlanFacts& facts = plan_->facts();
    const PrivacyEvent event = entry.Event(plan_->honest_shares(), entry.allowed());
    const std::uint32_t m = facts.max_sites_per_subject;
    SYNOD_ASSIGN_OR_RETURN(const EpsilonBounds alone,
                           ComputeEpsilon({event}, plan_->AccountedDelta(), facts.relation, m));
    SYNOD_ASSIGN_OR_RETURN(const double rdp, RdpAtOrder({event}, order_, facts.relation, m));
    const double batch = entry.sampling_rate * static_cast<double>(facts.units);
    return Json{{"name", entry.name},
                {"kind", QueryKindName(entry.kind)},
                {"count", entry.count},
                {"retries", entry.retries},
                {"dimension", entry.dimension},
                {"sampling_rate", entry.sampling_rate},
                {"expected_batch", batch},
                {"clip", entry.clip},
                {"noise_multiplier", event.noise_multiplier},
                {"noise_to_batch", event.noise_multiplier / batch},
                {"site_variance", entry.site_variance},
                {"word_bits", entry.word_bits},
                {"epsilon_alone", StatedUpper(alone.upper)},
                {"share", total_ > 0 ? rdp / total_ : 0.0},
                {"upload_bytes", AnswerBytes(entry) * entry.count}};
  }

 private:
  explicit EntryExplainer(const Plan& plan) : plan_(&plan) {}
  const Plan* plan_;
  double order_ = 2.0;
  double total_ = 0.0;
};

std::string EntryLine(const Json& entry) {
  return fmt::format("  {:<24} {:>7} +{:<5} {:>10.4g} {:>10.1f} {:>9.4f} {:>9.3f} {:>7.1f} % {:>10.2f}\n",
                     entry.at("name").get<std::string>(), entry.at("count").get<std::uint64_t>(),
                     entry.at("retries").get<std::uint64_t>(), entry.at("sampling_rate").get<double>(),
                     entry.at("expected_batch").get<double>(), entry.at("noise_multiplier").get<double>(),
                     entry.at("epsilon_alone").get<double>(), 100 * entry.at("share").get<double>(),
                     entry.at("upload_bytes").get<double>() / 1e6);
}

std::string ReadingLine(const Json& reading) {
  std::string line = fmt::format("  {:<13} {:>4} noise shares:", reading.at("reading").get<std::string>(),
                                 reading.at("shares").get<std::uint32_t>());
  for (const Json& one : reading.at("epsilons")) {
    line += fmt::format("  {:.3f} (m = {})", one.at("epsilon_upper").get<double>(),
                        one.at("sites_per_subject").get<std::uint32_t>());
  }
  return line + "\n";
}

// What quorum, colluding sites and N mean for privacy and for the rows.
std::string SecureText(const Json& plan) {
  const auto sites = plan.at("sites").get<std::uint32_t>();
  const auto quorum = plan.at("quorum").get<std::uint32_t>();
  const auto shares = plan.at("honest_shares").get<std::uint32_t>();
  const double excess = static_cast<double>(sites) / shares;
  return fmt::format(
      "  Secure aggregation: the coordinator sees sums over at least {} of {} sites, no site's answer; {} site(s) may "
      "be "
      "away.\n"
      "  h = quorum - c = {} noise shares meet the target, so that a sum of all {} sites has {:.2f} times the noise\n"
      "  variance of a trusted curator's ({:.2f} times the deviation). A higher quorum or a smaller c brings it "
      "down.\n",
      quorum, sites, sites - quorum, shares, sites, excess, std::sqrt(excess));
}

}  // namespace

Result<Json> ExplainPlan(const Plan& plan) {
  SYNOD_ASSIGN_OR_RETURN(const std::vector<ReadingEpsilons> readings, ComputeReadings(plan));
  return ExplainPlan(plan, readings);
}

Result<Json> ExplainPlan(const Plan& plan, const std::vector<ReadingEpsilons>& readings) {
  const PlanFacts& facts = plan.facts();
  SYNOD_ASSIGN_OR_RETURN(const EntryExplainer explainer, EntryExplainer::Of(plan));
  Json entries = Json::array();
  std::uint64_t bytes = 0;
  std::uint64_t bytes_with_retries = 0;
  for (const PlanEntry& entry : plan.entries()) {
    SYNOD_ASSIGN_OR_RETURN(Json explained, explainer.Explain(entry));
    entries.push_back(std::move(explained));
    bytes += AnswerBytes(entry) * entry.count;
    bytes_with_retries += AnswerBytes(entry) * entry.allowed();
  }
  Json json = Stated(readings[0].by_sites[facts.max_sites_per_subject - 1]);
  json.update({{"name", facts.name},
               {"plan_hash", ToHex(plan.Hash())},
               {"epsilon_target", facts.epsilon_target},
               {"delta", facts.delta},
               {"unit", PrivacyUnitName(facts.unit)},
               {"relation", AdjacencyName(facts.relation)},
               {"max_sites_per_subject", facts.max_sites_per_subject},
               {"units", facts.units},
               {"model_family", facts.model_family},
               {"aggregation", AggregationName(facts.aggregation)},
               {"sites", plan.sites()},
               {"quorum", facts.quorum},
               {"threshold", facts.threshold},
               {"max_colluding", facts.max_colluding},
               {"honest_shares", plan.honest_shares()},
               {"slot_seconds", facts.slot_seconds},
               {"readings", ReadingsToJson(readings)},
               {"entries", entries},
               {"upload_bytes_per_site", bytes},
               {"upload_bytes_per_site_with_retries", bytes_with_retries}});
  return json;
}

std::string PlanText(const Json& plan) {
  std::string text = fmt::format(
      "Plan \"{}\" ({})\n"
      "Epsilon {:.3f} (target {}) at delta {}, unit: {}, relation: {}, a subject at up to {} site(s)\n"
      "{} sites, quorum {}, t = {}, c = {}: {} honest noise share(s); aggregation: {}; {} units stated\n\n"
      "Who looks, and the epsilon for a subject at m sites:\n",
      plan.at("name").get<std::string>(), plan.at("plan_hash").get<std::string>(),
      plan.at("epsilon_upper").get<double>(), plan.at("epsilon_target").get<double>(), plan.at("delta").get<double>(),
      plan.at("unit").get<std::string>(), plan.at("relation").get<std::string>(),
      plan.at("max_sites_per_subject").get<std::uint32_t>(), plan.at("sites").get<std::uint32_t>(),
      plan.at("quorum").get<std::uint32_t>(), plan.at("threshold").get<std::uint32_t>(),
      plan.at("max_colluding").get<std::uint32_t>(), plan.at("honest_shares").get<std::uint32_t>(),
      plan.at("aggregation").get<std::string>(), plan.at("units").get<std::uint64_t>());
  for (const Json& reading : plan.at("readings")) text += ReadingLine(reading);
  if (plan.at("aggregation") == AggregationName(Aggregation::kNone)) {
    text += "  Without secure aggregation the coordinator sees each site's answers; each carries the whole noise.\n";
  }
  if (plan.at("aggregation") == AggregationName(Aggregation::kSecure)) text += SecureText(plan);
  text += fmt::format("\n  {:<24} {:>7}  {:<5} {:>10} {:>10} {:>9} {:>9} {:>9} {:>10}\n", "query", "count", "retry",
                      "rate", "batch", "noise z", "eps alone", "share", "MB a site");
  for (const Json& entry : plan.at("entries")) text += EntryLine(entry);
  text += fmt::format("\nEach site sends {:.2f} MB ({:.2f} MB with every retry).\n",
                      plan.at("upload_bytes_per_site").get<double>() / 1e6,
                      plan.at("upload_bytes_per_site_with_retries").get<double>() / 1e6);
  return text;
}

}  // namespace synod
