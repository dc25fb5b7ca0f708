// Text of a report: everything that comes from outside (column and category names, facts of the caller) goes through
// EscapeHtml before it stands in a page.
#pragma once

#include <string>
#include <string_view>

#include "common/data/schema.h"

namespace synod {

// Safe as element content and inside a quoted attribute. Bytes that are not UTF-8, and control characters, become the
// replacement character; nothing else changes.
std::string EscapeHtml(std::string_view text);

// EscapeHtml inside <bdi>, so that a name written from right to left, or with direction marks, stays in its place.
std::string NameHtml(std::string_view name);

// "12.3 %"; shares below 0.05 % that are not 0 read "< 0.1 %".
std::string PercentText(double share);
// Four significant digits, thousands separated: "1,234", "0.0512".
std::string NumberText(double number);
// A count: "32,561".
std::string CountText(std::size_t count);
// Three decimals: "0.912".
std::string ScoreText(double score);
// A value of a numeric column: NumberText, or the day for a datetime column.
std::string ValueText(const Column& column, double value);

}  // namespace synod
