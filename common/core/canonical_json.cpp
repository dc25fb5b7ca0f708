#include "common/core/canonical_json.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <set>
#include <vector>

namespace synod {
namespace {

Status Append(const Json& value, std::string& out);

Status AppendString(const std::string& text, std::string& out) {
  try {
    // nlohmann's strict dump: escapes control characters, quotes and backslashes only, throws on invalid UTF-8.
    out += Json(text).dump();
  } catch (const Json::exception&) {
    return BadInput("canonical JSON: a text is not valid UTF-8");
  }
  return {};
}

Status AppendReal(double value, std::string& out) {
  if (!std::isfinite(value)) return BadInput("canonical JSON: a number is not finite");
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value == 0.0 ? 0.0 : value);
  out.append(digits, end.ptr);
  return {};
}

Status AppendObject(const Json& value, std::string& out) {
  out.push_back('{');
  bool first = true;
  for (const auto& [key, item] : value.items()) {
    if (!first) out.push_back(',');
    first = false;
    SYNOD_RETURN_IF_ERROR(AppendString(key, out));
    out.push_back(':');
    SYNOD_RETURN_IF_ERROR(Append(item, out));
  }
  out.push_back('}');
  return {};
}

Status AppendArray(const Json& value, std::string& out) {
  out.push_back('[');
  bool first = true;
  for (const Json& item : value) {
    if (!first) out.push_back(',');
    first = false;
    SYNOD_RETURN_IF_ERROR(Append(item, out));
  }
  out.push_back(']');
  return {};
}

Status Append(const Json& value, std::string& out) {
  switch (value.type()) {
    case Json::value_t::object:
      return AppendObject(value, out);
    case Json::value_t::array:
      return AppendArray(value, out);
    case Json::value_t::string:
      return AppendString(value.get_ref<const std::string&>(), out);
    case Json::value_t::boolean:
      out += value.get<bool>() ? "true" : "false";
      return {};
    case Json::value_t::number_integer:
      out += fmt::format("{}", value.get<std::int64_t>());
      return {};
    case Json::value_t::number_unsigned:
      out += fmt::format("{}", value.get<std::uint64_t>());
      return {};
    case Json::value_t::number_float:
      return AppendReal(value.get<double>(), out);
    case Json::value_t::null:
    case Json::value_t::binary:
    case Json::value_t::discarded:
      break;
  }
  return BadInput("canonical JSON: null and binary values are not allowed");
}

// Refuses duplicate keys and too deep nesting while nlohmann parses.
class Guard {
 public:
  explicit Guard(std::size_t max_depth) : max_depth_(max_depth) {}

  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    if (static_cast<std::size_t>(depth) > max_depth_) too_deep_ = true;
    if (event == Json::parse_event_t::object_start) keys_.emplace_back();
    if (event == Json::parse_event_t::object_end && !keys_.empty()) keys_.pop_back();
    if (event == Json::parse_event_t::key && !keys_.empty()) {
      const std::string& key = parsed.get_ref<const std::string&>();
      if (!keys_.back().insert(key).second && duplicate_.empty()) duplicate_ = key;
    }
    return true;
  }
  bool too_deep() const { return too_deep_; }
  const std::string& duplicate() const { return duplicate_; }

 private:
  std::size_t max_depth_;
  std::vector<std::set<std::string>> keys_;
  std::string duplicate_;
  bool too_deep_ = false;
};

// nlohmann recurses while it destroys a value: nesting is measured before anything is parsed.
bool NestsDeeperThan(std::string_view text, std::size_t max_depth) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && depth > 0) --depth;
    if (depth > max_depth) return true;
  }
  return false;
}

}  // namespace

Result<std::string> CanonicalJsonText(const Json& value) {
  std::string out;
  SYNOD_RETURN_IF_ERROR(Append(value, out));
  return out;
}

Result<std::string> CanonicalJson(std::string_view label, std::uint32_t version, const Json& value) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, CanonicalJsonText(value));
  return fmt::format("{}/{}\n{}", label, version, text);
}

Result<Json> ParseJson(std::string_view text, std::size_t max_bytes, std::size_t max_depth) {
  if (text.size() > max_bytes) return BadInput(fmt::format("JSON has more than {} bytes", max_bytes));
  if (NestsDeeperThan(text, max_depth)) return BadInput("JSON is nested too deeply");
  Guard guard(max_depth);
  Json value = Json::parse(text.begin(), text.end(), std::ref(guard), /*allow_exceptions=*/false);
  if (value.is_discarded()) return BadInput("text is not valid JSON");
  if (!guard.duplicate().empty()) return BadInput(fmt::format("JSON has the key \"{}\" twice", guard.duplicate()));
  return value;
}

}  // namespace synod
