// The folder of whoever keeps a consortium's root. It belongs on a machine that is not the coordinator's.
//
//   DIR/root/root.key(0600) ca.pem      the authority itself
//   DIR/bundle.json                     the newest manifest and revocations
//   DIR/issued/ROLE-NAME.crt            the last certificate of each member
//   DIR/coordinator-kit/                to be moved to the coordinator's machine
//   DIR/operator-kit/                   to be moved to the first operator's machine
//
// What changes the consortium is signed and written to bundle.json first; a command that was cut off can be repeated.
// While coordinator-kit lies in DIR, its bundle is replaced too; else bundle.json is copied to KIT/trust by hand. A
// running coordinator takes it with SIGHUP.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/consortium/folders.h"
#include "common/consortium/manifest.h"
#include "common/consortium/member_approval.h"
#include "common/consortium/member_request.h"
#include "common/core/result.h"
#include "common/crypto/x509.h"

namespace synod {

struct ConsortiumOptions {
  std::string name;
  std::string coordinator_address;  // HOST:PORT
  std::string coordinator_name = "coordinator";
  std::string operator_name = "operator";
  std::int64_t now_unix = 0;
  std::int64_t root_days = 3650;
  std::int64_t member_days = 730;
};

struct Approved {
  MemberApproval approval;
  bool renewed = false;  // the member was known: only its certificate is new
};

class ConsortiumFolder {
 public:
  static constexpr std::int64_t kMaxDays = 36'500;

  // Makes `folder`, which must not exist or be empty, with everything in it; all of it or nothing.
  static Result<ConsortiumFolder> Create(const std::string& folder, const ConsortiumOptions& options);
  // The root's key must be readable by its owner alone. One command at a time has the folder open.
  static Result<ConsortiumFolder> Open(const std::string& folder);

  const std::string& folder() const { return folder_; }
  const X509Certificate& root() const { return root_; }
  const Manifest& manifest() const { return manifest_; }
  const Revocations& revocations() const { return revocations_; }
  const TrustBundle& bundle() const { return bundle_; }
  std::string coordinator_kit() const { return PathIn(folder_, "coordinator-kit"); }
  std::string operator_kit() const { return PathIn(folder_, "operator-kit"); }

  // Issues a certificate for `days`, at most as long as the root's, and puts the member into the manifest. A member
  // with the same keys is known: its certificate is renewed. Refused for a name whose other keys are not revoked, and
  // for a key that is.
  Result<Approved> Approve(const MemberRequest& request, std::int64_t now_unix, std::int64_t days);
  // Refused where it is revoked already.
  Status Revoke(const Identity& identity, std::int64_t now_unix);
  // The last certificate that was issued to a member, if its file is there.
  std::optional<X509Certificate> Issued(const Identity& identity) const;

 private:
  ConsortiumFolder(std::string folder, FolderLock lock, TlsKey key, X509Certificate root)
      : folder_(std::move(folder)), lock_(std::move(lock)), key_(std::move(key)), root_(std::move(root)) {}

  Result<X509Certificate> IssueTo(const MemberRequest& request, std::int64_t now_unix, std::int64_t days) const;
  // Signs and writes; memory changes only when the file has.
  Status Store(Manifest manifest, Revocations revocations);
  std::string IssuedPath(const Identity& identity) const;

  std::string folder_;
  FolderLock lock_;
  TlsKey key_;
  X509Certificate root_;
  TrustBundle bundle_;
  Manifest manifest_;
  Revocations revocations_;
};

}  // namespace synod
