#include "common/crypto/x509.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "common/core/file.h"
#include "common/core/hex.h"
#include "common/crypto/sha256.h"
#include "common/crypto/x509_handles.h"

namespace synod {
namespace {

constexpr std::string_view kWhat = "the certificate";

Error Bad(std::string_view rule) {
  return BadInput(std::string(kWhat).append(" ").append(rule));
}

Result<std::int64_t> UnixTime(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return Bad("has a time that cannot be read");
  return static_cast<std::int64_t>(timegm(&parts));
}

// The one subject alternative name, a URI.
Result<Identity> IdentityOf(const X509Handle& certificate) {
  int critical = 0;
  const GeneralNamesHandle names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, &critical, nullptr)));
  if (!names || sk_GENERAL_NAME_num(names.get()) != 1) return Bad("does not have exactly one subject alternative name");
  const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), 0);
  if (name->type != GEN_URI) return Bad("has a subject alternative name that is not a URI");
  const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
  const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri));
  const Result<Identity> identity = Identity::FromUri({bytes, static_cast<std::size_t>(ASN1_STRING_length(uri))});
  if (!identity.ok()) return identity.error().Within("the certificate's subject alternative name");
  return identity;
}

std::string SerialHex(const X509Handle& certificate) {
  const BignumHandle number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate.get()), nullptr));
  SYNOD_CHECK(number != nullptr, "out of memory");
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  return ToHex(bytes);
}

// What a critical or unknown extension could mean is for nobody to guess: there are these and no others.
bool HasOnlyKnownExtensions(const X509Handle& certificate) {
  static constexpr std::array kKnown = {NID_basic_constraints,      NID_key_usage,
                                        NID_ext_key_usage,          NID_subject_alt_name,
                                        NID_subject_key_identifier, NID_authority_key_identifier};
  for (int i = 0; i < X509_get_ext_count(certificate.get()); ++i) {
    const ASN1_OBJECT* kind = X509_EXTENSION_get_object(X509_get_ext(certificate.get(), i));
    if (std::find(kKnown.begin(), kKnown.end(), OBJ_obj2nid(kind)) == kKnown.end()) return false;
  }
  return true;
}

// The rules of form that hold for every certificate of a consortium, whoever issued it.
Status CheckForm(const X509Handle& certificate) {
  if (X509_get_version(certificate.get()) != X509_VERSION_3) return Bad("is not of version 3");
  const std::uint32_t flags = X509_get_extension_flags(certificate.get());
  if ((flags & EXFLAG_INVALID) != 0) return Bad("has extensions that are malformed or repeated");
  if (!HasOnlyKnownExtensions(certificate))
    return Bad("has an extension that certificates of a consortium do not have");
  if ((flags & EXFLAG_BCONS) == 0) return Bad("does not say whether it is an authority (basicConstraints)");
  if ((flags & EXFLAG_KUSAGE) == 0) return Bad("does not say what its key is for (keyUsage)");
  if (!IsP256(X509_get0_pubkey(certificate.get()))) return Bad("has a key that is not ECDSA P-256");
  if (X509_get_signature_nid(certificate.get()) != NID_ecdsa_with_SHA256) {
    return Bad("is not signed with ECDSA and SHA-256");
  }
  return {};
}

// `der` has been read as a certificate; the handle only borrows it for the length of a call.
X509Handle Open(const Bytes& der) {
  const unsigned char* cursor = der.data();
  X509Handle certificate(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  SYNOD_CHECK(certificate != nullptr, "a parsed certificate can be parsed again");
  return certificate;
}

Status CheckUseOfLeaf(const X509Handle& leaf, Role role) {
  const std::uint32_t usage = X509_get_key_usage(leaf.get());
  if (usage != KU_DIGITAL_SIGNATURE) return VerificationFailed("the certificate's key is not for signatures alone");
  if ((X509_get_extension_flags(leaf.get()) & EXFLAG_XKUSAGE) == 0) {
    return VerificationFailed("the certificate does not say what it may be used for (extendedKeyUsage)");
  }
  const bool server = role == Role::kCoordinator;
  const std::uint32_t wanted = XKU_SSL_CLIENT | (server ? std::uint32_t{XKU_SSL_SERVER} : 0u);
  if (X509_get_extended_key_usage(leaf.get()) == wanted) return {};
  return VerificationFailed(server ? "the certificate of a coordinator is not for a server and a client of TLS"
                                   : "the certificate is not for a client of TLS alone");
}

}  // namespace

Result<X509Certificate> X509Certificate::FromDer(ByteView der) {
  if (der.empty() || der.size() > kMaxPemBytes) return Bad("is empty or too long");
  const unsigned char* cursor = der.data();
  const X509Handle certificate(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!certificate || cursor != der.data() + der.size()) return Bad("cannot be read");
  SYNOD_RETURN_IF_ERROR(CheckForm(certificate));
  X509Certificate parsed;
  CertificateFacts& facts = parsed.facts_;
  SYNOD_ASSIGN_OR_RETURN(facts.identity, IdentityOf(certificate));
  ERR_clear_error();
  facts.is_root = (X509_get_extension_flags(certificate.get()) & EXFLAG_CA) != 0;
  const bool named_root = facts.identity == RootIdentity(facts.identity.consortium);
  if (facts.is_root != named_root) return Bad("is an authority and not named as the root, or the other way round");
  SYNOD_ASSIGN_OR_RETURN(facts.not_before_unix, UnixTime(X509_get0_notBefore(certificate.get())));
  SYNOD_ASSIGN_OR_RETURN(facts.not_after_unix, UnixTime(X509_get0_notAfter(certificate.get())));
  facts.serial_hex = SerialHex(certificate);
  facts.key_fingerprint = PublicKeyFingerprint(X509_get0_pubkey(certificate.get()));
  facts.certificate_fingerprint = Sha256(der);
  parsed.der_.assign(der.begin(), der.end());
  return parsed;
}

Result<X509Certificate> X509Certificate::FromPem(std::string_view pem) {
  if (pem.size() > kMaxPemBytes) return Bad("is too long");
  const BioHandle bio = ReadingBio(pem);
  const X509Handle certificate(PEM_read_bio_X509(bio.get(), nullptr, RefuseKeyPassphrase, nullptr));
  const X509Handle second(certificate ? PEM_read_bio_X509(bio.get(), nullptr, RefuseKeyPassphrase, nullptr) : nullptr);
  ERR_clear_error();
  if (!certificate) return BadInput("not the PEM text of a certificate");
  if (second) return BadInput("the PEM text has more than one certificate");
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  SYNOD_CHECK(size > 0, "out of memory");
  const Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return FromDer(bytes);
}

Result<X509Certificate> X509Certificate::FromFile(const std::string& path) {
  SYNOD_ASSIGN_OR_RETURN(const std::string pem, ReadFile(path, kMaxPemBytes));
  Result<X509Certificate> certificate = FromPem(pem);
  if (!certificate.ok()) return certificate.error().Within(path);
  return certificate;
}

std::string X509Certificate::ToPem() const {
  const X509Handle certificate = Open(der_);
  const BioHandle bio(BIO_new(BIO_s_mem()));
  SYNOD_CHECK(bio != nullptr, "out of memory");
  SYNOD_OPENSSL_CHECK(PEM_write_bio_X509(bio.get(), certificate.get()));
  return TextOf(bio);
}

Status X509Certificate::CheckIssuedBy(const X509Certificate& root) const {
  if (!root.facts_.is_root) return VerificationFailed("the certificate that should be the root is none");
  const X509Handle authority = Open(root.der_);
  if ((X509_get_key_usage(authority.get()) & KU_KEY_CERT_SIGN) == 0) {
    return VerificationFailed("the key of the root is not for signing certificates");
  }
  const X509Handle certificate = Open(der_);
  if (X509_NAME_cmp(X509_get_issuer_name(certificate.get()), X509_get_subject_name(authority.get())) != 0) {
    return VerificationFailed("the certificate was issued by another authority than the consortium's root");
  }
  const int verified = X509_verify(certificate.get(), X509_get0_pubkey(authority.get()));
  ERR_clear_error();
  if (verified != 1) return VerificationFailed("the certificate is not signed by the consortium's root");
  if (facts_.identity.consortium != root.facts_.identity.consortium) {
    return VerificationFailed("the certificate is of another consortium than the root");
  }
  if (facts_.is_root) return {};
  return CheckUseOfLeaf(certificate, facts_.identity.role);
}

}  // namespace synod
