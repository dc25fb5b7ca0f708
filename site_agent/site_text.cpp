#include "site_agent/site_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "common/privacy/plan_explain.h"

namespace synod {
namespace {

constexpr std::size_t kShortId = 12;

std::string Text(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string ListText(const Json& list) {
  return fmt::format("{}", fmt::join(list.get<std::vector<std::string>>(), ", "));
}

// Columns as wide as their widest cell.
std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string Findings(const Json& view) {
  std::string text;
  for (const Json& finding : view.at("findings")) text += "  - " + finding.get<std::string>() + "\n";
  return text;
}

std::string StateText(const Json& run) {
  std::string text = Text(run, "state");
  if (const std::string as = Text(run, "ended_as"); !as.empty()) text += " (" + as + ")";
  if (text == "denied") text += " (" + Text(run, "reason") + ")";
  return text;
}

std::string LifetimeText(const Json& dataset) {
  const auto lifetime = dataset.find("lifetime");
  if (lifetime == dataset.end()) return "-";
  return fmt::format("{:.1f} % of epsilon {}, delta {}", 100.0 * lifetime->at("share_held").get<double>(),
                     lifetime->at("epsilon").get<double>(), lifetime->at("delta").get<double>());
}

}  // namespace

std::string RunsText(const Json& runs) {
  if (runs.empty()) return "No runs. (--all shows those that ended or were denied, too.)\n";
  std::vector<std::vector<std::string>> rows = {{"RUN", "NAME", "STATE", "DATA SET", "FAMILY", "EPSILON", "PROPOSED"}};
  for (const Json& run : runs) {
    rows.push_back({Text(run, "id").substr(0, kShortId), Text(run, "name"), StateText(run), Text(run, "dataset"),
                    Text(run, "family"),
                    run.contains("epsilon_target") ? fmt::format("{}", run.at("epsilon_target").get<double>()) : "",
                    Text(run, "proposed")});
  }
  return Table(rows);
}

std::string DatasetsText(const Json& datasets) {
  if (datasets.empty()) return "No data sets.\n";
  std::vector<std::vector<std::string>> rows = {{"DATA SET", "USABLE", "UNIT", "BUDGET HELD", "FILE"}};
  std::string problems;
  for (const Json& dataset : datasets) {
    rows.push_back({Text(dataset, "name"), dataset.at("usable").get<bool>() ? "yes" : "no", Text(dataset, "unit"),
                    LifetimeText(dataset), Text(dataset, "file")});
    const std::string problem = Text(dataset, "problem");
    if (!problem.empty()) problems += fmt::format("{}: {}\n", Text(dataset, "name"), problem);
  }
  return Table(rows) + problems;
}

std::string StatusText(const Json& status) {
  const Json& link = status.at("link");
  const Json& worker = status.at("worker");
  std::string text =
      fmt::format("Site {} of consortium {}, version {}, process {}\n", Text(status, "site"),
                  Text(status, "consortium"), Text(status, "version"), status.at("process_id").get<std::int64_t>());
  if (link.at("open").get<bool>()) {
    text += fmt::format("Connected to {} at {} since {}\n", Text(link, "coordinator"), Text(link, "address"),
                        Text(link, "since"));
  } else {
    text += fmt::format("Not connected to {}{}\n", Text(link, "address"),
                        Text(link, "last_close").empty() ? "" : ": " + Text(link, "last_close"));
  }
  const auto process = worker.at("process_id").get<std::int64_t>();
  text += process == 0
              ? std::string("Worker: none is needed now\n")
              : fmt::format("Worker: process {}, {}, {} waiting\n", process,
                            worker.at("busy").get<bool>() ? "busy" : "idle", worker.at("waiting").get<std::uint64_t>());
  if (!Text(worker, "records_report").empty()) text += "Records: " + Text(worker, "records_report") + "\n";
  text += fmt::format("Certificate valid until {}; member list {}, revocations {}\n", Text(status, "certificate_ends"),
                      status.at("manifest").get<std::uint64_t>(), status.at("revocations").get<std::uint64_t>());
  for (const Json& problem : status.at("problems")) text += "Problem: " + problem.get<std::string>() + "\n";
  text += "\n" + RunsText(status.at("runs")) + "\n" + DatasetsText(status.at("datasets"));
  return text;
}

std::string RunDecidedText(const Json& run) {
  return fmt::format("Run {} is {}.\n", Text(run, "id"), StateText(run));
}

std::string ExplainText(const Json& view) {
  std::string text = fmt::format("Run {}\nState: {}", Text(view, "id"), StateText(view));
  const std::string by = Text(view, "decided_by");
  if (!by.empty()) text += fmt::format(", decided by {}", by == "person" ? "a person" : "the policy");
  text += fmt::format("\nProposed by {}{} at {}\nData set: {}\nSites: {}\n", Text(view, "coordinator"),
                      Text(view, "submitter").empty() ? "" : ", submitted by " + Text(view, "submitter"),
                      Text(view, "proposed"), Text(view, "dataset").empty() ? "none" : Text(view, "dataset"),
                      view.contains("roster") ? ListText(view.at("roster")) : "");
  if (!view.at("findings").empty()) text += "Findings:\n" + Findings(view);
  if (!Text(view, "note").empty()) text += "Note: " + Text(view, "note") + "\n";
  if (const auto plan = view.find("plan"); plan != view.end()) text += "\n" + PlanText(*plan);
  text += "\nCharged by this site so far:\n";
  for (const Json& entry : view.at("charged")) {
    text += fmt::format("  {:<24} {:>7} of {} answers\n", Text(entry, "entry"),
                        entry.at("charged").get<std::uint64_t>(), entry.at("allowed").get<std::uint64_t>());
  }
  return text;
}

std::string PolicyText(const Json& policy) {
  std::string text;
  for (const Json& rule : policy.at("lifetime")) {
    const std::string dataset = Text(rule, "dataset");
    text +=
        fmt::format("Life-time budget of {}: epsilon {} at delta {}\n", dataset.empty() ? "every data set" : dataset,
                    rule.at("epsilon").get<double>(), rule.at("delta").get<double>());
  }
  std::size_t number = 0;
  for (const Json& rule : policy.at("allow")) {
    text += fmt::format("allow[{}] data set {}: families {}; epsilon at most {} (own share {}), delta at most {}; {}\n",
                        ++number, Text(rule, "dataset"), ListText(rule.at("families")),
                        rule.at("max_epsilon").get<double>(), rule.at("max_own_share_epsilon").get<double>(),
                        rule.at("max_delta").get<double>(),
                        Text(rule, "approval") == "automatic" ? "without a person" : "a person approves");
    text += fmt::format("  columns: {}\n", ListText(rule.at("columns")));
    if (!Text(rule, "hours").empty()) text += "  hours: " + Text(rule, "hours") + "\n";
  }
  return number == 0 ? text + "No [[allow]]: every run is refused.\n" : text;
}

std::string PolicyCheckText(const Json& check) {
  std::string text = "The policy file is well formed.\n" + PolicyText(check.at("policy"));
  for (const Json& name : check.at("datasets_not_in_site_toml")) {
    text += fmt::format("site.toml names no data set \"{}\"\n", name.get<std::string>());
  }
  if (!check.at("in_use").get<bool>()) text += "The daemon does not use it yet: send it SIGHUP (systemctl reload).\n";
  for (const Json& run : check.at("undecided")) {
    text += fmt::format("Run {}: {}\n{}", Text(run, "id"), Text(run, "verdict"), Findings(run));
  }
  return text;
}

std::string LedgerText(const Json& ledger) {
  std::string text = fmt::format("{} rows, head {}\n\n", ledger.at("rows").get<std::uint64_t>(), Text(ledger, "head"));
  std::vector<std::vector<std::string>> rows = {{"RUN", "DATA SET", "STATE", "ANSWERS CHARGED"}};
  for (const Json& run : ledger.at("runs")) {
    rows.push_back({Text(run, "id").substr(0, kShortId), Text(run, "dataset"), Text(run, "state"),
                    fmt::format("{}", run.at("answers").get<std::uint64_t>())});
  }
  text += Table(rows) + "\n";
  for (const Json& restoration : ledger.at("restorations")) {
    text += fmt::format("Row {}: {}", restoration.at("row").get<std::uint64_t>(), RestorationText(restoration));
  }
  const std::string rolled_back = Text(ledger, "rolled_back");
  if (!rolled_back.empty()) text += "Problem: " + rolled_back + "\n";
  return text + DatasetsText(ledger.at("datasets"));
}

std::string RestorationText(const Json& restoration) {
  std::string text =
      fmt::format("restored {}; {} runs ended\n", Text(restoration, "restored"), restoration.at("ended_runs").size());
  for (const Json& lost : restoration.at("lost")) {
    text += fmt::format("  a copy was lost that had {} rows\n", lost.at("rows").get<std::uint64_t>());
  }
  for (const Json& charge : restoration.at("charges")) {
    text += fmt::format("  {}: {:.1f} % of its life-time budget charged for what was lost, beside its answers\n",
                        charge.contains("name") ? Text(charge, "name") : Text(charge, "dataset"),
                        100.0 * charge.value("share_of_budget", 0.0));
  }
  return text;
}

std::string LedgerVerifiedText(const Json& verified) {
  return fmt::format("{} rows of {} runs: the chain is whole, and every row is within its run's plan.\nHead: {}\n",
                     verified.at("rows").get<std::uint64_t>(), verified.at("runs").get<std::uint64_t>(),
                     Text(verified, "head"));
}

}  // namespace synod
