// Dates and times as texts "YYYY-MM-DD" and "YYYY-MM-DDTHH:MM:SS", the latter optionally with a final Z; always UTC, in
// the Gregorian calendar, years 0001 to 9999, no leap seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace synod {

// Seconds since the Unix epoch, or nothing where `text` is not a date in one of the two forms.
std::optional<std::int64_t> ParseDateTime(std::string_view text);

// Appends the text of a moment within the years 0001 to 9999; only its day where `whole_days`.
void AppendDateTime(std::int64_t unix_seconds, bool whole_days, std::string& out);

}  // namespace synod
