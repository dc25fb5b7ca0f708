#include "common/log/event_log.h"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>

namespace synod {
namespace {

struct LevelRow {
  LogLevel level;
  std::string_view name;
  spdlog::level::level_enum spdlog_level;
};
constexpr std::array<LevelRow, 4> kLevels = {{{LogLevel::kDebug, "debug", spdlog::level::debug},
                                              {LogLevel::kInfo, "info", spdlog::level::info},
                                              {LogLevel::kWarning, "warning", spdlog::level::warn},
                                              {LogLevel::kError, "error", spdlog::level::err}}};

const LevelRow& RowOf(LogLevel level) {
  return kLevels.at(static_cast<std::size_t>(level));
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// "2026-01-31T12:00:00Z info run_started run=3f2a site=site-a"
std::string PlainLine(const std::string& time, std::string_view level, std::string_view event, const Json& fields) {
  std::string line = fmt::format("{} {} {}", time, level, event);
  if (!fields.is_object()) return line;
  for (const auto& [key, value] : fields.items()) {
    line += fmt::format(" {}={}", key, value.is_string() ? value.get<std::string>() : Dump(value));
  }
  // One event is one line whatever its texts hold.
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return line;
}

std::string JsonLine(const std::string& time, std::string_view level, std::string_view event, const Json& fields) {
  Json line = fields.is_object() ? fields : Json::object();
  line["time"] = time;
  line["level"] = level;
  line["event"] = event;
  return Dump(line);
}

}  // namespace

Result<LogLevel> LogLevelFromName(std::string_view name) {
  for (const LevelRow& row : kLevels) {
    if (row.name == name) return row.level;
  }
  return BadInput(fmt::format("there is no log level \"{}\"", name), "use debug, info, warning or error");
}

struct EventLog::State {
  spdlog::logger logger;
  const Clock& clock;
  bool plain;
};

EventLog::EventLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
EventLog::~EventLog() = default;

Result<std::unique_ptr<EventLog>> EventLog::Open(const Settings& settings, const Clock& clock) {
  try {
    spdlog::sink_ptr sink;
    if (settings.file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(settings.file);
    }
    spdlog::logger logger("synod", std::move(sink));
    logger.set_pattern("%v");
    logger.set_level(RowOf(settings.level).spdlog_level);
    logger.flush_on(spdlog::level::debug);
    // A log that cannot be written (full disk) must not stop the daemon, and has nowhere to complain.
    logger.set_error_handler([](const std::string&) {});
    auto state = std::make_unique<State>(State{std::move(logger), clock, settings.plain});
    return std::unique_ptr<EventLog>(new EventLog(std::move(state)));
  } catch (const spdlog::spdlog_ex&) {
    return Failed(fmt::format("cannot open the log file {}", settings.file),
                  "check that its folder exists and may be written to");
  }
}

void EventLog::Write(LogLevel level, std::string_view event, const Json& fields) {
  const LevelRow& row = RowOf(level);
  if (!state_->logger.should_log(row.spdlog_level)) return;
  const std::string time = Rfc3339(state_->clock.UnixSeconds());
  state_->logger.log(row.spdlog_level, state_->plain ? PlainLine(time, row.name, event, fields)
                                                     : JsonLine(time, row.name, event, fields));
}

}  // namespace synod
