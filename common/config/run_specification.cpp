#include "common/config/run_specification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/core/file.h"

namespace synod {
namespace {

constexpr double kLeastEpsilon = 1e-4;
constexpr std::int64_t kMaxInteger = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMaxUnits = 1'000'000'000'000;

// The number of an override, held to the range of the key that it replaces.
template <typename Number>
Status CheckOverride(const char* flag, Number value, Number low, Number high) {
  if (value >= low && value <= high) return {};  // false for NaN
  return BadInput(fmt::format("{}: must be a number between {} and {}, but is {}", flag, low, high, value));
}

Status ReadRun(const TomlSection& section, const RunOverrides& overrides, RunSpecification& run) {
  SYNOD_ASSIGN_OR_RETURN(run.name, section.RequiredText("name"));
  SYNOD_ASSIGN_OR_RETURN(std::int64_t seed, section.Integer("seed", 0, 0, kMaxInteger));
  SYNOD_ASSIGN_OR_RETURN(std::int64_t sites, section.Integer("sites", 1, 1, RunSpecification::kMaxSites));
  if (overrides.seed) {
    SYNOD_RETURN_IF_ERROR(CheckOverride<std::int64_t>("--seed", *overrides.seed, 0, kMaxInteger));
    seed = *overrides.seed;
  }
  if (overrides.sites) {
    SYNOD_RETURN_IF_ERROR(CheckOverride<std::int64_t>("--sites", *overrides.sites, 1, RunSpecification::kMaxSites));
    sites = *overrides.sites;
  }
  run.seed = static_cast<std::uint64_t>(seed);
  run.sites = static_cast<std::uint32_t>(sites);
  SYNOD_ASSIGN_OR_RETURN(run.deadline_seconds, section.Real("deadline_seconds", 600.0, 1.0, 86'400.0));
  SYNOD_ASSIGN_OR_RETURN(run.slot_seconds, section.Real("slot_seconds", 0.05, 0.0, 3600.0));
  return {};
}

// Quorum and collusion: t > (N + c) / 2 is the Shamir threshold that secure aggregation needs, and h = quorum - c >= 1.
Status ReadTrust(const TomlSection& section, const TomlSection& privacy, RunSpecification& run) {
  const std::int64_t sites = run.sites;
  const std::int64_t usual_colluding = sites > 1 ? 1 : 0;
  SYNOD_ASSIGN_OR_RETURN(const std::int64_t colluding,
                         privacy.Integer("max_colluding_sites", usual_colluding, 0, RunSpecification::kMaxSites));
  if (colluding >= sites) {
    return privacy.ErrorAt("max_colluding_sites", fmt::format("must be less than the number of sites, {}", sites));
  }
  const std::int64_t threshold = (sites + colluding) / 2 + 1;
  const std::int64_t usual = std::min(sites, std::max(threshold, sites <= 3 ? sites : sites - 1));
  SYNOD_ASSIGN_OR_RETURN(const std::int64_t quorum, section.Integer("quorum", usual, 1, RunSpecification::kMaxSites));
  if (quorum > sites || quorum < threshold) {
    return section.ErrorAt(
        "quorum", fmt::format("is {}; with {} sites, {} of which may collude, it must be between {} and {}", quorum,
                              sites, colluding, threshold, sites));
  }
  run.quorum = static_cast<std::uint32_t>(quorum);
  run.privacy.max_colluding_sites = static_cast<unsigned>(colluding);
  return {};
}

// Two sites hide nothing from each other, so that masks begin at three.
Status ReadAggregation(const TomlSection& section, RunSpecification& run) {
  const bool possible = run.sites >= kLeastSecureSites;
  SYNOD_ASSIGN_OR_RETURN(const std::string name, section.Text("aggregation", possible ? "secure" : "none"));
  if (name == "none") return {};
  if (name != "secure") return section.ErrorAt("aggregation", "must be \"secure\" or \"none\"");
  if (!possible || run.sites > kMostSecureSites) {
    return section.ErrorAt("aggregation",
                           fmt::format("is \"secure\", which works with {} to {} sites; the run has {}",
                                       kLeastSecureSites, kMostSecureSites, run.sites),
                           "say aggregation = \"none\": every answer then carries the whole noise on its own");
  }
  run.aggregation = Aggregation::kSecure;
  return {};
}

Status ReadEpsilon(const TomlSection& section, const RunOverrides& overrides, RunSpecification& run) {
  constexpr double kMax = RunSpecification::kMaxEpsilon;
  if (overrides.epsilon) {
    SYNOD_RETURN_IF_ERROR(CheckOverride("--epsilon", *overrides.epsilon, kLeastEpsilon, kMax));
  }
  if (!overrides.epsilon || section.Has("epsilon")) {
    SYNOD_ASSIGN_OR_RETURN(run.privacy.epsilon, section.RequiredReal("epsilon", kLeastEpsilon, kMax));
  }
  if (overrides.epsilon) run.privacy.epsilon = *overrides.epsilon;
  if (run.privacy.epsilon > RunSpecification::kWarnEpsilon) {
    run.warnings.push_back(
        fmt::format("epsilon = {} promises next to nothing: it allows the probability of an outcome "
                    "to change by a factor of e^{}; values of 1 to 10 are usual",
                    run.privacy.epsilon, run.privacy.epsilon));
  }
  return {};
}

Status ReadDelta(const TomlSection& section, RunSpecification& run) {
  SYNOD_ASSIGN_OR_RETURN(run.privacy.delta, section.RequiredReal("delta", -1.0, 1.0));
  if (run.privacy.delta <= 0.0 || run.privacy.delta >= RunSpecification::kMaxDelta) {
    return section.ErrorAt("delta", fmt::format("must be greater than 0 and less than {}", RunSpecification::kMaxDelta),
                           "delta should be well under 1 / units");
  }
  if (run.privacy.delta >= 1.0 / static_cast<double>(run.privacy.units)) {
    run.warnings.push_back(
        fmt::format("delta = {} is not less than 1 / units = {:.3g}: it would allow a mechanism that "
                    "publishes a whole record now and then",
                    run.privacy.delta, 1.0 / static_cast<double>(run.privacy.units)));
  }
  return {};
}

Status ReadPrivacy(const TomlSection& section, const RunOverrides& overrides, RunSpecification& run) {
  SYNOD_RETURN_IF_ERROR(ReadEpsilon(section, overrides, run));
  SYNOD_ASSIGN_OR_RETURN(const std::int64_t units, section.RequiredInteger("units", 1, kMaxUnits));
  run.privacy.units = static_cast<std::uint64_t>(units);
  SYNOD_RETURN_IF_ERROR(ReadDelta(section, run));
  SYNOD_ASSIGN_OR_RETURN(const std::string unit, section.Text("unit", "record"));
  if (unit.empty()) return section.ErrorAt("unit", "must be \"record\" or the name of the subject column");
  if (unit != "record") run.privacy.subject_column = unit;
  SYNOD_ASSIGN_OR_RETURN(const std::size_t relation, section.Choice("relation", 0, {"add-remove"}));
  SYNOD_CHECK(relation == 0, "there is one relation");
  SYNOD_ASSIGN_OR_RETURN(const std::int64_t rows, section.Integer("max_rows_per_subject", 16, 1, 1 << 20));
  run.privacy.max_rows_per_subject = static_cast<std::uint32_t>(rows);
  if (unit == "record" && section.Has("max_rows_per_subject")) {
    return section.ErrorAt("max_rows_per_subject", "has a meaning only where unit names a subject column", "remove it");
  }
  SYNOD_ASSIGN_OR_RETURN(const std::int64_t sites, section.Integer("max_sites_per_subject", 1, 1, 16));
  run.privacy.max_sites_per_subject = static_cast<unsigned>(sites);
  SYNOD_ASSIGN_OR_RETURN(run.privacy.clip, section.Real("clip", 1.0, 1e-6, 1e6));
  return {};
}

Status ReadBudget(const TomlSection& section, BudgetShares& budget) {
  SYNOD_ASSIGN_OR_RETURN(budget.transforms, section.Real("transforms", budget.transforms, 0.0, 1.0));
  SYNOD_ASSIGN_OR_RETURN(budget.training, section.Real("training", budget.training, 0.0, 1.0));
  SYNOD_ASSIGN_OR_RETURN(budget.counting, section.Real("counting", budget.counting, 0.0, 1.0));
  SYNOD_ASSIGN_OR_RETURN(budget.quality, section.Real("quality", budget.quality, 0.0, 1.0));
  SYNOD_RETURN_IF_ERROR(section.Finish());
  if (budget.training <= 0.0) return section.ErrorAt("training", "must be greater than 0");
  const double sum = budget.transforms + budget.training + budget.counting + budget.quality;
  if (std::abs(sum - 1.0) > 1e-9) {
    return section.ErrorAt("training",
                           fmt::format("the shares must sum to 1, but transforms {} + training {} + counting "
                                       "{} + quality {} = {}",
                                       budget.transforms, budget.training, budget.counting, budget.quality, sum));
  }
  return {};
}

Status ReadFiles(const TomlSection& root, RunSpecification& run) {
  SYNOD_ASSIGN_OR_RETURN(const TomlSection schema, root.RequiredSection("schema"));
  SYNOD_ASSIGN_OR_RETURN(run.schema_file, schema.RequiredText("file"));
  SYNOD_RETURN_IF_ERROR(schema.Finish());
  SYNOD_ASSIGN_OR_RETURN(const TomlSection data, root.Section("data"));
  SYNOD_ASSIGN_OR_RETURN(run.train_file, data.Text("train", "train.csv"));
  if (run.train_file.empty()) return data.ErrorAt("train", "must not be empty");
  return data.Finish();
}

}  // namespace

Result<RunSpecification> RunSpecification::FromToml(std::string_view text, const std::string& file,
                                                    const RunOverrides& overrides) {
  SYNOD_ASSIGN_OR_RETURN(const TomlSection root, TomlSection::Parse(text, file));
  SYNOD_ASSIGN_OR_RETURN(const TomlSection section, root.RequiredSection("run"));
  SYNOD_ASSIGN_OR_RETURN(const TomlSection model, root.RequiredSection("model"));
  SYNOD_ASSIGN_OR_RETURN(const TomlSection privacy, root.RequiredSection("privacy"));
  SYNOD_ASSIGN_OR_RETURN(const TomlSection budget, root.Section("budget"));
  RunSpecification run(model);
  run.file = file;
  SYNOD_RETURN_IF_ERROR(ReadRun(section, overrides, run));
  SYNOD_RETURN_IF_ERROR(ReadFiles(root, run));
  SYNOD_ASSIGN_OR_RETURN(run.family, model.RequiredText("family"));
  SYNOD_RETURN_IF_ERROR(ReadPrivacy(privacy, overrides, run));
  SYNOD_RETURN_IF_ERROR(ReadTrust(section, privacy, run));
  SYNOD_RETURN_IF_ERROR(ReadAggregation(section, run));
  SYNOD_RETURN_IF_ERROR(ReadBudget(budget, run.budget));
  run.budget.stated = root.Has("budget");
  SYNOD_RETURN_IF_ERROR(section.Finish());
  SYNOD_RETURN_IF_ERROR(privacy.Finish());
  SYNOD_RETURN_IF_ERROR(root.Finish());
  return run;
}

Result<RunSpecification> RunSpecification::FromFile(const std::string& path, const RunOverrides& overrides) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, TomlSection::kMaxFileBytes));
  return FromToml(text, path, overrides);
}

}  // namespace synod
