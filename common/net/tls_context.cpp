#include "common/net/tls_context.h"

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include "common/core/file.h"
#include "common/net/tls_state.h"

namespace synod {
namespace {

constexpr std::size_t kMaxFileBytes = 64u << 10;
constexpr char kCipherSuites[] = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr char kGroups[] = "X25519:P-256";
constexpr char kSignatures[] = "ECDSA+SHA256";

using CertificateHandle = OpensslHandle<X509, X509_free>;

// Never asks for a password on a terminal.
int NoPassword(char*, int, int, void*) {
  return 0;
}

Error InFile(const std::string& path, std::string_view what) {
  std::string message = path + ": " + std::string(what);
  const std::string reason = TakeOpensslReason();
  if (!reason.empty()) message += " (" + reason + ")";
  return BadInput(std::move(message));
}

Result<BioHandle> OpenPem(const std::string& path) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxFileBytes));
  BioHandle bio(BIO_new(BIO_s_secmem()));
  SYNOD_CHECK(bio != nullptr, "out of memory");
  const auto size = static_cast<int>(text.size());
  SYNOD_CHECK(size == 0 || BIO_write(bio.get(), text.data(), size) == size, "out of memory");
  return bio;
}

Result<CertificateHandle> ReadCertificate(const std::string& path) {
  SYNOD_ASSIGN_OR_RETURN(const BioHandle bio, OpenPem(path));
  CertificateHandle certificate(PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr));
  if (certificate == nullptr) return InFile(path, "not a PEM certificate");
  return certificate;
}

Status UseFiles(SSL_CTX* context, const TlsFiles& files) {
  SYNOD_ASSIGN_OR_RETURN(const CertificateHandle root, ReadCertificate(files.root_file));
  if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root.get()) != 1) {
    return InFile(files.root_file, "cannot be used as a root");
  }
  SYNOD_ASSIGN_OR_RETURN(const CertificateHandle own, ReadCertificate(files.certificate_file));
  if (SSL_CTX_use_certificate(context, own.get()) != 1) {
    return InFile(files.certificate_file, "cannot be used as a certificate");
  }
  SYNOD_ASSIGN_OR_RETURN(const BioHandle key_bio, OpenPem(files.key_file));
  const KeyHandle key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, NoPassword, nullptr));
  if (key == nullptr) return InFile(files.key_file, "not a PEM private key");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return InFile(files.key_file, "is not the key of " + files.certificate_file);
  }
  return {};
}

void SetRules(SSL_CTX* context) {
  SYNOD_OPENSSL_CHECK(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION));
  SYNOD_OPENSSL_CHECK(SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION));
  SYNOD_OPENSSL_CHECK(SSL_CTX_set_ciphersuites(context, kCipherSuites));
  SYNOD_OPENSSL_CHECK(SSL_CTX_set1_groups_list(context, kGroups));
  SYNOD_OPENSSL_CHECK(SSL_CTX_set1_sigalgs_list(context, kSignatures));
  SYNOD_OPENSSL_CHECK(SSL_CTX_set_num_tickets(context, 0));
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_default_passwd_cb(context, NoPassword);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_verify_depth(context, 0);  // no certificate between the root and the leaf
  SYNOD_OPENSSL_CHECK(X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_NO_CHECK_TIME));
}

}  // namespace

TlsContext::TlsContext(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<const TlsContext>> TlsContext::Load(const TlsFiles& files, TlsSide side) {
  ERR_clear_error();
  auto state = std::make_unique<State>();
  state->side = side;
  state->context.reset(SSL_CTX_new(side == TlsSide::kServer ? TLS_server_method() : TLS_client_method()));
  SYNOD_CHECK(state->context != nullptr, "OpenSSL has TLS");
  SetRules(state->context.get());
  SYNOD_RETURN_IF_ERROR(UseFiles(state->context.get(), files));
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(state)));
}

}  // namespace synod
