#include "common/consortium/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/core/hex.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

constexpr std::uint64_t kMaxNumber = std::uint64_t{1} << 53;
constexpr std::int64_t kMaxUnixSeconds = 253'402'300'799;

Result<Identity> IdentityFrom(const StrictObject& fields, const std::string& consortium) {
  SYNOD_ASSIGN_OR_RETURN(const std::string uri, fields.Text("identity", 512));
  const Result<Identity> identity = Identity::FromUri(uri);
  if (!identity.ok()) return fields.Wrong("identity", identity.error().message);
  if (identity->consortium != consortium) return fields.Wrong("identity", "is of another consortium");
  return identity;
}

Result<std::int64_t> TimeFrom(const StrictObject& fields, std::string_view key) {
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t seconds, fields.Unsigned(key, 0, kMaxUnixSeconds));
  return static_cast<std::int64_t>(seconds);
}

Result<Member> MemberFrom(const Json& json, const std::string& consortium) {
  SYNOD_ASSIGN_OR_RETURN(
      const StrictObject fields,
      StrictObject::Of(json, "manifest: member", {"identity", "signing_key", "tls_key_fingerprint", "added_unix"}));
  Member member;
  SYNOD_ASSIGN_OR_RETURN(member.identity, IdentityFrom(fields, consortium));
  SYNOD_ASSIGN_OR_RETURN(const Digest raw_key, fields.Hash("signing_key"));
  member.signing_key = PublicKey(raw_key);
  SYNOD_ASSIGN_OR_RETURN(member.tls_key_fingerprint, fields.Hash("tls_key_fingerprint"));
  SYNOD_ASSIGN_OR_RETURN(member.added_unix, TimeFrom(fields, "added_unix"));
  return member;
}

Json ToJson(const Member& member) {
  return {{"identity", member.identity.Uri()},
          {"signing_key", ToHex(member.signing_key.bytes())},
          {"tls_key_fingerprint", ToHex(member.tls_key_fingerprint)},
          {"added_unix", member.added_unix}};
}

Status CheckMember(const Member& member) {
  const std::string uri = member.identity.Uri();
  if (member.identity.role == Role::kAdmin && member.identity.name == "root") {
    return BadInput("manifest: the root is no member");
  }
  const bool has_key = member.signing_key != PublicKey();
  if (has_key == RoleSigns(member.identity.role)) return {};
  return BadInput(fmt::format("manifest: {} {} a signing key", uri, has_key ? "must not have" : "has not"));
}

Status CheckMembers(const std::vector<Member>& members) {
  std::set<Digest> tls_keys;
  std::set<PublicKey> signing_keys;
  const Member* last = nullptr;
  std::size_t coordinators = 0;
  for (const Member& member : members) {
    SYNOD_RETURN_IF_ERROR(CheckMember(member));
    const std::string uri = member.identity.Uri();
    if (last != nullptr && last->identity >= member.identity) {
      return BadInput("manifest: members are not in ascending order without repeats");
    }
    last = &member;
    if (!tls_keys.insert(member.tls_key_fingerprint).second) {
      return BadInput(fmt::format("manifest: {} has the TLS key of another member", uri));
    }
    if (RoleSigns(member.identity.role) && !signing_keys.insert(member.signing_key).second) {
      return BadInput(fmt::format("manifest: {} has the signing key of another member", uri));
    }
    if (member.identity.role == Role::kCoordinator) ++coordinators;
  }
  if (coordinators != 1) return BadInput("manifest: a consortium has one coordinator");
  return {};
}

}  // namespace

bool RoleSigns(Role role) {
  return role == Role::kCoordinator || role == Role::kSite;
}

Status CheckHostPort(std::string_view address) {
  const Error wrong = BadInput("an address has the form HOST:PORT, or [IPV6]:PORT, with a port in 1 .. 65535");
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || address.size() > 300) return wrong;
  const std::string_view host = address.substr(0, colon);
  const std::string_view port = address.substr(colon + 1);
  const auto host_byte = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  };
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string_view inner = bracketed ? host.substr(1, host.size() - 2) : host;
  const bool host_ok = std::all_of(inner.begin(), inner.end(),
                                   [&](char c) { return host_byte(c) || (bracketed && (c == ':' || c == '%')); });
  const bool digits = !port.empty() && port.size() <= 5 && port.front() != '0' &&
                      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!host_ok || !digits || std::stoul(std::string(port)) > 65535) return wrong;
  return {};
}

const Member* Manifest::Find(const Identity& identity) const {
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const Member& member) { return member.identity == identity; });
  return found == members.end() ? nullptr : &*found;
}

std::vector<const Member*> Manifest::WithRole(Role role) const {
  std::vector<const Member*> found;
  for (const Member& member : members) {
    if (member.identity.role == role) found.push_back(&member);
  }
  return found;
}

Result<std::string> Manifest::CanonicalText() const {
  Json list = Json::array();
  for (const Member& member : members) list.push_back(ToJson(member));
  return CanonicalJson(kLabel, kVersion,
                       {{"consortium", consortium},
                        {"number", number},
                        {"coordinator_address", coordinator_address},
                        {"members", list}});
}

Result<Manifest> Manifest::FromCanonicalText(std::string_view text) {
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseCanonicalJson(kLabel, kVersion, text, kMaxBytes));
  SYNOD_ASSIGN_OR_RETURN(
      const StrictObject fields,
      StrictObject::Of(json, "manifest", {"consortium", "number", "coordinator_address", "members"}));
  Manifest manifest;
  SYNOD_ASSIGN_OR_RETURN(manifest.consortium, fields.Text("consortium", 64));
  SYNOD_RETURN_IF_ERROR(CheckName(manifest.consortium));
  SYNOD_ASSIGN_OR_RETURN(manifest.number, fields.Unsigned("number", 1, kMaxNumber));
  SYNOD_ASSIGN_OR_RETURN(manifest.coordinator_address, fields.Text("coordinator_address", 300));
  SYNOD_RETURN_IF_ERROR(CheckHostPort(manifest.coordinator_address));
  SYNOD_ASSIGN_OR_RETURN(const Json* members, fields.Array("members", kMaxMembers));
  for (const Json& item : *members) {
    SYNOD_ASSIGN_OR_RETURN(Member member, MemberFrom(item, manifest.consortium));
    manifest.members.push_back(std::move(member));
  }
  SYNOD_RETURN_IF_ERROR(CheckMembers(manifest.members));
  return manifest;
}

Result<SignedText> SignManifest(const TlsKey& root_key, const Manifest& manifest) {
  SYNOD_ASSIGN_OR_RETURN(std::string text, manifest.CanonicalText());
  // What cannot be read back must not be signed.
  SYNOD_RETURN_IF_ERROR(Manifest::FromCanonicalText(text));
  Bytes signature = root_key.Sign(Manifest::kLabel, AsBytes(text));
  return SignedText{std::move(text), std::move(signature)};
}

Result<Manifest> OpenManifest(const X509Certificate& root, const SignedText& signed_text) {
  if (!root.facts().is_root ||
      !root.VerifySignature(Manifest::kLabel, AsBytes(signed_text.text), signed_text.signature)) {
    return VerificationFailed("the manifest is not signed by the consortium's root");
  }
  SYNOD_ASSIGN_OR_RETURN(Manifest manifest, Manifest::FromCanonicalText(signed_text.text));
  if (manifest.consortium != root.facts().identity.consortium) {
    return VerificationFailed("the manifest is of another consortium than the root");
  }
  return manifest;
}

}  // namespace synod
