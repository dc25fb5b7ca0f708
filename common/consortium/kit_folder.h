// The kit of a member: a folder that is made in two steps, on the member's own machine.
//
//   KIT/trust/   own.key signing.key (RequestMembership); ca.pem own.crt bundle.json (JoinConsortium); see trust.h
//   KIT/local/   settings that the owner edits (default_files.h)
//   KIT/state/   of the daemon, mode 0700
//   KIT/log/
//   KIT/request.json
//
// Each step can be repeated: what was done is kept, keys are never replaced, files in local/ are never overwritten, and
// a step that was cut off is finished by the next try.
#pragma once

#include <string>

#include "common/consortium/member_approval.h"
#include "common/consortium/member_request.h"
#include "common/core/bytes.h"
#include "common/core/identity.h"
#include "common/core/result.h"

namespace synod {

inline constexpr std::string_view kRequestFile = "request.json";

// Makes the keys of a new kit, if it has none, and writes its request. Refused where the folder is the kit of another
// identity or has joined already.
Result<MemberRequest> RequestMembership(const std::string& folder, const Identity& identity);

// Completes the kit with what the keeper of the root sent back. VerificationFailed unless the root has the fingerprint
// that came by another way, everything is signed by it, and the certificate is for the key and the name of this kit.
// Refused where the kit belongs to another consortium. An approval of the same request again renews the certificate.
Result<Identity> JoinConsortium(const std::string& folder, const MemberApproval& approval,
                                const Digest& root_fingerprint, std::int64_t now_unix);

}  // namespace synod
