#include "common/consortium/manifest.h"
#include "common/core/check.h"
#include "common/core/hex.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

constexpr std::size_t kMaxSignatureBytes = 72;  // DER of an ECDSA P-256 signature

Json ToJson(const SignedText& signed_text) {
  return {{"text", signed_text.text}, {"signature", ToHex(signed_text.signature)}};
}

Result<SignedText> SignedTextFrom(const Json& json, const std::string& where, std::size_t max_bytes) {
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields, StrictObject::Of(json, where, {"text", "signature"}));
  SignedText signed_text;
  SYNOD_ASSIGN_OR_RETURN(signed_text.text, fields.Text("text", max_bytes));
  SYNOD_ASSIGN_OR_RETURN(const std::string hex, fields.Text("signature", 2 * kMaxSignatureBytes));
  const Result<Bytes> signature = FromHex(hex);
  if (!signature.ok() || ToHex(*signature) != hex) return fields.Wrong("signature", "is not lower-case hexadecimal");
  signed_text.signature = *signature;
  return signed_text;
}

}  // namespace

std::string TrustBundle::ToJsonText() const {
  const Result<std::string> text =
      CanonicalJsonText({{"manifest", ToJson(manifest)}, {"revocations", ToJson(revocations)}});
  SYNOD_CHECK(text.ok(), "manifests and revocations are ASCII");
  return *text;
}

Result<TrustBundle> TrustBundle::FromJsonText(std::string_view text) {
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseJson(text, kMaxBytes, 8));
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, "trust bundle", {"manifest", "revocations"}));
  TrustBundle bundle;
  SYNOD_ASSIGN_OR_RETURN(bundle.manifest,
                         SignedTextFrom(fields.At("manifest"), "trust bundle: manifest", Manifest::kMaxBytes));
  SYNOD_ASSIGN_OR_RETURN(bundle.revocations,
                         SignedTextFrom(fields.At("revocations"), "trust bundle: revocations", Revocations::kMaxBytes));
  return bundle;
}

}  // namespace synod
