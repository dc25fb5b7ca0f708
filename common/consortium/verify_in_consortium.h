// Verifies a published file by the word of a consortium's root: who the coordinator and the sites are is read from the
// signed manifest that the file carries. Offline.
//
// On top of Verify (common/artefact/verify.h):
//   - manifest and revocations in the file are signed by this root; the root was in date when the file was made
//   - every site of the plan's roster is in the manifest with the roster's key
//   - nobody was added after the file was made, and nobody who signed was revoked when it was made
// The time is the one in the certificate, which everybody signed. A revoked key and a willing coordinator can state an
// earlier one: a newer list of revocations (of a kit) shows by its sentence who was revoked later.
#pragma once

#include <optional>
#include <string>

#include "common/artefact/verify.h"
#include "common/consortium/manifest.h"
#include "common/core/result.h"

namespace synod {

// `known` is what the verifier knows beside the file, of the same root: its revocations count too.
Result<VerifyReport> VerifyInConsortium(const GeneratorFile& file, const X509Certificate& root,
                                        const std::optional<TrustBundle>& known = std::nullopt);

// What a verification trusts, as a path says it: the root's certificate (PEM), a file of keys (JSON, trusted_keys.h),
// or a folder: a kit, its trust folder, or the folder of a consortium's root.
struct VerificationTrust {
  std::optional<X509Certificate> root;
  std::optional<TrustBundle> known;
  TrustedKeys keys;  // where there is no root

  static Result<VerificationTrust> Load(const std::string& path);
};
Result<VerifyReport> VerifyWith(const GeneratorFile& file, const VerificationTrust& trust);

// What a published file carries.
FileConsortium FileConsortiumOf(const TrustBundle& bundle);

}  // namespace synod
