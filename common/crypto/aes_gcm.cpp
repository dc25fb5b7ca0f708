#include "common/crypto/aes_gcm.h"

#include <openssl/err.h>

#include "common/crypto/openssl_handles.h"

namespace synod {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;  // OpenSSL's lengths are ints

int Length(ByteView bytes) {
  SYNOD_CHECK(bytes.size() < kMostBytes, "a text is too long to be sealed in one piece");
  return static_cast<int>(bytes.size());
}

CipherContext NewContext(ByteView key) {
  SYNOD_CHECK(key.size() == kGcmKeyBytes, "an AES-256 key has 32 bytes");
  CipherContext context(EVP_CIPHER_CTX_new());
  SYNOD_CHECK(context != nullptr, "out of memory");
  return context;
}

}  // namespace

Bytes GcmSeal(ByteView key, const GcmNonce& nonce, ByteView associated, ByteView plain) {
  const CipherContext context = NewContext(key);
  Bytes sealed(plain.size() + kGcmTagBytes);
  int written = 0;
  SYNOD_OPENSSL_CHECK(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()));
  SYNOD_OPENSSL_CHECK(EVP_EncryptUpdate(context.get(), nullptr, &written, associated.data(), Length(associated)));
  SYNOD_OPENSSL_CHECK(EVP_EncryptUpdate(context.get(), sealed.data(), &written, plain.data(), Length(plain)));
  SYNOD_CHECK(static_cast<std::size_t>(written) == plain.size(), "counter mode changed the length");
  SYNOD_OPENSSL_CHECK(EVP_EncryptFinal_ex(context.get(), sealed.data() + plain.size(), &written));
  SYNOD_OPENSSL_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(kGcmTagBytes),
                                          sealed.data() + plain.size()));
  return sealed;
}

Result<SecretBytes> GcmOpen(ByteView key, const GcmNonce& nonce, ByteView associated, ByteView sealed) {
  if (sealed.size() < kGcmTagBytes) return VerificationFailed("a sealed text is shorter than its tag");
  const CipherContext context = NewContext(key);
  const ByteView text = sealed.first(sealed.size() - kGcmTagBytes);
  Bytes tag(sealed.end() - kGcmTagBytes, sealed.end());
  SecretBytes plain(text.size());
  int written = 0;
  SYNOD_OPENSSL_CHECK(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()));
  SYNOD_OPENSSL_CHECK(EVP_DecryptUpdate(context.get(), nullptr, &written, associated.data(), Length(associated)));
  SYNOD_OPENSSL_CHECK(EVP_DecryptUpdate(context.get(), plain.bytes().data(), &written, text.data(), Length(text)));
  SYNOD_OPENSSL_CHECK(
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()), tag.data()));
  std::array<std::uint8_t, 16> rest{};
  const bool authentic = EVP_DecryptFinal_ex(context.get(), rest.data(), &written) == 1;
  ERR_clear_error();
  if (!authentic) return VerificationFailed("a sealed text or what it is bound to was changed");
  return plain;
}

}  // namespace synod
