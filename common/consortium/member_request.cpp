#include "common/consortium/member_request.h"

#include "common/consortium/manifest.h"
#include "common/core/check.h"
#include "common/core/hex.h"
#include "common/crypto/sha256.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

constexpr std::string_view kProofLabel = "synod.member_request_proof";

Json Claims(const MemberRequest& request) {
  return {{"identity", request.identity.Uri()},
          {"tls_request", request.tls_request},
          {"signing_key", ToHex(request.signing_key.bytes())}};
}

std::string ProvenText(const MemberRequest& request) {
  const Result<std::string> text = CanonicalJson(kProofLabel, MemberRequest::kVersion, Claims(request));
  SYNOD_CHECK(text.ok(), "a request is UTF-8");
  return *text;
}

Status CheckProof(const MemberRequest& request) {
  const bool has_key = request.signing_key != PublicKey();
  if (!RoleSigns(request.identity.role)) {
    if (!has_key && request.proof == Signature{}) return {};
    return BadInput("the request has a signing key, which its role does not have");
  }
  if (has_key && request.signing_key.Verify(kProofLabel, AsBytes(ProvenText(request)), request.proof)) return {};
  return VerificationFailed("the request does not prove that its sender holds the signing key in it",
                            "make the request again where the keys are, and send the file as it is");
}

}  // namespace

MemberRequest MemberRequest::Make(const Identity& identity, const TlsKey& tls_key, const SigningKey* signing_key) {
  SYNOD_CHECK(RoleSigns(identity.role) == (signing_key != nullptr), "sites and coordinators have signing keys");
  MemberRequest request;
  request.identity = identity;
  request.tls_request = MakeRequest(tls_key, identity);
  if (signing_key == nullptr) return request;
  request.signing_key = signing_key->public_key();
  request.proof = signing_key->Sign(kProofLabel, AsBytes(ProvenText(request)));
  return request;
}

std::string MemberRequest::CanonicalText() const {
  Json json = Claims(*this);
  json["proof"] = ToHex(proof);
  const Result<std::string> text = CanonicalJson(kLabel, kVersion, json);
  SYNOD_CHECK(text.ok(), "a request is UTF-8");
  return *text;
}

Result<MemberRequest> MemberRequest::FromCanonicalText(std::string_view text) {
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseCanonicalJson(kLabel, kVersion, text, kMaxBytes));
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, "member request", {"identity", "tls_request", "signing_key", "proof"}));
  MemberRequest request;
  SYNOD_ASSIGN_OR_RETURN(const std::string uri, fields.Text("identity", 512));
  SYNOD_ASSIGN_OR_RETURN(request.identity, Identity::FromUri(uri));
  if (request.identity.role == Role::kAdmin && request.identity.name == "root") {
    return fields.Wrong("identity", "is that of the root");
  }
  SYNOD_ASSIGN_OR_RETURN(request.tls_request, fields.Text("tls_request", X509Certificate::kMaxPemBytes));
  SYNOD_ASSIGN_OR_RETURN(const Digest raw_key, fields.Hash("signing_key"));
  request.signing_key = PublicKey(raw_key);
  SYNOD_ASSIGN_OR_RETURN(const std::string proof, fields.Text("proof", 2 * sizeof(Signature)));
  const auto signature = FixedFromHex<sizeof(Signature)>(proof);
  if (!signature.ok() || ToHex(*signature) != proof) return fields.Wrong("proof", "is not 128 hexadecimal digits");
  request.proof = *signature;
  SYNOD_RETURN_IF_ERROR(CheckProof(request));
  return request;
}

Digest MemberRequest::Fingerprint() const {
  return Sha256(CanonicalText());
}

}  // namespace synod
