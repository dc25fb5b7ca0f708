#include "tools/evaluation/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/core/file.h"
#include "tools/evaluation/distribution_card.h"
#include "tools/evaluation/heat_map.h"
#include "tools/evaluation/html_text.h"
#include "tools/evaluation/report_style.h"
#include "tools/evaluation/score_table.h"

namespace synod {
namespace {

constexpr std::size_t kMaxHeatMapColumns = 48;
constexpr const char* kKey =
    "<div class=\"key\"><span><i class=\"r\"></i>real</span><span><i class=\"s\"></i>synthetic</span></div>";

std::string Head(const std::string& title) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta name=\"robots\" content=\"noindex\"><title>{}</title><style>{}</style></head><body><main>",
      EscapeHtml(title), ReportStyle());
}

std::string Top(const ReportInput& input) {
  const Evaluation& e = input.evaluation;
  std::string html = fmt::format(
      "<p class=\"overline\">Synod, evaluation of synthetic data</p><h1>{}</h1><p class=\"lead\">{} synthetic rows of "
      "{}, compared with {} real training rows and {} real test rows.</p>",
      EscapeHtml(input.title), CountText(e.synthetic_rows), NameHtml(e.schema_name), CountText(e.real_train_rows),
      CountText(e.real_test_rows));
  html +=
      "<div class=\"mark\" role=\"note\"><strong>Contains statistics of real data, not differentially private: for the "
      "data holder only.</strong>";
  html +=
      input.real_data == RealData::kPublic
          ? "<p>The real data of this page is public. Made from private data, it must not leave the data holder.</p>"
          : "<p>Counts and averages on this page were computed from real records without noise. The generator's "
            "privacy guarantee does not cover them.</p>";
  return html + "</div>";
}

std::string Facts(const ReportInput& input) {
  std::string html;
  if (!input.facts.empty()) {
    html += "<h2>The run</h2><dl class=\"facts card\">";
    for (const auto& [name, value] : input.facts) {
      html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", EscapeHtml(name), EscapeHtml(value));
    }
    html += "</dl>";
  }
  if (!input.privacy_statement.empty()) {
    html += "<h2>Privacy of the generator</h2><div class=\"card\">";
    for (const std::string& paragraph : input.privacy_statement)
      html += fmt::format("<p>{}</p>", EscapeHtml(paragraph));
    html += "</div>";
  }
  return html;
}

std::string Scores(const Evaluation& evaluation) {
  std::string html =
      "<h2>Scores</h2><p class=\"hint\">The real column is the yardstick: what real data scores where "
      "that can be measured.</p><div class=\"card\">" +
      ScoreTable(evaluation) + "</div>";
  if (!evaluation.notes.empty()) {
    html += "<ul class=\"hint\">";
    for (const std::string& note : evaluation.notes) html += fmt::format("<li>{}</li>", EscapeHtml(note));
    html += "</ul>";
  }
  return html;
}

std::string Anchor(std::size_t position) {
  return fmt::format("column-{}", position + 1);
}

std::string ColumnList(const Evaluation& evaluation) {
  const std::vector<ColumnProfile>& columns = evaluation.columns;
  std::vector<std::size_t> order(columns.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return columns[a].total_variation > columns[b].total_variation;
  });
  const double longest = std::max(1e-9, columns[order.front()].total_variation);
  std::string html =
      "<h2>Columns, worst first</h2><p class=\"hint\">Distance between the real and the synthetic distribution of each "
      "column; 0 is equal.</p><div class=\"card\"><table><thead><tr><th scope=\"col\">Column</th><th scope=\"col\" "
      "class=\"opt\">Type</th><th scope=\"col\"><span class=\"hidden\">Bar</span></th><th scope=\"col\" "
      "class=\"n\">Distance</th><th scope=\"col\" class=\"n opt\">Missing, real</th><th scope=\"col\" class=\"n "
      "opt\">Missing, synthetic</th></tr></thead><tbody>";
  for (const std::size_t i : order) {
    const ColumnProfile& column = columns[i];
    html += fmt::format(
        "<tr><th scope=\"row\"><a href=\"#{}\">{}</a></th><td class=\"opt\">{}</td><td aria-hidden=\"true\"><span "
        "class=\"meter\"><span style=\"width:{:.2f}%\"></span></span></td><td class=\"n syn\">{}</td><td class=\"n "
        "opt\">{}</td><td class=\"n opt\">{}</td></tr>",
        Anchor(i), NameHtml(column.column.name), TypeText(column.column.type), 100.0 * column.total_variation / longest,
        ScoreText(column.total_variation), PercentText(column.real.missing), PercentText(column.synthetic.missing));
  }
  return html + "</tbody></table></div>";
}

std::string Distributions(const Evaluation& evaluation) {
  std::string html = std::string("<h2>Column by column</h2>") + kKey + "<div class=\"cards\">";
  for (std::size_t i = 0; i < evaluation.columns.size(); ++i) {
    html += DistributionCard(evaluation.columns[i], Anchor(i));
  }
  return html + "</div>";
}

// The pair furthest from zero, in words.
std::string Strongest(const Eigen::MatrixXd& values, const std::vector<std::string>& names, const char* what) {
  double best = -1.0;
  std::string text;
  for (Eigen::Index i = 0; i < values.rows(); ++i) {
    for (Eigen::Index j = i + 1; j < values.cols(); ++j) {
      if (std::abs(values(i, j)) <= best) continue;
      best = std::abs(values(i, j));
      text = fmt::format("{} {} columns. {}: {} and {}, {:.2f}.", "Heat map of", names.size(), what,
                         names[static_cast<std::size_t>(i)], names[static_cast<std::size_t>(j)], values(i, j));
    }
  }
  return text;
}

std::string Associations(const Evaluation& evaluation) {
  const auto shown = static_cast<Eigen::Index>(std::min(evaluation.association_columns.size(), kMaxHeatMapColumns));
  if (shown < 2) return "";
  const std::vector<std::string> names(evaluation.association_columns.begin(),
                                       evaluation.association_columns.begin() + shown);
  const Eigen::MatrixXd real = evaluation.association_real.topLeftCorner(shown, shown);
  const Eigen::MatrixXd synthetic = evaluation.association_synthetic.topLeftCorner(shown, shown);
  const Eigen::MatrixXd difference = synthetic - real;
  const double scale = std::max(0.1, std::ceil(difference.cwiseAbs().maxCoeff() * 10.0 - 1e-9) / 10.0);
  std::string html =
      "<h2>Associations between columns</h2><p class=\"hint\">Blue is positive, orange is negative; associations with "
      "a "
      "category have no sign. The difference is synthetic minus real, with a scale of its own.";
  if (names.size() < evaluation.association_columns.size()) {
    html += fmt::format(" The first {} of {} columns are shown.", names.size(), evaluation.association_columns.size());
  }
  html += fmt::format("</p><div class=\"maps\" style=\"{}\">", HeatMapSizes(names.size()));
  html += HeatMapFigure({"Real", Strongest(real, names, "Strongest association in the real data"), names, real, 1.0});
  html += HeatMapFigure(
      {"Synthetic", Strongest(synthetic, names, "Strongest association in the synthetic data"), names, synthetic, 1.0});
  html += HeatMapFigure({"Difference", Strongest(difference, names, "Largest difference"), names, difference, scale});
  return html + "</div>";
}

}  // namespace

std::string RenderReport(const ReportInput& input) {
  return Head(input.title) + Top(input) + ScoreTiles(input.evaluation) + Facts(input) + Scores(input.evaluation) +
         ColumnList(input.evaluation) + Distributions(input.evaluation) + Associations(input.evaluation) +
         "<h2>What the measures are</h2>" + ScoreDefinitions() +
         "<footer>Made by Synod. This page is complete in itself: it loads nothing and runs nothing.</footer>"
         "</main></body></html>\n";
}

Status WriteReport(const std::string& path, const ReportInput& input) {
  SYNOD_RETURN_IF_ERROR(CheckReportPlace(path, input.real_data));
  return WriteFileAtomically(path, AsBytes(RenderReport(input)));
}

}  // namespace synod
