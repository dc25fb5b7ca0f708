#include "common/artefact/signed_text_json.h"
#include "common/consortium/manifest.h"
#include "common/core/check.h"
#include "common/privacy/strict_object.h"

namespace synod {
std::string TrustBundle::ToJsonText() const {
  const Result<std::string> text =
      CanonicalJsonText({{"manifest", SignedTextToJson(manifest)}, {"revocations", SignedTextToJson(revocations)}});
  SYNOD_CHECK(text.ok(), "manifests and revocations are ASCII");
  return *text;
}

Result<TrustBundle> TrustBundle::FromJsonText(std::string_view text) {
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseJson(text, kMaxBytes, 8));
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, "trust bundle", {"manifest", "revocations"}));
  TrustBundle bundle;
  SYNOD_ASSIGN_OR_RETURN(bundle.manifest,
                         SignedTextFromJson(fields.At("manifest"), "trust bundle: manifest", Manifest::kMaxBytes));
  SYNOD_ASSIGN_OR_RETURN(bundle.revocations, SignedTextFromJson(fields.At("revocations"), "trust bundle: revocations",
                                                                Revocations::kMaxBytes));
  return bundle;
}

}  // namespace synod
