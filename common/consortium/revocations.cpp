#include <algorithm>
#include <set>
#include <tuple>

#include "common/consortium/manifest.h"
#include "common/core/hex.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

constexpr std::uint64_t kMaxNumber = std::uint64_t{1} << 53;
constexpr std::uint64_t kMaxUnixSeconds = 253'402'300'799;
constexpr std::size_t kMaxRevoked = 10'000;

Result<Revocation> RevocationFrom(const Json& json, const std::string& consortium) {
  SYNOD_ASSIGN_OR_RETURN(
      const StrictObject fields,
      StrictObject::Of(json, "revocations: item", {"identity", "tls_key_fingerprint", "revoked_unix"}));
  Revocation revocation;
  SYNOD_ASSIGN_OR_RETURN(const std::string uri, fields.Text("identity", 512));
  SYNOD_ASSIGN_OR_RETURN(revocation.identity, Identity::FromUri(uri));
  if (revocation.identity.consortium != consortium) return fields.Wrong("identity", "is of another consortium");
  SYNOD_ASSIGN_OR_RETURN(revocation.tls_key_fingerprint, fields.Hash("tls_key_fingerprint"));
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t seconds, fields.Unsigned("revoked_unix", 0, kMaxUnixSeconds));
  revocation.revoked_unix = static_cast<std::int64_t>(seconds);
  return revocation;
}

Status CheckRevoked(const std::vector<Revocation>& revoked) {
  std::set<Digest> fingerprints;
  const Revocation* last = nullptr;
  for (const Revocation& one : revoked) {
    const bool ascending = last == nullptr || std::tie(last->identity, last->tls_key_fingerprint) <
                                                  std::tie(one.identity, one.tls_key_fingerprint);
    if (!ascending || !fingerprints.insert(one.tls_key_fingerprint).second) {
      return BadInput("revocations: the list is not in ascending order without repeats");
    }
    last = &one;
  }
  return {};
}

}  // namespace

const Revocation* Revocations::Find(const Digest& tls_key_fingerprint) const {
  const auto found = std::find_if(revoked.begin(), revoked.end(), [&](const Revocation& one) {
    return one.tls_key_fingerprint == tls_key_fingerprint;
  });
  return found == revoked.end() ? nullptr : &*found;
}

Result<std::string> Revocations::CanonicalText() const {
  Json list = Json::array();
  for (const Revocation& one : revoked) {
    list.push_back({{"identity", one.identity.Uri()},
                    {"tls_key_fingerprint", ToHex(one.tls_key_fingerprint)},
                    {"revoked_unix", one.revoked_unix}});
  }
  return CanonicalJson(kLabel, kVersion, {{"consortium", consortium}, {"number", number}, {"revoked", list}});
}

Result<Revocations> Revocations::FromCanonicalText(std::string_view text) {
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseCanonicalJson(kLabel, kVersion, text, kMaxBytes));
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, "revocations", {"consortium", "number", "revoked"}));
  Revocations revocations;
  SYNOD_ASSIGN_OR_RETURN(revocations.consortium, fields.Text("consortium", 64));
  SYNOD_RETURN_IF_ERROR(CheckName(revocations.consortium));
  SYNOD_ASSIGN_OR_RETURN(revocations.number, fields.Unsigned("number", 1, kMaxNumber));
  SYNOD_ASSIGN_OR_RETURN(const Json* revoked, fields.Array("revoked", kMaxRevoked));
  for (const Json& item : *revoked) {
    SYNOD_ASSIGN_OR_RETURN(Revocation one, RevocationFrom(item, revocations.consortium));
    revocations.revoked.push_back(std::move(one));
  }
  SYNOD_RETURN_IF_ERROR(CheckRevoked(revocations.revoked));
  return revocations;
}

Result<SignedText> SignRevocations(const TlsKey& root_key, const Revocations& revocations) {
  SYNOD_ASSIGN_OR_RETURN(std::string text, revocations.CanonicalText());
  // What cannot be read back must not be signed.
  SYNOD_RETURN_IF_ERROR(Revocations::FromCanonicalText(text));
  Bytes signature = root_key.Sign(Revocations::kLabel, AsBytes(text));
  return SignedText{std::move(text), std::move(signature)};
}

Result<Revocations> OpenRevocations(const X509Certificate& root, const SignedText& signed_text) {
  const Bytes& signature = signed_text.signature;
  if (!root.facts().is_root || !root.VerifySignature(Revocations::kLabel, AsBytes(signed_text.text), signature)) {
    return VerificationFailed("the revocations are not signed by the consortium's root");
  }
  SYNOD_ASSIGN_OR_RETURN(Revocations revocations, Revocations::FromCanonicalText(signed_text.text));
  if (revocations.consortium != root.facts().identity.consortium) {
    return VerificationFailed("the revocations are of another consortium than the root");
  }
  return revocations;
}

}  // namespace synod
