#include "common/data/date_time.h"

#include <fmt/format.h>

#include <chrono>
#include <iterator>

namespace synod {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;

// Reads exactly `digits` decimal digits and moves past them; -1 where there are fewer.
int TakeDigits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return -1;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = 10 * value + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool Take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<std::int64_t> ParseDateTime(std::string_view text) {
  const int year = TakeDigits(text, 4);
  if (year < 1 || !Take(text, '-')) return std::nullopt;
  const int month = TakeDigits(text, 2);
  if (month < 1 || !Take(text, '-')) return std::nullopt;
  const int day = TakeDigits(text, 2);
  if (day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t midnight = std::chrono::sys_days(date).time_since_epoch().count() * kSecondsPerDay;
  if (text.empty()) return midnight;

  if (!Take(text, 'T')) return std::nullopt;
  const int hour = TakeDigits(text, 2);
  if (hour < 0 || hour > 23 || !Take(text, ':')) return std::nullopt;
  const int minute = TakeDigits(text, 2);
  if (minute < 0 || minute > 59 || !Take(text, ':')) return std::nullopt;
  const int second = TakeDigits(text, 2);
  if (second < 0 || second > 59) return std::nullopt;
  if (!text.empty() && text != "Z") return std::nullopt;
  return midnight + 3600 * hour + 60 * minute + second;
}

void AppendDateTime(std::int64_t unix_seconds, bool whole_days, std::string& out) {
  std::int64_t days = unix_seconds / kSecondsPerDay;
  std::int64_t rest = unix_seconds % kSecondsPerDay;
  if (rest < 0) {
    rest += kSecondsPerDay;
    --days;
  }
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  if (whole_days) return;
  fmt::format_to(std::back_inserter(out), "T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60);
}

}  // namespace synod
