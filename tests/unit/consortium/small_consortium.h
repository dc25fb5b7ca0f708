// A consortium "hearts" with a root, a coordinator, two sites and an operator, in memory and on disk: what the tests
// attack.
#pragma once

#include <string>
#include <vector>

#include "common/consortium/make_kits.h"
#include "common/consortium/trust.h"
#include "common/core/clock.h"

namespace synod::testing {

inline constexpr std::int64_t kNow = 1'780'000'000;
inline constexpr std::int64_t kDay = 86'400;

class StoppedClock final : public Clock {
 public:
  explicit StoppedClock(std::int64_t now = kNow) : now_(now) {}
  std::int64_t UnixSeconds() const override { return now_; }
  double MonotonicSeconds() const override { return static_cast<double>(now_); }

 private:
  std::int64_t now_;
};

// A root in memory, to sign what no folder of a root would.
struct RootInMemory {
  explicit RootInMemory(const std::string& consortium = "hearts")
      : certificate(MakeRoot(key, consortium, kNow - kDay, kNow + 3650 * kDay).value()) {}

  X509Certificate IssueTo(const TlsKey& to, const Identity& identity, std::int64_t from = kNow,
                          std::int64_t until = kNow + 730 * kDay) const {
    return Issue(key, certificate, MakeRequest(to, identity), identity, from, until).value();
  }

  TlsKey key = TlsKey::Generate();
  X509Certificate certificate;
};

Identity Hearts(Role role, const std::string& name);
ConsortiumOptions HeartsOptions();
// Kits of a new consortium in a fresh folder, with the sites "site-a" and "site-b".
Kits MakeHearts();
Trust LoadTrust(const std::string& kit, std::int64_t now = kNow);
std::string ReadText(const std::string& path);
void WriteText(const std::string& path, const std::string& text);

}  // namespace synod::testing
