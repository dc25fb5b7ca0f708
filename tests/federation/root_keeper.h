// Certificates that the keeper of a test federation's root gives, wittingly or not.
#pragma once

#include <cstdint>
#include <string>

#include "common/core/identity.h"
#include "common/crypto/x509.h"
#include "common/net/link_events.h"
#include "tests/federation/federation.h"

namespace synod::testing {

class RootKeeper {
 public:
  explicit RootKeeper(const Federation& federation);

  // For the key of `kit`, from `begin_days` to `end_days` after now.
  TlsFiles ForKey(const std::string& kit, const Identity& identity, std::int64_t begin_days, std::int64_t end_days);
  // For a new key.
  TlsFiles ForNewKey(const Identity& identity);
  // Of a new root of its own, which calls itself by the same consortium's name.
  TlsFiles SelfMade(const std::string& consortium);
  // Puts a new certificate for its own key into the kit; gives its serial number.
  std::string Renew(const std::string& kit);

 private:
  X509Certificate Certificate(const TlsKey& key, const Identity& identity, std::int64_t begin_days,
                              std::int64_t end_days) const;
  std::string NewKeyFile(const TlsKey& key);
  std::string NewFile(const X509Certificate& certificate);

  std::string consortium_;
  TlsKey root_key_;
  X509Certificate root_;
  std::string folder_;
  std::int64_t now_;
  int next_ = 0;
};

}  // namespace synod::testing
