#include "common/crypto/ed25519.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "common/crypto/key_file.h"

namespace synod {
namespace {

bool IsEd25519(const KeyHandle& key) {
  return key != nullptr && EVP_PKEY_is_a(key.get(), "ED25519") == 1;
}

PublicKey RawPublicKey(EVP_PKEY* key) {
  std::array<std::uint8_t, PublicKey::kBytes> raw{};
  std::size_t size = raw.size();
  SYNOD_OPENSSL_CHECK(EVP_PKEY_get_raw_public_key(key, raw.data(), &size));
  SYNOD_CHECK(size == raw.size(), "an Ed25519 public key has 32 bytes");
  return PublicKey(raw);
}

}  // namespace

Result<PublicKey> PublicKey::FromBytes(ByteView bytes) {
  if (bytes.size() != kBytes) return BadInput("an Ed25519 public key has 32 bytes");
  PublicKey key;
  std::copy(bytes.begin(), bytes.end(), key.raw_.begin());
  return key;
}

Result<PublicKey> PublicKey::FromPem(std::string_view pem) {
  constexpr std::size_t kMostPemBytes = 16 * 1024;
  if (pem.size() > kMostPemBytes) return BadInput("the PEM text of a public key is too long");
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  SYNOD_CHECK(bio != nullptr, "out of memory");
  const KeyHandle key(PEM_read_bio_PUBKEY(bio.get(), nullptr, RefuseKeyPassphrase, nullptr));
  ERR_clear_error();
  if (!IsEd25519(key)) return BadInput("not the PEM text of an Ed25519 public key");
  return RawPublicKey(key.get());
}

std::string PublicKey::ToPem() const {
  const KeyHandle key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw_.data(), raw_.size()));
  SYNOD_CHECK(key != nullptr, "out of memory");
  const BioHandle bio(BIO_new(BIO_s_mem()));
  SYNOD_CHECK(bio != nullptr, "out of memory");
  SYNOD_OPENSSL_CHECK(PEM_write_bio_PUBKEY(bio.get(), key.get()));
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  SYNOD_CHECK(size > 0, "an empty PEM text");
  return std::string(text, static_cast<std::size_t>(size));
}

bool PublicKey::Verify(std::string_view label, ByteView message, ByteView signature) const {
  if (signature.size() != sizeof(Signature)) return false;
  const KeyHandle key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw_.data(), raw_.size()));
  SYNOD_CHECK(key != nullptr, "out of memory");
  const DigestContext context(EVP_MD_CTX_new());
  SYNOD_CHECK(context != nullptr, "out of memory");
  SYNOD_OPENSSL_CHECK(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()));
  const Bytes bytes = LabelledBytes(label, message);
  const int verified = EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(), bytes.size());
  ERR_clear_error();
  return verified == 1;
}

struct SigningKey::State {
  KeyHandle key;
};

SigningKey::SigningKey(std::unique_ptr<State> state)
    : state_(std::move(state)), public_key_(RawPublicKey(state_->key.get())) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

SigningKey SigningKey::Generate() {
  auto state = std::make_unique<State>();
  state->key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  SYNOD_CHECK(state->key != nullptr, "the system has no randomness for a key");
  return SigningKey(std::move(state));
}

Result<SigningKey> SigningKey::FromSeed(ByteView seed) {
  if (seed.size() != 32) return BadInput("the seed of an Ed25519 key has 32 bytes");
  auto state = std::make_unique<State>();
  state->key.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  SYNOD_CHECK(state->key != nullptr, "out of memory");
  return SigningKey(std::move(state));
}

Result<SigningKey> SigningKey::LoadPemFile(const std::string& path) {
  auto state = std::make_unique<State>();
  SYNOD_ASSIGN_OR_RETURN(state->key, ReadPrivateKey(path));
  if (!IsEd25519(state->key)) return BadInput(path + " is not an unencrypted Ed25519 private key");
  return SigningKey(std::move(state));
}

Status SigningKey::WritePemFile(const std::string& path) const {
  return WritePrivateKey(path, state_->key.get());
}

Signature SigningKey::Sign(std::string_view label, ByteView message) const {
  const DigestContext context(EVP_MD_CTX_new());
  SYNOD_CHECK(context != nullptr, "out of memory");
  SYNOD_OPENSSL_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, state_->key.get()));
  const Bytes bytes = LabelledBytes(label, message);
  Signature signature{};
  std::size_t size = signature.size();
  SYNOD_OPENSSL_CHECK(EVP_DigestSign(context.get(), signature.data(), &size, bytes.data(), bytes.size()));
  SYNOD_CHECK(size == signature.size(), "an Ed25519 signature has 64 bytes");
  return signature;
}

}  // namespace synod
