#include "common/consortium/member_approval.h"

#include "common/core/check.h"
#include "common/privacy/strict_object.h"

namespace synod {

std::string MemberApproval::CanonicalText() const {
  const Result<Json> bundle = ParseJson(trust.ToJsonText(), TrustBundle::kMaxBytes);
  SYNOD_CHECK(bundle.ok(), "a bundle that was written is JSON");
  const Result<std::string> text = CanonicalJson(
      kLabel, kVersion, {{"root", root.ToPem()}, {"certificate", certificate.ToPem()}, {"trust", *bundle}});
  SYNOD_CHECK(text.ok(), "PEM texts are ASCII");
  return *text;
}

Result<MemberApproval> MemberApproval::FromCanonicalText(std::string_view text) {
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseCanonicalJson(kLabel, kVersion, text, kMaxBytes));
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, "approval", {"root", "certificate", "trust"}));
  SYNOD_ASSIGN_OR_RETURN(const std::string root_pem, fields.Text("root", X509Certificate::kMaxPemBytes));
  SYNOD_ASSIGN_OR_RETURN(X509Certificate root, X509Certificate::FromPem(root_pem));
  SYNOD_ASSIGN_OR_RETURN(const std::string pem, fields.Text("certificate", X509Certificate::kMaxPemBytes));
  SYNOD_ASSIGN_OR_RETURN(X509Certificate certificate, X509Certificate::FromPem(pem));
  SYNOD_ASSIGN_OR_RETURN(const std::string bundle_text, CanonicalJsonText(fields.At("trust")));
  SYNOD_ASSIGN_OR_RETURN(TrustBundle trust, TrustBundle::FromJsonText(bundle_text));
  MemberApproval approval{std::move(root), std::move(certificate), std::move(trust)};
  if (approval.CanonicalText() != text) return BadInput("the approval is not in canonical form");
  return approval;
}

}  // namespace synod
