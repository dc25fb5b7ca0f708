#include "common/artefact/trusted_keys.h"

#include <fmt/format.h>

#include "common/core/check.h"
#include "common/core/file.h"
#include "common/core/hex.h"
#include "common/crypto/sha256.h"
#include "common/privacy/plan.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

Result<PublicKey> KeyFrom(const StrictObject& fields, std::string_view key) {
  SYNOD_ASSIGN_OR_RETURN(const Digest raw, fields.Hash(key));
  return PublicKey(raw);
}

}  // namespace

Result<TrustedKeys> TrustedKeys::FromJson(const Json& json) {
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, "trusted keys", {"version", "coordinator", "sites"}));
  SYNOD_RETURN_IF_ERROR(fields.Unsigned32("version", 1, 1));
  TrustedKeys keys;
  SYNOD_ASSIGN_OR_RETURN(keys.coordinator, KeyFrom(fields, "coordinator"));
  SYNOD_ASSIGN_OR_RETURN(const Json* sites, fields.Array("sites", Plan::kMaxSites));
  for (const Json& item : *sites) {
    SYNOD_ASSIGN_OR_RETURN(const StrictObject site, StrictObject::Of(item, "trusted keys: site", {"id", "public_key"}));
    SYNOD_ASSIGN_OR_RETURN(const std::string id, site.PlainName("id"));
    SYNOD_ASSIGN_OR_RETURN(const PublicKey key, KeyFrom(site, "public_key"));
    if (!keys.sites.emplace(id, key).second)
      return BadInput(fmt::format("trusted keys: site \"{}\" is there twice", id));
  }
  return keys;
}

Result<TrustedKeys> TrustedKeys::FromFile(const std::string& path) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxFileBytes));
  const Result<Json> json = ParseJson(text, kMaxFileBytes);
  if (!json.ok()) return json.error().Within(path);
  Result<TrustedKeys> keys = FromJson(*json);
  if (!keys.ok()) return keys.error().Within(path);
  return keys;
}

Json TrustedKeys::ToJson() const {
  SYNOD_CHECK(coordinator.has_value(), "a file of trusted keys names the coordinator's");
  Json list = Json::array();
  for (const auto& [id, key] : sites) list.push_back({{"id", id}, {"public_key", ToHex(key.bytes())}});
  return {{"version", 1}, {"coordinator", ToHex(coordinator->bytes())}, {"sites", list}};
}

Digest KeyFingerprint(const PublicKey& key) {
  return Sha256(key.bytes());
}

}  // namespace synod
