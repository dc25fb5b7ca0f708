// What a daemon writes down: one JSON object a line, with time, level, event name and fields (run, site, query,
// reason). Fields are counts, names, ids and reasons; nothing derived from a record may be given to it
// (THREAT_MODEL.md). spdlog writes; its types stay in the .cpp. On a terminal, short plain lines. Threads: safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/core/canonical_json.h"
#include "common/core/clock.h"
#include "common/core/result.h"

namespace synod {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };
Result<LogLevel> LogLevelFromName(std::string_view name);  // debug, info, warning, error

class EventLog {
 public:
  struct Settings {
    std::string file;  // empty: standard error
    LogLevel level = LogLevel::kInfo;
    bool plain = false;  // plain lines instead of JSON
  };
  static Result<std::unique_ptr<EventLog>> Open(const Settings& settings, const Clock& clock);
  ~EventLog();

  // `event`: a stable name such as "link_opened". `fields`: a JSON object, or null.
  void Write(LogLevel level, std::string_view event, const Json& fields = {});
  void Debug(std::string_view event, const Json& fields = {}) { Write(LogLevel::kDebug, event, fields); }
  void Info(std::string_view event, const Json& fields = {}) { Write(LogLevel::kInfo, event, fields); }
  void Warning(std::string_view event, const Json& fields = {}) { Write(LogLevel::kWarning, event, fields); }
  void Error(std::string_view event, const Json& fields = {}) { Write(LogLevel::kError, event, fields); }

 private:
  struct State;
  explicit EventLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Acts of people and decisions of policies, hash-chained so that an altered or removed line shows: JSON lines whose
// `hash` is SHA-256 of CanonicalJson("synod.audit", 1, the other fields), `previous` included. Durable line by line.
class AuditLog {
 public:
  // Checks the whole chain of an existing file.
  static Result<std::unique_ptr<AuditLog>> Open(const std::string& file, const Clock& clock);
  ~AuditLog();
  Status Append(std::string_view act, const Json& fields);
  // VerificationFailed naming the first line that does not fit.
  static Status Verify(const std::string& file);

 private:
  struct State;
  explicit AuditLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// What systemd expects of a service of Type=notify; without NOTIFY_SOCKET in the environment nothing happens.
class ServiceManager {
 public:
  static ServiceManager FromEnvironment();
  void Ready() const;
  void Reloading() const;
  void Stopping() const;
  void Watchdog() const;
  void StatusText(std::string_view text) const;
  // Seconds between watchdog messages (half of WATCHDOG_USEC); infinity where none is asked for.
  double watchdog_seconds() const { return watchdog_seconds_; }

 private:
  void Notify(std::string_view text) const;
  std::string socket_;
  double watchdog_seconds_ = 0.0;
};

}  // namespace synod
