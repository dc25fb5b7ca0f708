#include <fmt/format.h>

#include <filesystem>

#include "common/privacy/plan_explain.h"
#include "common/privacy/plan_inverse.h"
#include "models/recommendation/recommendation.h"
#include "models/run_plan.h"
#include "tools/synod/commands.h"

namespace synod {
namespace {

Result<PlanQuestion> QuestionOf(const std::string& name) {
  for (const PlanQuestion question : {PlanQuestion::kEpsilon, PlanQuestion::kUnits, PlanQuestion::kSteps}) {
    if (name == PlanQuestionName(question)) return question;
  }
  return BadInput(fmt::format("--solve is \"{}\"", name), "use epsilon, units or steps");
}

// What a question leaves as it is, in words.
std::string HeldFixed(PlanQuestion question, const PlanRequest& request) {
  const PlanFacts& facts = request.facts;
  std::string held = fmt::format("delta {:g}", facts.delta);
  if (question != PlanQuestion::kEpsilon) held += fmt::format(", epsilon {:g}", facts.epsilon_target);
  if (question != PlanQuestion::kUnits) held += fmt::format(", {} units", facts.units);
  for (const EntryRequest& entry : request.entries) {
    if (entry.sampling_rate < 1.0) {
      held += fmt::format(", expected batch {:.1f} of \"{}\"", entry.sampling_rate * static_cast<double>(facts.units),
                          entry.name);
    }
    if (entry.kind == QueryKind::kGradient && question != PlanQuestion::kSteps) {
      held += fmt::format(", {} steps", entry.count);
    }
  }
  return held + ", the budget shares, the sites and the model";
}

std::string AnswerText(PlanQuestion question, const PlanAnswer& answer, double asked, const std::string& held) {
  const std::string_view name = PlanQuestionName(question);
  const bool most = question == PlanQuestion::kSteps;
  std::string text =
      fmt::format("{} {}: {:.10g} (needs a noise multiplier of {:.5g}; at most {:g} was asked for)\n",
                  most ? "The most" : "The smallest", name, answer.value, answer.noise_multiplier, asked);
  if (answer.beyond && answer.beyond_noise_multiplier) {
    text += fmt::format("{:.10g} would need {:.5g}.\n", *answer.beyond, *answer.beyond_noise_multiplier);
  } else if (answer.beyond) {
    text += fmt::format("With {:.10g} no noise would do.\n", *answer.beyond);
  } else {
    text += "It is the end of the range that a plan may have.\n";
  }
  return text + "Held fixed: " + held + ".\n\n";
}

// "batch = 1024, hidden = 128, ...": every hyper-parameter with its value.
std::string SettingsText(const Json& options) {
  std::string text;
  for (const auto& item : options.items()) {
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", item.key(), item.value().dump());
  }
  return text;
}

Result<CommandOutput> Solve(const PlanRequest& request, PlanQuestion question, double noise_multiplier) {
  SYNOD_ASSIGN_OR_RETURN(const PlanAnswer answer, SolvePlan(request, question, noise_multiplier));
  const std::string held = HeldFixed(question, request);
  CommandOutput output;
  SYNOD_ASSIGN_OR_RETURN(output.data, ExplainPlan(answer.plan));
  output.text = AnswerText(question, answer, noise_multiplier, held) + PlanText(output.data);
  Json solved = {{"question", PlanQuestionName(question)},
                 {"value", answer.value},
                 {"noise_multiplier_asked", noise_multiplier},
                 {"noise_multiplier", answer.noise_multiplier},
                 {"held_fixed", held}};
  solved["beyond"] = answer.beyond ? Json(*answer.beyond) : Json();
  solved["beyond_noise_multiplier"] = answer.beyond_noise_multiplier ? Json(*answer.beyond_noise_multiplier) : Json();
  output.data["solved"] = std::move(solved);
  return output;
}

Result<CommandOutput> PlanWithRecommendation(const RunSpecification& specification, const ResolvedRun& resolved) {
  CommandOutput output;
  SYNOD_ASSIGN_OR_RETURN(output.data, ExplainPlan(*resolved.run.plan));
  const PrivacyTarget& privacy = specification.privacy;
  SYNOD_ASSIGN_OR_RETURN(const Recommendation recommendation,
                         Recommend(SizeOf(*resolved.run.schema, privacy.units, privacy.epsilon), MeasuredResults()));
  output.data["recommendation"] = RecommendationJson(recommendation);
  const Json& options = resolved.run.options;
  output.data["options"] = options;
  output.text = PlanText(output.data) + "\n" +
                RecommendationText(recommendation, specification.family, options.value("variant", "")) +
                "\nSettings of this run: " + SettingsText(options) + "\n";
  return output;
}

}  // namespace

Result<CommandOutput> RunPlan(const PlanOptions& options, CommandContext& context) {
  namespace fs = std::filesystem;
  RunOverrides overrides;
  overrides.epsilon = options.epsilon;
  overrides.sites = options.sites;
  SYNOD_ASSIGN_OR_RETURN(RunSpecification specification, RunSpecification::FromFile(options.run_file, overrides));
  if (options.units) specification.privacy.units = *options.units;
  for (const std::string& warning : specification.warnings) context.progress.Say("warning: " + warning);
  const fs::path folder =
      options.data_folder.empty() ? fs::path(options.run_file).parent_path() : fs::path(options.data_folder);
  SYNOD_ASSIGN_OR_RETURN(Schema schema, Schema::FromFile((folder / specification.schema_file).string()));
  Aggregation aggregation = specification.aggregation;
  if (!options.aggregation.empty()) {
    SYNOD_ASSIGN_OR_RETURN(aggregation, AggregationOption(options.aggregation));
  }
  if (options.solve.empty()) {
    if (options.noise_multiplier) return BadInput("--noise-multiplier goes with --solve", "see synod plan --help");
    SYNOD_ASSIGN_OR_RETURN(const ResolvedRun resolved,
                           ResolveRun(specification, std::make_shared<const Schema>(std::move(schema)), aggregation));
    return PlanWithRecommendation(specification, resolved);
  }
  SYNOD_ASSIGN_OR_RETURN(const PlanQuestion question, QuestionOf(options.solve));
  if (!options.noise_multiplier) {
    return BadInput("--solve needs --noise-multiplier",
                    "the most noise that the answers may need; synod plan without --solve shows what the file's needs");
  }
  SYNOD_ASSIGN_OR_RETURN(const PlanRequest request, RequestRun(specification, schema, aggregation));
  return Solve(request, question, *options.noise_multiplier);
}

}  // namespace synod
