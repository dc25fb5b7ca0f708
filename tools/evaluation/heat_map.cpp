#include "tools/evaluation/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/core/check.h"
#include "tools/evaluation/html_text.h"

namespace synod {
namespace {

// In the units of the picture, which are pixels at its natural size.
constexpr double kNames = 100.0;
constexpr double kLeastCell = 13.0;
constexpr double kWidth = 360.0;
constexpr std::size_t kNameCharacters = 15;
constexpr std::size_t kMaxColumnsWithTitles = 40;  // beyond, a title in every cell would make the page heavy

double CellOf(std::size_t columns) {
  return std::max(kLeastCell, (kWidth - kNames) / static_cast<double>(std::max(columns, std::size_t{1})));
}

// At most kNameCharacters code points, cut with an ellipsis.
std::string ShortName(const std::string& name) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(name[i]) & 0xC0) != 0x80;
    if (starts && ++characters > kNameCharacters) return EscapeHtml(name.substr(0, i)) + "\xE2\x80\xA6";
  }
  return EscapeHtml(name);
}

std::string Names(const HeatMap& map, double cell) {
  std::string svg;
  for (std::size_t i = 0; i < map.names.size(); ++i) {
    const double middle = kNames + cell * (static_cast<double>(i) + 0.5);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", kNames - 5.0, middle + 3.5,
                       ShortName(map.names[i]));
    svg += fmt::format("<text transform=\"translate({:.1f} {:.1f}) rotate(-90)\">{}</text>", middle + 3.5, kNames - 5.0,
                       ShortName(map.names[i]));
  }
  return svg;
}

std::string Cell(const HeatMap& map, std::size_t i, std::size_t j, double cell) {
  const double value = map.values(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j));
  const double strength = std::min(1.0, std::abs(value) / map.full_scale);
  const std::string place = fmt::format("x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\"",
                                        kNames + cell * static_cast<double>(j), kNames + cell * static_cast<double>(i),
                                        cell - 0.6, cell - 0.6);
  if (i == j) return fmt::format("<rect class=\"d\" {}/>", place);
  const std::string shape = fmt::format("<rect class=\"{}\" fill-opacity=\"{:.3f}\" {}", value < 0.0 ? "m" : "p",
                                        std::max(0.03, strength), place);
  if (map.names.size() > kMaxColumnsWithTitles) return shape + "/>";
  return shape + fmt::format("><title>{} / {}: {:.2f}</title></rect>", EscapeHtml(map.names[i]),
                             EscapeHtml(map.names[j]), value);
}

}  // namespace

std::string HeatMapFigure(const HeatMap& map) {
  const std::size_t columns = map.names.size();
  SYNOD_CHECK(static_cast<std::size_t>(map.values.rows()) == columns && map.values.rows() == map.values.cols() &&
                  map.full_scale > 0.0,
              "a heat map needs one name a row and column");
  const double cell = CellOf(columns);
  const double size = kNames + cell * static_cast<double>(columns) + 1.0;
  std::string html = fmt::format(
      "<figure class=\"card\"><figcaption><h3>{}</h3></figcaption><div class=\"scroll\"><svg role=\"img\" "
      "aria-label=\"{}\" viewBox=\"0 0 {:.0f} {:.0f}\">",
      EscapeHtml(map.caption), EscapeHtml(map.summary), size, size);
  html += Names(map, cell);
  for (std::size_t i = 0; i < columns; ++i) {
    for (std::size_t j = 0; j < columns; ++j) html += Cell(map, i, j, cell);
  }
  html += fmt::format("</svg></div><div class=\"scale\">{:.2f}<span aria-hidden=\"true\"></span>{:.2f}</div></figure>",
                      -map.full_scale, map.full_scale);
  return html;
}

std::string HeatMapSizes(std::size_t columns) {
  const double natural = kNames + CellOf(columns) * static_cast<double>(columns);
  return fmt::format("--map:{:.0f}px;--most:{:.0f}px;--least:{:.0f}px", std::min(natural, 1100.0), 1.2 * natural,
                     kNames * 0.85 + kLeastCell * 0.85 * static_cast<double>(columns));
}

}  // namespace synod
