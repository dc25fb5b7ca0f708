// What the keeper of the root sends back to whoever asked to join: the root's certificate, the new member's
// certificate, and the manifest and revocations of that moment. One file, not secret. It proves nothing by itself: who
// joins compares the root's fingerprint with one that came another way.
#pragma once

#include <string>
#include <string_view>

#include "common/consortium/manifest.h"
#include "common/core/result.h"
#include "common/crypto/x509.h"

namespace synod {

struct MemberApproval {
  static constexpr std::string_view kLabel = "synod.member_approval";
  static constexpr std::uint32_t kVersion = 1;
  static constexpr std::size_t kMaxBytes = TrustBundle::kMaxBytes + (256u << 10);

  X509Certificate root;
  X509Certificate certificate;
  TrustBundle trust;

  std::string CanonicalText() const;
  // Strict: one encoding only. Whether anything in it is signed is for whoever joins (kit_folder.h).
  static Result<MemberApproval> FromCanonicalText(std::string_view text);
};

}  // namespace synod
