#include "tools/synod/run_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "common/core/error.h"

namespace synod {
namespace {

std::string ShortId(const Json& run) {
  return run.value("run", "").substr(0, 8);
}

// Columns as wide as their widest cell.
std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> width;
  for (const auto& row : rows) {
    width.resize(std::max(width.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) line += fmt::format("{:<{}}  ", row[c], width[c]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string FirstWait(const Json& view) {
  const Json waits = view.value("waits", Json::array());
  if (waits.empty()) return "";
  const std::string first = waits[0].value("text", "");
  return waits.size() == 1 ? first : fmt::format("{} (and {} more)", first, waits.size() - 1);
}

std::string FileText(const Json& view) {
  const Json& file = view.at("file");
  if (!file.value("published", false)) return "not published yet\n";
  if (file.value("complete", false)) return "published, signed by the coordinator and every site that answered\n";
  std::string missing;
  for (const Json& site : file.value("missing_signatures", Json::array())) {
    missing += (missing.empty() ? "" : ", ") + site.get<std::string>();
  }
  return fmt::format("published INCOMPLETE: the signature of {} is missing; a late one completes the file\n", missing);
}

std::string SitesText(const Json& view) {
  std::vector<std::vector<std::string>> rows = {{"  SITE", "CONNECTED", "DECISION", "SIGNED"}};
  for (const Json& site : view.at("sites")) {
    std::string decision = site.value("decision", "");
    if (site.contains("reason")) decision += " (" + site.value("reason", "") + ")";
    rows.push_back({"  " + site.value("site", ""), site.value("connected", false) ? "yes" : "no", decision,
                    site.value("signed", false) ? "yes" : ""});
  }
  return Table(rows);
}

}  // namespace

std::string RunListText(const Json& list) {
  const Json runs = list.value("runs", Json::array());
  if (runs.empty()) return "no runs; see `synod run submit`\n";
  std::vector<std::vector<std::string>> rows = {{"RUN", "NAME", "FAMILY", "STATE", "SINCE", "WAITS FOR"}};
  for (const Json& run : runs) {
    std::string state = run.value("state", "");
    if (state == "published" && !run.value("complete", true)) state += " incomplete";
    rows.push_back({ShortId(run), run.value("name", ""), run.value("family", ""), state, run.value("state_since", ""),
                    FirstWait(run)});
  }
  return Table(rows);
}

std::string RunShowText(const Json& view) {
  std::string text =
      fmt::format("run        {}\nname       {}\nfamily     {}\nstate      {} since {}\nsubmitted  {} by {}\n",
                  view.value("run", ""), view.value("name", ""), view.value("family", ""), view.value("state", ""),
                  view.value("state_since", ""), view.value("submitted", ""), view.value("submitter", ""));
  if (view.contains("plan")) {
    const Json& plan = view.at("plan");
    text += fmt::format("plan       epsilon {:g}, delta {:g}, {} sites, {} answers needed, aggregation {}\n",
                        plan.value("epsilon", 0.0), plan.value("delta", 0.0), plan.value("sites", 0),
                        plan.value("answers_needed", 0), plan.value("aggregation", ""));
  }
  if (view.contains("progress")) {
    const Json& progress = view.at("progress");
    text += fmt::format("progress   {} of {} queries", progress.value("queries_done", 0),
                        progress.value("queries_needed", 0));
    if (progress.contains("noisy_loss")) text += fmt::format(", noisy loss {:.3f}", progress.value("noisy_loss", 0.0));
    text += "\n";
  }
  if (view.contains("file")) text += "file       " + FileText(view);
  if (view.contains("failure")) text += "failure    " + view.at("failure").value("message", "") + "\n";
  if (view.contains("aborted_by")) text += "aborted by " + view.value("aborted_by", "") + "\n";
  for (const Json& wait : view.value("waits", Json::array())) text += "waits      " + wait.value("text", "") + "\n";
  if (view.contains("sites")) text += SitesText(view);
  return text;
}

std::string RunWhyText(const Json& why) {
  std::string text = fmt::format("run {} ({}) is {} since {}\n", ShortId(why), why.value("name", ""),
                                 why.value("state", ""), why.value("state_since", ""));
  for (const Json& wait : why.value("waits", Json::array())) {
    text +=
        fmt::format("- {}\n  since {}; {}\n", wait.value("text", ""), wait.value("since", ""), wait.value("ends", ""));
  }
  if (why.contains("failure")) {
    const Json& failure = why.at("failure");
    text += "- " + failure.value("message", "") + "\n";
    if (!failure.value("hint", "").empty()) text += "  " + failure.value("hint", "") + "\n";
  }
  if (why.contains("aborted_by")) text += "- aborted by " + why.value("aborted_by", "") + "\n";
  if (why.value("waits", Json::array()).empty() && why.value("state", "") == "published") {
    text += "- nothing is waited for: the file is complete\n";
  }
  return text;
}

std::string SiteListText(const Json& list) {
  std::vector<std::vector<std::string>> rows = {{"SITE", "STATE", "SINCE", "LAST CONTACT", "VERSION", "LAST CLOSE"}};
  for (const Json& site : list.value("sites", Json::array())) {
    std::string state = site.value("state", "");
    const std::int64_t offset = site.value("clock_offset_seconds", std::int64_t{0});
    if (offset > 5 || offset < -5) state += fmt::format(" (clock {:+d} s)", offset);
    rows.push_back({site.value("site", ""), state, site.value("since", ""), site.value("last_contact", ""),
                    site.value("software_version", ""), site.value("last_close", "")});
  }
  if (rows.size() == 1) return "no sites; see `synod consortium approve`\n";
  std::string text = Table(rows);
  for (const Json& site : list.value("sites", Json::array())) {
    const Json ledger = site.value("ledger", Json::object());
    const std::uint64_t ledgers = ledger.value("ledgers", std::uint64_t{0});
    const std::size_t evidence = ledger.value("evidence", Json::array()).size();
    if (ledgers > 1) {
      text += fmt::format("{}: its ledger was begun anew {} times\n", site.value("site", ""), ledgers - 1);
    }
    if (evidence > 0) {
      text += fmt::format("{}: its ledger was put back to an earlier state {} times (--format json shows the heads)\n",
                          site.value("site", ""), evidence);
    }
  }
  return text;
}

std::string RunStateText(const Json& view) {
  const std::string wait = FirstWait(view);
  const std::string state = view.value("state", "");
  // How long a query has been open changes all the time; that is what progress is for.
  if (state == "running" || wait.empty()) return state;
  return state + ": " + wait;
}

std::string RunEndText(const Json& view) {
  const std::string id = ShortId(view);
  const std::string state = view.value("state", "");
  if (state == "published") return fmt::format("run {}: {}", id, FileText(view));
  std::string text = fmt::format("run {}: {}", id, state);
  if (view.contains("failure")) {
    text += ": " + view.at("failure").value("message", "") + "\n";
    const std::string hint = view.at("failure").value("hint", "");
    if (!hint.empty()) text += "  " + hint + "\n";
    return text;
  }
  if (view.contains("aborted_by")) text += " by " + view.value("aborted_by", "");
  return text + "\n";
}

int RunExitCode(const Json& view) {
  const std::string state = view.value("state", "");
  if (state == "published") return 0;
  const int failure = view.contains("failure") ? view.at("failure").value("code", 1) : 1;
  return failure == 0 ? static_cast<int>(ErrorCode::kFailed) : failure;
}

}  // namespace synod
