// Making certificates and requests; reading them is in x509.cpp.
#include <openssl/rand.h>

#include "common/crypto/x509_handles.h"

namespace synod {
namespace {

constexpr std::int64_t kLastUnixSecond = 253'402'300'799;  // 9999-12-31T23:59:59Z, the last time that X.509 can write

Status CheckTimes(std::int64_t not_before_unix, std::int64_t not_after_unix) {
  if (not_before_unix >= 0 && not_before_unix < not_after_unix && not_after_unix <= kLastUnixSecond) return {};
  return BadInput("the times of a certificate are not in order or out of range");
}

void AddName(X509_NAME* name, const char* field, const std::string& text) {
  SYNOD_OPENSSL_CHECK(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                                 reinterpret_cast<const unsigned char*>(text.data()),
                                                 static_cast<int>(text.size()), -1, 0));
}

// For people who look at it with other tools; only the subject alternative name counts.
X509NameHandle NameOf(const Identity& identity) {
  X509NameHandle name(X509_NAME_new());
  SYNOD_CHECK(name != nullptr, "out of memory");
  AddName(name.get(), "O", identity.consortium);
  AddName(name.get(), "OU", std::string(RoleName(identity.role)));
  AddName(name.get(), "CN", identity.name);
  return name;
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const X509ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  SYNOD_CHECK(extension != nullptr, "an extension that OpenSSL cannot make");
  SYNOD_OPENSSL_CHECK(X509_add_ext(certificate, extension.get(), -1));
}

void SetSerial(X509* certificate) {
  std::array<unsigned char, 16> random{};
  SYNOD_OPENSSL_CHECK(RAND_bytes(random.data(), static_cast<int>(random.size())));
  random[0] = static_cast<unsigned char>((random[0] & 0x3f) | 0x40);  // positive, and always 16 bytes long
  const BignumHandle number(BN_bin2bn(random.data(), static_cast<int>(random.size()), nullptr));
  SYNOD_CHECK(number != nullptr, "out of memory");
  SYNOD_CHECK(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr, "out of memory");
}

X509Handle NewCertificate(EVP_PKEY* key, std::int64_t not_before_unix, std::int64_t not_after_unix) {
  X509Handle certificate(X509_new());
  SYNOD_CHECK(certificate != nullptr, "out of memory");
  SYNOD_OPENSSL_CHECK(X509_set_version(certificate.get(), X509_VERSION_3));
  SetSerial(certificate.get());
  SYNOD_CHECK(ASN1_TIME_set(X509_getm_notBefore(certificate.get()), not_before_unix) != nullptr, "a time out of range");
  SYNOD_CHECK(ASN1_TIME_set(X509_getm_notAfter(certificate.get()), not_after_unix) != nullptr, "a time out of range");
  SYNOD_OPENSSL_CHECK(X509_set_pubkey(certificate.get(), key));
  return certificate;
}

Result<X509Certificate> SignedCertificate(const X509Handle& certificate, const TlsKey& key) {
  SYNOD_CHECK(X509_sign(certificate.get(), key.state().key.get(), EVP_sha256()) > 0, "OpenSSL cannot sign");
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  SYNOD_CHECK(size > 0, "out of memory");
  const Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return X509Certificate::FromDer(bytes);
}

// The key of a request that its holder has signed.
Result<KeyHandle> KeyOfRequest(std::string_view request_pem) {
  if (request_pem.size() > X509Certificate::kMaxPemBytes) return BadInput("the certificate request is too long");
  const BioHandle bio = ReadingBio(request_pem);
  const X509RequestHandle request(PEM_read_bio_X509_REQ(bio.get(), nullptr, RefuseKeyPassphrase, nullptr));
  ERR_clear_error();
  if (!request) return BadInput("not the PEM text of a certificate request (PKCS#10)");
  KeyHandle key(X509_REQ_get_pubkey(request.get()));
  ERR_clear_error();
  if (!IsP256(key.get())) return BadInput("the certificate request is not for an ECDSA P-256 key");
  const int verified = X509_REQ_verify(request.get(), key.get());
  ERR_clear_error();
  if (verified != 1) return VerificationFailed("the certificate request is not signed by the key that it names");
  return key;
}

}  // namespace

Result<X509Certificate> MakeRoot(const TlsKey& key, const std::string& consortium, std::int64_t not_before_unix,
                                 std::int64_t not_after_unix) {
  SYNOD_RETURN_IF_ERROR(CheckName(consortium));
  SYNOD_RETURN_IF_ERROR(CheckTimes(not_before_unix, not_after_unix));
  const Identity identity = RootIdentity(consortium);
  const X509Handle root = NewCertificate(key.state().key.get(), not_before_unix, not_after_unix);
  const X509NameHandle name = NameOf(identity);
  SYNOD_OPENSSL_CHECK(X509_set_subject_name(root.get(), name.get()));
  SYNOD_OPENSSL_CHECK(X509_set_issuer_name(root.get(), name.get()));
  AddExtension(root.get(), root.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  // Digital signatures too: the root's key signs the manifest and the revocations.
  AddExtension(root.get(), root.get(), NID_key_usage, "critical,keyCertSign,digitalSignature");
  AddExtension(root.get(), root.get(), NID_subject_alt_name, "URI:" + identity.Uri());
  AddExtension(root.get(), root.get(), NID_subject_key_identifier, "hash");
  return SignedCertificate(root, key);
}

Result<X509Certificate> Issue(const TlsKey& root_key, const X509Certificate& root, std::string_view request_pem,
                              const Identity& identity, std::int64_t not_before_unix, std::int64_t not_after_unix) {
  SYNOD_RETURN_IF_ERROR(Identity::FromUri(identity.Uri()));
  SYNOD_RETURN_IF_ERROR(CheckTimes(not_before_unix, not_after_unix));
  if (!root.facts().is_root || root.facts().key_fingerprint != root_key.PublicFingerprint()) {
    return BadInput("the root's key does not belong to the root's certificate");
  }
  if (identity.consortium != root.facts().identity.consortium) {
    return BadInput("the identity is of another consortium than the root");
  }
  if (identity == root.facts().identity) return BadInput("the identity of the root is not given to anybody else");
  SYNOD_ASSIGN_OR_RETURN(const KeyHandle key, KeyOfRequest(request_pem));
  if (PublicKeyFingerprint(key.get()) == root.facts().key_fingerprint) {
    return BadInput("a member must have a key of its own, not the root's");
  }
  const unsigned char* cursor = root.der().data();
  const X509Handle authority(d2i_X509(nullptr, &cursor, static_cast<long>(root.der().size())));
  SYNOD_CHECK(authority != nullptr, "a parsed certificate can be parsed again");
  const X509Handle leaf = NewCertificate(key.get(), not_before_unix, not_after_unix);
  SYNOD_OPENSSL_CHECK(X509_set_subject_name(leaf.get(), NameOf(identity).get()));
  SYNOD_OPENSSL_CHECK(X509_set_issuer_name(leaf.get(), X509_get_subject_name(authority.get())));
  AddExtension(leaf.get(), authority.get(), NID_basic_constraints, "critical,CA:FALSE");
  AddExtension(leaf.get(), authority.get(), NID_key_usage, "critical,digitalSignature");
  AddExtension(leaf.get(), authority.get(), NID_ext_key_usage,
               identity.role == Role::kCoordinator ? "serverAuth,clientAuth" : "clientAuth");
  AddExtension(leaf.get(), authority.get(), NID_subject_alt_name, "URI:" + identity.Uri());
  AddExtension(leaf.get(), authority.get(), NID_subject_key_identifier, "hash");
  AddExtension(leaf.get(), authority.get(), NID_authority_key_identifier, "keyid:always");
  return SignedCertificate(leaf, root_key);
}

std::string MakeRequest(const TlsKey& key, const Identity& identity) {
  const X509RequestHandle request(X509_REQ_new());
  SYNOD_CHECK(request != nullptr, "out of memory");
  SYNOD_OPENSSL_CHECK(X509_REQ_set_version(request.get(), X509_REQ_VERSION_1));
  SYNOD_OPENSSL_CHECK(X509_REQ_set_subject_name(request.get(), NameOf(identity).get()));
  SYNOD_OPENSSL_CHECK(X509_REQ_set_pubkey(request.get(), key.state().key.get()));
  SYNOD_CHECK(X509_REQ_sign(request.get(), key.state().key.get(), EVP_sha256()) > 0, "OpenSSL cannot sign");
  const BioHandle bio(BIO_new(BIO_s_mem()));
  SYNOD_CHECK(bio != nullptr, "out of memory");
  SYNOD_OPENSSL_CHECK(PEM_write_bio_X509_REQ(bio.get(), request.get()));
  return TextOf(bio);
}

}  // namespace synod
