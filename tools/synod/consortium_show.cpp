#include <fmt/format.h>

#include <optional>

#include "common/consortium/fingerprint.h"
#include "common/consortium/folders.h"
#include "common/consortium/verify_in_consortium.h"
#include "tools/synod/consortium_commands.h"

namespace synod {
namespace {

// What can be known of a consortium from one folder.
struct View {
  X509Certificate root;
  Manifest manifest;
  Revocations revocations;
};

Result<View> ViewOf(const std::string& folder) {
  SYNOD_ASSIGN_OR_RETURN(const VerificationTrust trust, VerificationTrust::Load(folder));
  if (!trust.root || !trust.known) return BadInput(fmt::format("{} is not a folder of a consortium", folder));
  SYNOD_ASSIGN_OR_RETURN(Manifest manifest, OpenManifest(*trust.root, trust.known->manifest));
  SYNOD_ASSIGN_OR_RETURN(Revocations revocations, OpenRevocations(*trust.root, trust.known->revocations));
  return View{*trust.root, std::move(manifest), std::move(revocations)};
}

// The certificate that the root's folder issued last; a kit does not have those of others.
std::optional<std::int64_t> ExpiryOf(const std::string& folder, const Member& member) {
  const std::string name = fmt::format("{}-{}.crt", RoleName(member.identity.role), member.identity.name);
  const auto certificate = X509Certificate::FromFile(PathIn(PathIn(folder, "issued"), name));
  if (!certificate.ok() || certificate->facts().key_fingerprint != member.tls_key_fingerprint) return std::nullopt;
  return certificate->facts().not_after_unix;
}

std::string StateOf(const View& view, const Member& member, std::optional<std::int64_t> expiry, std::int64_t now) {
  if (const Revocation* revoked = view.revocations.Find(member.tls_key_fingerprint)) {
    return "revoked " + Rfc3339(revoked->revoked_unix);
  }
  if (!expiry) return "member";
  return (*expiry < now ? "expired " : "until ") + Rfc3339(*expiry);
}

}  // namespace

Result<CommandOutput> RunConsortiumShow(const std::string& folder, CommandContext& context) {
  SYNOD_ASSIGN_OR_RETURN(const View view, ViewOf(folder));
  const std::string root = FingerprintText(view.root.facts().certificate_fingerprint);
  CommandOutput output;
  output.text = fmt::format(
      "consortium    {}\ncoordinator   {}\nroot          {}\n              until {}\nmanifest      number {}\n"
      "revocations   number {}\n\n{:<12} {:<24} {:<20} {:<28} {}\n",
      view.manifest.consortium, view.manifest.coordinator_address, root, Rfc3339(view.root.facts().not_after_unix),
      view.manifest.number, view.revocations.number, "ROLE", "NAME", "SINCE", "STATE", "TLS KEY");
  Json members = Json::array();
  for (const Member& member : view.manifest.members) {
    const std::optional<std::int64_t> expiry = ExpiryOf(folder, member);
    const std::string state = StateOf(view, member, expiry, context.clock.UnixSeconds());
    const std::string key = FingerprintText(member.tls_key_fingerprint);
    const std::string role(RoleName(member.identity.role));
    output.text += fmt::format("{:<12} {:<24} {:<20} {:<28} {}...\n", role, member.identity.name,
                               Rfc3339(member.added_unix), state, key.substr(0, 19));
    members.push_back({{"role", role},
                       {"name", member.identity.name},
                       {"added", Rfc3339(member.added_unix)},
                       {"state", state},
                       {"revoked", view.revocations.Contains(member.tls_key_fingerprint)},
                       {"tls_key_fingerprint", key}});
  }
  output.data = {{"consortium", view.manifest.consortium},
                 {"coordinator_address", view.manifest.coordinator_address},
                 {"root_fingerprint", root},
                 {"manifest", view.manifest.number},
                 {"revocations", view.revocations.number},
                 {"members", members}};
  return output;
}

}  // namespace synod
