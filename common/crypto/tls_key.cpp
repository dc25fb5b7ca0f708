#include <openssl/ec.h>

#include <cstring>

#include "common/crypto/sha256.h"
#include "common/crypto/x509_handles.h"

namespace synod {
namespace {

constexpr char kCurve[] = "prime256v1";
// 27 bytes say "an EC key on P-256, uncompressed point follows"; the point has 64.
constexpr int kPublicKeyDerBytes = 91;

// Of the group of P-256 (FIPS 186-4): a signature (r, s) and (r, order - s) are both valid; only the lower is ours.
BignumHandle HalfOfTheOrder() {
  const OpensslHandle<EC_GROUP, EC_GROUP_free> group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  BignumHandle half(BN_new());
  SYNOD_CHECK(group != nullptr && half != nullptr, "out of memory");
  SYNOD_OPENSSL_CHECK(BN_rshift1(half.get(), EC_GROUP_get0_order(group.get())));
  return half;
}

BignumHandle OrderMinus(const BIGNUM* s) {
  const OpensslHandle<EC_GROUP, EC_GROUP_free> group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  BignumHandle result(BN_new());
  SYNOD_CHECK(group != nullptr && result != nullptr, "out of memory");
  SYNOD_OPENSSL_CHECK(BN_sub(result.get(), EC_GROUP_get0_order(group.get()), s));
  return result;
}

Bytes DerOf(const EcdsaSignatureHandle& signature) {
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  SYNOD_CHECK(size > 0, "out of memory");
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

}  // namespace

BioHandle ReadingBio(std::string_view text) {
  BioHandle bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  SYNOD_CHECK(bio != nullptr, "out of memory");
  return bio;
}

std::string TextOf(const BioHandle& bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  SYNOD_CHECK(size > 0, "an empty PEM text");
  return std::string(text, static_cast<std::size_t>(size));
}

Identity RootIdentity(const std::string& consortium) {
  return {consortium, Role::kAdmin, "root"};
}

bool IsP256(EVP_PKEY* key) {
  if (key == nullptr || EVP_PKEY_is_a(key, "EC") != 1) return false;
  char name[64] = {};
  if (EVP_PKEY_get_group_name(key, name, sizeof name, nullptr) != 1) return false;
  return std::strcmp(name, kCurve) == 0 && i2d_PUBKEY(key, nullptr) == kPublicKeyDerBytes;
}

Digest PublicKeyFingerprint(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  SYNOD_CHECK(size > 0, "a key without a public part");
  const Digest digest = Sha256(ByteView(der, static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  return digest;
}

TlsKey::TlsKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsKey::TlsKey(TlsKey&&) noexcept = default;
TlsKey& TlsKey::operator=(TlsKey&&) noexcept = default;
TlsKey::~TlsKey() = default;

TlsKey TlsKey::Generate() {
  auto state = std::make_unique<State>();
  state->key.reset(EVP_EC_gen(kCurve));
  SYNOD_CHECK(state->key != nullptr, "the system has no randomness for a key");
  return TlsKey(std::move(state));
}

Result<TlsKey> TlsKey::LoadPemFile(const std::string& path) {
  auto state = std::make_unique<State>();
  SYNOD_ASSIGN_OR_RETURN(state->key, ReadPrivateKey(path));
  if (!IsP256(state->key.get())) return BadInput(path + " is not an unencrypted ECDSA P-256 private key");
  return TlsKey(std::move(state));
}

Status TlsKey::WritePemFile(const std::string& path) const {
  return WritePrivateKey(path, state_->key.get());
}

std::string TlsKey::PublicPem() const {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  SYNOD_CHECK(bio != nullptr, "out of memory");
  SYNOD_OPENSSL_CHECK(PEM_write_bio_PUBKEY(bio.get(), state_->key.get()));
  return TextOf(bio);
}

Digest TlsKey::PublicFingerprint() const {
  return PublicKeyFingerprint(state_->key.get());
}

Bytes TlsKey::Sign(std::string_view label, ByteView message) const {
  const DigestContext context(EVP_MD_CTX_new());
  SYNOD_CHECK(context != nullptr, "out of memory");
  SYNOD_OPENSSL_CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, state_->key.get()));
  const Bytes bytes = LabelledBytes(label, message);
  std::size_t size = 0;
  SYNOD_OPENSSL_CHECK(EVP_DigestSign(context.get(), nullptr, &size, bytes.data(), bytes.size()));
  Bytes der(size);
  SYNOD_OPENSSL_CHECK(EVP_DigestSign(context.get(), der.data(), &size, bytes.data(), bytes.size()));
  const unsigned char* cursor = der.data();
  const EcdsaSignatureHandle signature(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(size)));
  SYNOD_CHECK(signature != nullptr, "an ECDSA signature that cannot be read back");
  const BignumHandle half = HalfOfTheOrder();
  if (BN_cmp(ECDSA_SIG_get0_s(signature.get()), half.get()) > 0) {
    BIGNUM* r = BN_dup(ECDSA_SIG_get0_r(signature.get()));
    BignumHandle low = OrderMinus(ECDSA_SIG_get0_s(signature.get()));
    SYNOD_CHECK(r != nullptr, "out of memory");
    SYNOD_OPENSSL_CHECK(ECDSA_SIG_set0(signature.get(), r, low.release()));
  }
  return DerOf(signature);
}

bool X509Certificate::VerifySignature(std::string_view label, ByteView message, ByteView signature) const {
  constexpr std::size_t kMostDerBytes = 72;
  if (signature.empty() || signature.size() > kMostDerBytes) return false;
  const unsigned char* cursor = signature.data();
  const EcdsaSignatureHandle parsed(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(signature.size())));
  ERR_clear_error();
  if (!parsed) return false;
  const Bytes again = DerOf(parsed);
  if (!std::equal(again.begin(), again.end(), signature.begin(), signature.end())) return false;
  if (BN_cmp(ECDSA_SIG_get0_s(parsed.get()), HalfOfTheOrder().get()) > 0) return false;

  const unsigned char* der = der_.data();
  const X509Handle certificate(d2i_X509(nullptr, &der, static_cast<long>(der_.size())));
  SYNOD_CHECK(certificate != nullptr, "a parsed certificate can be parsed again");
  const DigestContext context(EVP_MD_CTX_new());
  SYNOD_CHECK(context != nullptr, "out of memory");
  EVP_PKEY* key = X509_get0_pubkey(certificate.get());
  SYNOD_OPENSSL_CHECK(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key));
  const Bytes bytes = LabelledBytes(label, message);
  const int verified = EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(), bytes.size());
  ERR_clear_error();
  return verified == 1;
}

}  // namespace synod
