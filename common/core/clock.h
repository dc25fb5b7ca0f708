// Time as a constructor parameter, so that tests own it.
#pragma once

#include <cstdint>
#include <string>

namespace synod {

class Clock {
 public:
  virtual ~Clock() = default;
  // Seconds since the Unix epoch, UTC.
  virtual std::int64_t UnixSeconds() const = 0;
  // Seconds of a clock that never goes back; its zero means nothing.
  virtual double MonotonicSeconds() const = 0;
};

class SystemClock final : public Clock {
 public:
  std::int64_t UnixSeconds() const override;
  double MonotonicSeconds() const override;
};

// "2026-01-31T12:00:00Z".
std::string Rfc3339(std::int64_t unix_seconds);

}  // namespace synod
