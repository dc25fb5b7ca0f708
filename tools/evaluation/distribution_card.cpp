#include "tools/evaluation/distribution_card.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tools/evaluation/html_text.h"

namespace synod {
namespace {

constexpr double kPlotHeight = 100.0;  // of the picture's own units; the style sheet stretches it
constexpr int kMaxTicks = 6;
constexpr int kMaxWideTicks = 4;  // where a label is longer than kWideLabel characters
constexpr std::size_t kWideLabel = 5;

struct Bar {
  std::string name;  // HTML
  std::string title;
  double real = 0.0;
  double synthetic = 0.0;
  bool rest = false;  // not a category: others, missing
};

std::vector<Bar> BarsOf(const ColumnProfile& profile) {
  const std::vector<std::string>& values = profile.column.values;
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const bool crowded = values.size() > kMaxBarsOfCard;
  const auto weight = [&](std::size_t i) { return profile.real.shares[i] + profile.synthetic.shares[i]; };
  if (crowded) {
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return weight(a) > weight(b); });
  }
  std::vector<Bar> bars;
  Bar others{"", "", 0.0, 0.0, true};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t k = order[i];
    if (crowded && i >= kMaxBarsOfCard - 1) {
      others.real += profile.real.shares[k];
      others.synthetic += profile.synthetic.shares[k];
    } else {
      bars.push_back(
          {NameHtml(values[k]), EscapeHtml(values[k]), profile.real.shares[k], profile.synthetic.shares[k], false});
    }
  }
  if (crowded) {
    others.name = fmt::format("{} others", values.size() - bars.size());
    bars.push_back(others);
  }
  if (profile.real.missing > 0.0 || profile.synthetic.missing > 0.0) {
    bars.push_back({"missing", "", profile.real.missing, profile.synthetic.missing, true});
  }
  return bars;
}

std::string CategoryTable(const ColumnProfile& profile) {
  const std::vector<Bar> bars = BarsOf(profile);
  double longest = 0.0;
  for (const Bar& bar : bars) longest = std::max({longest, bar.real, bar.synthetic});
  if (longest <= 0.0) longest = 1.0;
  std::string html =
      "<table class=\"cats\"><colgroup><col class=\"c1\"><col><col class=\"c3\"></colgroup><thead "
      "class=\"hidden\"><tr><th scope=\"col\">Category</th><th scope=\"col\">Bars</th>"
      "<th scope=\"col\">Share of rows, real then synthetic</th></tr></thead><tbody>";
  for (const Bar& bar : bars) {
    html += fmt::format(
        "<tr{}><th scope=\"row\" title=\"{}\">{}</th><td class=\"bar\" aria-hidden=\"true\"><span class=\"r\" "
        "style=\"width:{:.2f}%\"></span><span class=\"s\" style=\"width:{:.2f}%\"></span></td><td class=\"n\"><span "
        "class=\"r\">{}</span><span class=\"s\">{}</span></td></tr>",
        bar.rest ? " class=\"rest\"" : "", bar.title, bar.name, 100.0 * bar.real / longest,
        100.0 * bar.synthetic / longest, PercentText(bar.real), PercentText(bar.synthetic));
  }
  return html + "</tbody></table>";
}

// Round numbers inside [low, high], in about `wanted` steps or fewer.
std::vector<double> Ticks(double low, double high, int wanted) {
  if (!(high > low)) return {low};
  const double rough = (high - low) / wanted;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10.0 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  for (double k = std::ceil(low / step); k * step <= high; k += 1.0) {
    ticks.push_back(k * step + 0.0);
  }
  return ticks;
}

std::string TickMarks(const ColumnProfile& profile) {
  const double range = profile.high - profile.low;
  const bool wide = ValueText(profile.column, profile.high).size() > kWideLabel;
  std::vector<double> ticks = Ticks(profile.low, profile.high, wide ? kMaxWideTicks : kMaxTicks);
  if (profile.column.type == ColumnType::kDatetime && range > 0.0) {
    ticks = {profile.low + 0.1 * range, profile.low + 0.5 * range, profile.low + 0.9 * range};
  }
  if (profile.column.type == ColumnType::kInteger) {
    ticks.erase(std::remove_if(ticks.begin(), ticks.end(), [](double t) { return t != std::round(t); }), ticks.end());
  }
  std::string html;
  for (const double tick : ticks) {
    const double place = range > 0.0 ? 100.0 * (tick - profile.low) / range : 50.0;
    // A label at either end stays inside the card.
    const char* end = place < 4.0 ? " first" : place > 93.0 ? " last" : "";
    html += fmt::format("<span class=\"tick{}\" style=\"left:{:.2f}%\">{}</span>", end, place,
                        ValueText(profile.column, tick));
  }
  return html;
}

std::string Histogram(const ColumnProfile& profile) {
  const std::size_t bins = profile.real.shares.size();
  double highest = 0.0;
  for (const ColumnSide* side : {&profile.real, &profile.synthetic}) {
    highest = std::max(highest, *std::max_element(side->shares.begin(), side->shares.end()));
  }
  if (highest <= 0.0) return "<p class=\"hint\">No value is present in either table.</p>";
  const auto height = [&](double share) { return kPlotHeight * (1.0 - share / highest); };
  std::string area = fmt::format("M0 {:.0f}", kPlotHeight);
  std::string step = area;
  for (std::size_t i = 0; i < bins; ++i) {
    area += fmt::format("V{:.2f}H{}", height(profile.real.shares[i]), 10 * (i + 1));
    step += fmt::format("V{:.2f}H{}", height(profile.synthetic.shares[i]), 10 * (i + 1));
  }
  area += fmt::format("V{:.0f}Z", kPlotHeight);
  step += fmt::format("V{:.0f}", kPlotHeight);
  // The bins of integers reach half a step beyond the values.
  const double margin = profile.column.type == ColumnType::kInteger && profile.high > profile.low ? 0.5 : 0.0;
  const std::string label =
      fmt::format("Histogram of {}, {} to {}: real filled, synthetic outlined.", EscapeHtml(profile.column.name),
                  ValueText(profile.column, profile.low + margin), ValueText(profile.column, profile.high - margin));
  std::string html = fmt::format(
      "<div class=\"plot\"><svg role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {} 100\" preserveAspectRatio=\"none\">",
      label, 10 * bins);
  for (const int y : {0, 50}) html += fmt::format("<path class=\"grid\" d=\"M0 {}H{}\"/>", y, 10 * bins);
  html += fmt::format(
      "<path class=\"area\" d=\"{}\"/><path class=\"step\" d=\"{}\"/><path class=\"base\" d=\"M0 100H{}\"/>", area,
      step, 10 * bins);
  html += "</svg>" + TickMarks(profile);
  return html + fmt::format("<span class=\"top\">{}</span></div>", PercentText(highest));
}

std::string StatsRow(const ColumnProfile& profile, const ColumnSide& side, const char* name, const char* style) {
  std::string html = fmt::format("<tr><th scope=\"row\" class=\"{}\">{}</th>", style, name);
  for (const double NumberSummary::*member :
       {&NumberSummary::mean, &NumberSummary::quantile_5, &NumberSummary::median, &NumberSummary::quantile_95}) {
    html += fmt::format("<td class=\"n\">{}</td>",
                        side.numbers ? ValueText(profile.column, (*side.numbers).*member) : std::string("none"));
  }
  return html + "</tr>";
}

std::string NumberTable(const ColumnProfile& profile) {
  std::string html =
      "<table class=\"stats\"><thead><tr><th scope=\"col\"><span class=\"hidden\">Table</span></th><th scope=\"col\" "
      "class=\"n\">Mean</th><th scope=\"col\" class=\"n\">5 %</th><th scope=\"col\" class=\"n\">Median</th><th "
      "scope=\"col\" class=\"n\">95 %</th></tr></thead><tbody>";
  html += StatsRow(profile, profile.real, "Real", "r") + StatsRow(profile, profile.synthetic, "Synthetic", "s");
  return html + fmt::format("</tbody></table><p class=\"rest\">Missing: real {}, synthetic {}</p>",
                            PercentText(profile.real.missing), PercentText(profile.synthetic.missing));
}

}  // namespace

std::string TypeText(ColumnType type) {
  switch (type) {
    case ColumnType::kContinuous:
      return "continuous";
    case ColumnType::kInteger:
      return "integer";
    case ColumnType::kCategorical:
      return "categorical";
    case ColumnType::kBinary:
      return "binary";
    case ColumnType::kDatetime:
      return "date and time";
  }
  return "";
}

std::string DistributionCard(const ColumnProfile& profile, const std::string& anchor) {
  std::string html = fmt::format(
      "<article class=\"card column\" id=\"{}\"><header><h3>{}</h3><span>{}, distance {}</span></header>", anchor,
      NameHtml(profile.column.name), TypeText(profile.column.type), ScoreText(profile.total_variation));
  html += profile.column.is_numeric() ? Histogram(profile) + NumberTable(profile) : CategoryTable(profile);
  return html + "</article>";
}

}  // namespace synod
