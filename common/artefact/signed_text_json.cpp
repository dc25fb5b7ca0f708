#include "common/artefact/signed_text_json.h"

#include "common/core/hex.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

constexpr std::size_t kMaxSignatureBytes = 72;  // DER of an ECDSA P-256 signature

}  // namespace

Json SignedTextToJson(const SignedText& signed_text) {
  return {{"text", signed_text.text}, {"signature", ToHex(signed_text.signature)}};
}

Result<SignedText> SignedTextFromJson(const Json& json, const std::string& where, std::size_t max_text_bytes) {
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields, StrictObject::Of(json, where, {"text", "signature"}));
  SignedText signed_text;
  SYNOD_ASSIGN_OR_RETURN(signed_text.text, fields.Text("text", max_text_bytes));
  SYNOD_ASSIGN_OR_RETURN(const std::string hex, fields.Text("signature", 2 * kMaxSignatureBytes));
  const Result<Bytes> signature = FromHex(hex);
  if (!signature.ok() || ToHex(*signature) != hex) return fields.Wrong("signature", "is not lower-case hexadecimal");
  signed_text.signature = *signature;
  return signed_text;
}

}  // namespace synod
