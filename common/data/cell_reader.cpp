#include "common/data/cell_reader.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "common/data/date_time.h"

namespace synod {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::optional<double> ParseNumber(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // from_chars reads "nan" and "inf" too.
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
  return number;
}

CellReader::Cell Broken(CellRule rule) {
  CellReader::Cell cell;
  cell.ok = false;
  cell.rule = rule;
  return cell;
}

}  // namespace

std::string_view Trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

CellReader::CellReader(const Column& column) : column_(&column), whole_days_(column.is_whole_days()) {
  std::set<double> ambiguous;
  for (std::size_t i = 0; i < column.values.size(); ++i) {
    const auto code = static_cast<std::uint16_t>(i);
    by_text_.emplace(column.values[i], code);
    const std::optional<double> number = ParseNumber(column.values[i]);
    if (number && !by_number_.emplace(*number, code).second) ambiguous.insert(*number);
  }
  for (const double number : ambiguous) by_number_.erase(number);
}

CellReader::Cell CellReader::Read(std::string_view text) const {
  text = Trimmed(text);
  if (text.empty()) {
    if (!column_->missing_allowed) return Broken(CellRule::kMissing);
    Cell cell;
    cell.number = kNaN;
    cell.code = static_cast<std::uint16_t>(column_->values.size());
    return cell;
  }
  if (!column_->is_numeric()) return ReadCategory(text);
  return column_->type == ColumnType::kDatetime ? ReadDate(text) : ReadNumber(text);
}

CellReader::Cell CellReader::InRange(double number) const {
  Cell cell;
  cell.number = number;
  if (number < column_->minimum || number > column_->maximum) {
    cell.ok = false;
    cell.rule = CellRule::kOutOfRange;
  }
  return cell;
}

CellReader::Cell CellReader::ReadNumber(std::string_view text) const {
  const std::optional<double> number = ParseNumber(text);
  if (!number) return Broken(CellRule::kNotANumber);
  if (column_->type == ColumnType::kInteger && *number != std::floor(*number)) return Broken(CellRule::kNotAnInteger);
  return InRange(*number + 0.0);  // + 0.0 makes -0 a 0
}

CellReader::Cell CellReader::ReadDate(std::string_view text) const {
  const std::optional<std::int64_t> seconds = ParseDateTime(text);
  if (!seconds) return Broken(CellRule::kNotADate);
  const auto moment = static_cast<double>(*seconds);
  return InRange(whole_days_ ? 86400.0 * std::floor(moment / 86400.0) : moment);
}

CellReader::Cell CellReader::ReadCategory(std::string_view text) const {
  Cell cell;
  const auto found = by_text_.find(text);
  if (found != by_text_.end()) {
    cell.code = found->second;
    return cell;
  }
  if (by_number_.empty()) return Broken(CellRule::kUnknownCategory);
  const std::optional<double> number = ParseNumber(text);
  const auto same = number ? by_number_.find(*number) : by_number_.end();
  if (same == by_number_.end()) return Broken(CellRule::kUnknownCategory);
  cell.code = same->second;
  return cell;
}

}  // namespace synod
