#include "tools/evaluation/html_text.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

#include "common/core/clock.h"

namespace synod {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Length of the UTF-8 sequence that starts at `at`, or 0 if there is none (overlong forms, surrogates and values above
// U+10FFFF included).
std::size_t SequenceLength(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(at);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  }
  const std::uint8_t second = byte(at + 1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool beyond = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  return overlong || beyond ? 0 : length;
}

void AppendCharacter(std::string_view character, std::string& out) {
  if (character.size() > 1) {
    out += character;
    return;
  }
  const char c = character.front();
  switch (c) {
    case '&':
      out += "&amp;";
      return;
    case '<':
      out += "&lt;";
      return;
    case '>':
      out += "&gt;";
      return;
    case '"':
      out += "&quot;";
      return;
    case '\'':
      out += "&#39;";
      return;
    default:
      break;
  }
  const bool control = (static_cast<std::uint8_t>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F;
  if (control) {
    out += kReplacement;
  } else {
    out += c;
  }
}

// Puts commas between the thousands of the digits before the point.
std::string Grouped(std::string digits) {
  const std::size_t start = !digits.empty() && digits.front() == '-' ? 1 : 0;
  std::size_t end = digits.find_first_not_of("0123456789", start);
  if (end == std::string::npos) end = digits.size();
  for (std::size_t at = end; at > start + 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = SequenceLength(text, i);
    if (length == 0) {
      out += kReplacement;
      ++i;
      continue;
    }
    AppendCharacter(text.substr(i, length), out);
    i += length;
  }
  return out;
}

std::string NameHtml(std::string_view name) {
  return fmt::format("<bdi>{}</bdi>", EscapeHtml(name));
}

std::string PercentText(double share) {
  if (share > 0.0 && share < 0.0005) return "&lt; 0.1 %";
  return fmt::format("{:.1f} %", 100.0 * share);
}

std::string NumberText(double number) {
  if (number == 0.0) return "0";
  const double size = std::abs(number);
  if (size >= 1e15 || size < 1e-4) return fmt::format("{:.3e}", number);
  if (size >= 1000.0) return Grouped(fmt::format("{:.0f}", number));
  const int decimals = 3 - static_cast<int>(std::floor(std::log10(size)));
  std::string text = fmt::format("{:.{}f}", number, std::max(0, decimals));
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text;
}

std::string CountText(std::size_t count) {
  return Grouped(std::to_string(count));
}

std::string ScoreText(double score) {
  return fmt::format("{:.3f}", score);
}

std::string ValueText(const Column& column, double value) {
  if (column.type != ColumnType::kDatetime) return NumberText(value);
  return Rfc3339(static_cast<std::int64_t>(std::floor(value))).substr(0, 10);
}

}  // namespace synod
