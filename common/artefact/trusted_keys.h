// The public keys that a verification trusts: the coordinator's and one for each site.
//
// File form: {"version": 1, "coordinator": HEX, "sites": [{"id": TEXT, "public_key": HEX}, ...]}, strict.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/crypto/ed25519.h"

namespace synod {

struct TrustedKeys {
  static constexpr std::size_t kMaxFileBytes = 1u << 20;

  std::optional<PublicKey> coordinator;
  std::map<std::string, PublicKey> sites;

  static Result<TrustedKeys> FromJson(const Json& json);
  static Result<TrustedKeys> FromFile(const std::string& path);
  // Needs a coordinator.
  Json ToJson() const;
};

// SHA-256 of the key's 32 bytes: what a plan's roster names.
Digest KeyFingerprint(const PublicKey& key);

}  // namespace synod
